// How much room things take, as du counts it: allocated blocks, hard links once.

import * as fs from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { errnoOf } from '../core/errors.ts';
import { treeDir, type StoreRoot } from './layout.ts';
import { readTreeInfo } from './layers.ts';

/** Of a layer's tree. Where folders of other owners are closed to us, what unpacking noted. */
export function treeBytes(root: StoreRoot, mapKey: string, chainId: Digest): number {
  return diskBytes(treeDir(root, mapKey, chainId)) ?? readTreeInfo(root, chainId)?.sizeBytes ?? 0;
}

/** Of a file or a whole tree; undefined when a part of it may not be read. A missing path takes nothing. */
export function diskBytes(path: string): number | undefined {
  const seen = new Set<string>();
  try {
    return walk(encodeBytes(path), seen);
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return undefined;
    throw error;
  }
}

/** Names of an image's files need not be text. */
function walk(path: Buffer, seen: Set<string>): number {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) {
    if (stat.nlink > 1) {
      const key = `${stat.dev}:${stat.ino}`;
      if (seen.has(key)) return 0;
      seen.add(key);
    }
    return stat.blocks * 512;
  }
  let bytes = stat.blocks * 512;
  for (const name of fs.readdirSync(path, { encoding: 'buffer' })) {
    bytes += walk(Buffer.concat([path, SLASH, name]), seen);
  }
  return bytes;
}

const SLASH = Buffer.from('/');
