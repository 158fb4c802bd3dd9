// compressed/<hex>.<how>: what a layer's tar came to when it was compressed to be pushed. Only digest and size are kept: who
// needs the bytes again makes them again, and mostly the registry has them. Losing a record costs one more upload.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { digestFromHex, isDigest, type Digest } from '../core/digest.ts';
import { errnoOf } from '../core/errors.ts';
import { statBlob } from './blobs.ts';
import { publishFile, storeIo } from './io.ts';
import { compressedDir, compressedFile, type StoreRoot } from './layout.ts';

export interface Compressed {
  digest: Digest;
  size: number;
}

/** how: algorithm and level, `gzip-6`. Undefined: not known. */
export function readCompressed(root: StoreRoot, tar: Digest, how: string): Compressed | undefined {
  let text: string;
  try {
    text = readFileSync(compressedFile(root, tar, how), 'utf8');
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
  const [, digest = '', size] = /^(\S+) (\d{1,15})\n$/.exec(text) ?? [];
  return isDigest(digest) ? { digest, size: Number(size) } : undefined;
}

/** Records of tars that are no longer there go at the same time. @throws NO_SPACE, IO */
export function rememberCompressed(
  root: StoreRoot,
  tar: Digest,
  how: string,
  { digest, size }: Compressed,
): void {
  const dir = compressedDir(root);
  storeIo('writing', dir, () => {
    mkdirSync(dir, { recursive: true });
    for (const name of readdirSync(dir)) {
      const hex = /^[0-9a-f]{64}(?=\.)/.exec(name)?.[0];
      if (hex !== undefined && statBlob(root, digestFromHex(hex)) === undefined)
        rmSync(`${dir}/${name}`, { force: true });
    }
  });
  publishFile(compressedFile(root, tar, how), `${digest} ${size}\n`);
}

export function forgetCompressed(root: StoreRoot, tar: Digest, how: string): void {
  rmSync(compressedFile(root, tar, how), { force: true });
}
