// Content digests of a tree's files: those that the stat cache does not know are read, by this process and, when there is
// much to read, by others beside it. A file that changes while it is read is read again, and reported when it goes on.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { stampOf } from './directory-tree.ts';
import type { StatCache } from './stat-cache.ts';
import type { HashFiles } from './select.ts';
import type { SourceTree } from './types.ts';

const BUFFER_BYTES = 1 << 20;
const TRIES = 3;
/** Between two looks at whether somebody wants us to stop. */
const BATCH = 256;

/** Digests of files that this process may not read, as somebody who may. */
export type HashUnreadable = (paths: readonly ByteString[]) => Promise<Digest[]>;

/** Reads in this process alone what `cache` does not know. */
export function hashWith(
  cache: StatCache | undefined,
  { unreadable, signal }: { unreadable?: HashUnreadable; signal?: AbortSignal } = {},
): HashFiles {
  return async (tree, paths) => {
    const digests = new Map<ByteString, Digest>();
    const refused: ByteString[] = [];
    let count = 0;
    for (const path of new Set(paths)) {
      if (++count % BATCH === 0) await breathe(signal);
      const digest = digestOrRefused(tree, path, cache, unreadable !== undefined);
      if (digest === undefined) refused.push(path);
      else digests.set(path, digest);
    }
    if (unreadable !== undefined && refused.length > 0) {
      const others = await unreadable(refused);
      refused.forEach((path, i) => digests.set(path, others[i] as Digest));
    }
    return paths.map((path) => digests.get(path) as Digest);
  };
}

async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted === true) throw new EngineError('CANCELLED', 'reading the build context: cancelled');
}

function digestOrRefused(
  tree: SourceTree,
  path: ByteString,
  cache: StatCache | undefined,
  mayRefuse: boolean,
): Digest | undefined {
  const stamp = tree.find(path)?.stamp;
  const known = stamp === undefined ? undefined : cache?.find(stamp);
  if (known !== undefined) return known;
  try {
    const readAtMs = Date.now();
    const read = hashFile(tree, path);
    // What it was when the tree was listed is what a copy expects.
    if (stamp !== undefined && tree.kind === 'context' && read.stamp !== stamp) throw changing(path);
    if (stamp !== undefined) cache?.remember(stamp, read.digest, readAtMs);
    return read.digest;
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof EngineError || errno === undefined) throw error;
    if (errno === 'EACCES' && mayRefuse) return undefined;
    throw unreadableFile(path, errno, error);
  }
}

export function unreadableFile(path: ByteString, errno: string, cause: unknown): EngineError {
  const why =
    errno === 'EACCES'
      ? 'permission denied'
      : ['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(errno)
        ? 'it was removed or replaced meanwhile'
        : errno;
  return new EngineError('IO', `reading ${showPath(path)}: ${why}`, {
    cause,
    exitCode: 1,
    ...(errno === 'EACCES' ? { hint: 'make it readable, or name it in .dockerignore' } : {}),
  });
}

function changing(path: ByteString): EngineError {
  return new EngineError('IO', `reading ${showPath(path)}: it changes while it is read`, {
    exitCode: 1,
    hint: 'build again when nothing writes to it, or name it in .dockerignore',
  });
}

interface Read {
  digest: Digest;
  stamp: string;
}

const buffer = { bytes: undefined as Buffer | undefined };

/** @throws system errors; IO when it does not hold still */
export function hashFile(tree: SourceTree, path: ByteString): Read {
  buffer.bytes ??= Buffer.allocUnsafe(BUFFER_BYTES);
  const fd = tree.open(path);
  try {
    for (let i = 0; i < TRIES; i++) {
      const before = fstatSync(fd, { bigint: true });
      if (!before.isFile()) throw changing(path);
      const hash = createHash('sha256');
      for (let at = 0; ;) {
        const size = readSync(fd, buffer.bytes, 0, BUFFER_BYTES, at);
        if (size === 0) break;
        hash.update(buffer.bytes.subarray(0, size));
        at += size;
        if (BigInt(at) === before.size) break;
      }
      const stamp = stampOf(before);
      if (stampOf(fstatSync(fd, { bigint: true })) === stamp)
        return { digest: digestFromHex(hash.digest('hex')), stamp };
    }
    throw changing(path);
  } finally {
    closeSync(fd);
  }
}
