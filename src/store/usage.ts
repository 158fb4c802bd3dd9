// How much room things take, as du counts it: allocated blocks, hard links once.

import * as fs from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import type { Digest } from '../core/digest.ts';
import { errnoOf } from '../core/errors.ts';
import { treeDir, type StoreRoot } from './layout.ts';
import { readTreeInfo } from './layers.ts';

/** Of a layer's tree, which may lie under another name just now. Where folders of other owners are closed to us, at least what unpacking noted. */
export function treeBytes(
  root: StoreRoot,
  mapKey: string,
  chainId: Digest,
  dir = treeDir(root, mapKey, chainId),
): number {
  const { bytes, complete } = measure(dir);
  return complete ? bytes : Math.max(bytes, readTreeInfo(root, chainId)?.sizeBytes ?? 0);
}

/** Of a file or of what may be read of a tree. A missing path takes nothing. */
export function diskBytes(path: string): number {
  return measure(path).bytes;
}

interface Measured {
  bytes: number;
  /** False: a folder is closed to us, or too deep. */
  complete: boolean;
}

function measure(path: string): Measured {
  const measured = { bytes: 0, complete: true };
  walk(encodeBytes(path), new Set(), measured);
  return measured;
}

/** Names of an image's files need not be text. */
function walk(path: Buffer, seen: Set<string>, measured: Measured): void {
  const stat = statOf(path, measured);
  if (stat === undefined) return;
  if (!stat.isDirectory() && stat.nlink > 1) {
    const key = `${stat.dev}:${stat.ino}`;
    if (seen.has(key)) return;
    seen.add(key);
  }
  measured.bytes += stat.blocks * 512;
  if (!stat.isDirectory()) return;
  try {
    for (const name of fs.readdirSync(path, { encoding: 'buffer' })) {
      walk(Buffer.concat([path, SLASH, name]), seen, measured);
    }
  } catch (error) {
    closedOrGone(error, measured);
  }
}

function statOf(path: Buffer, measured: Measured): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    closedOrGone(error, measured);
    return undefined;
  }
}

/** What a container made may be closed to us, or deeper than any path reaches: then less is counted. */
function closedOrGone(error: unknown, measured: Measured): void {
  const errno = errnoOf(error) ?? '';
  if (['EACCES', 'EPERM', 'ENAMETOOLONG'].includes(errno)) measured.complete = false;
  else if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
}

const SLASH = Buffer.from('/');
