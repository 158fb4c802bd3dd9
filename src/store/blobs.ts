// Content-addressed files, oci/blobs/sha256/<hex> (image-spec image-layout.md, "Blobs"). A blob's name is only ever given
// to bytes with that digest: they are hashed, fsynced and then renamed. Long ones arrive through store/part.ts.

import * as fs from 'node:fs';
import type { Readable } from 'node:stream';
import { digestFromHex, digestOf, isDigest, type Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { publishFile, storeIo } from './io.ts';
import { blobFile, blobsDir, type StoreRoot } from './layout.ts';

/** Size in bytes, undefined when the store has no such blob. Does not read it. */
export function statBlob(root: StoreRoot, digest: Digest): number | undefined {
  const stat = fs.statSync(blobFile(root, digest), { throwIfNoEntry: false });
  return stat?.isFile() === true ? stat.size : undefined;
}

/** As `statBlob`, with the size a descriptor promises; a blob of another size is damaged and counts as missing. */
export function hasBlob(root: StoreRoot, { digest, size }: { digest: Digest; size: number }): boolean {
  return statBlob(root, digest) === size;
}

/**
 * The whole blob, its digest checked. For manifests, indexes and configs.
 * @throws STORE_INVALID when the bytes do not have the digest, IO
 */
export function readBlob(root: StoreRoot, digest: Digest): Uint8Array | undefined {
  const file = blobFile(root, digest);
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    return storeIo('reading', file, () => {
      throw error;
    });
  }
  if (digestOf(bytes) !== digest) {
    throw new EngineError('STORE_INVALID', `reading blob "${digest}": its content is damaged`, {
      hint: 'mend the store with "skiff system check --repair"',
    });
  }
  return bytes;
}

/** @throws STORE_INVALID also when it is missing */
export function getBlob(root: StoreRoot, digest: Digest): Uint8Array {
  const bytes = readBlob(root, digest);
  if (bytes !== undefined) return bytes;
  throw new EngineError('STORE_INVALID', `reading blob "${digest}": it is missing from the store`, {
    hint: 'mend the store with "skiff system check --repair"',
  });
}

/** Stores small bytes; idempotent. A damaged blob of the same digest is replaced. */
export function putBlob(root: StoreRoot, bytes: Uint8Array): Digest {
  const digest = digestOf(bytes);
  const file = blobFile(root, digest);
  try {
    if (digestOf(fs.readFileSync(file)) === digest) return digest;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  publishFile(file, bytes);
  return digest;
}

/** Unverified bytes of a blob, from `offset` on: for those who verify what they make of it. */
export function openBlob(root: StoreRoot, digest: Digest, offset = 0): Readable {
  return fs.createReadStream(blobFile(root, digest), { start: offset, highWaterMark: 1 << 20 });
}

/** Hashes the blob anew: true when it is what its name says. */
export async function verifyBlob(root: StoreRoot, digest: Digest, signal?: AbortSignal): Promise<boolean> {
  // By getBuiltinModule: loading node:crypto takes 2.5 ms, and a warm `run` imports this file.
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  try {
    for await (const chunk of openBlob(root, digest)) {
      if (signal?.aborted === true) throw new EngineError('CANCELLED', 'checking blobs: cancelled');
      hash.update(chunk as Uint8Array);
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EIO') return false;
    throw error;
  }
  return digestFromHex(hash.digest('hex')) === digest;
}

/** Idempotent. Returns the bytes freed. */
export function removeBlob(root: StoreRoot, digest: Digest): number {
  const size = statBlob(root, digest) ?? 0;
  storeIo('removing', blobFile(root, digest), () => fs.rmSync(blobFile(root, digest), { force: true }));
  return size;
}

/** Every blob, damaged or not; foreign files in the folder are left out. */
export function listBlobs(root: StoreRoot): Digest[] {
  let names: string[];
  try {
    names = fs.readdirSync(blobsDir(root));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  return names.map((name) => digestFromHex(name)).filter((digest) => isDigest(digest));
}
