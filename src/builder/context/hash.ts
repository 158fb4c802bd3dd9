// Content digests of a tree's files: those that the stat cache does not know are read. A file that changes while it is read
// is read again, and reported when it goes on.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { stampOf } from './directory-tree.ts';
import { inBatches } from '../batches.ts';
import type { StatCache } from './stat-cache.ts';
import type { HashedFile, HashFiles } from './select.ts';
import type { SourceTree } from './types.ts';

const BUFFER_BYTES = 1 << 20;
const TRIES = 3;
/** Between two looks at whether somebody wants us to stop, and what one thread is given at once. */
const BATCH = 256;
const DIGEST_BYTES = 32;

export interface ReadFile {
  digest: Digest;
  /** What it was when it was read: TreeFile.stamp. */
  stamp: string;
}

/** Reads files that this process may not, as somebody who may. */
export type ReadAsRoot = (paths: readonly ByteString[]) => Promise<ReadFile[]>;

/** What `cache` does not know is read in this process, and what it may not read is left to `unreadable`. */
export function hashWith(
  cache: StatCache | undefined,
  { unreadable, signal }: { unreadable?: ReadAsRoot | undefined; signal?: AbortSignal | undefined } = {},
): HashFiles {
  return async (tree, files) => {
    const digests = files.map(({ stamp }) => cache?.find(stamp));
    const refused: number[] = [];
    const unknown = [...files.keys()].filter((i) => digests[i] === undefined);
    await inBatches(unknown, BATCH, async (batch) => {
      await breathe(signal);
      const readAtMs = Date.now();
      const wanted = batch.map((i) => files[i] as HashedFile);
      const read = await readMany(tree, wanted);
      batch.forEach((i, k) => {
        const [file, known] = [wanted[k] as HashedFile, read[k]];
        digests[i] =
          known === undefined
            ? readDigest(tree, file, cache, unreadable !== undefined)
            : accepted(file, known, cache, readAtMs);
        if (digests[i] === undefined) refused.push(i);
      });
    });
    if (unreadable !== undefined && refused.length > 0) {
      const readAtMs = Date.now();
      const others = await unreadable(refused.map((i) => (files[i] as HashedFile).from));
      refused.forEach((i, k) => {
        digests[i] = accepted(files[i] as HashedFile, others[k] as ReadFile, cache, readAtMs);
      });
    }
    return digests as Digest[];
  };
}

async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (signal?.aborted === true) throw new EngineError('CANCELLED', 'reading the build context: cancelled');
}

/** By a thread of its own; undefined for those that must be looked at one by one. */
async function readMany(
  { files }: SourceTree,
  wanted: readonly HashedFile[],
): Promise<(ReadFile | undefined)[]> {
  const read = await files?.hashFiles(wanted.map(({ from }) => from));
  if (read === undefined) return [];
  const [digests, stamps] = read;
  const hex = Buffer.from(digests.buffer, digests.byteOffset, digests.length).toString('hex');
  return stamps.split(' ').map((stamp, i) => {
    const at = i * 2 * DIGEST_BYTES;
    return stamp === '' ? undefined : { digest: digestFromHex(hex.slice(at, at + 2 * DIGEST_BYTES)), stamp };
  });
}

/** Undefined: we may not read it, which `mayRefuse` allows. */
function readDigest(
  tree: SourceTree,
  file: HashedFile,
  cache: StatCache | undefined,
  mayRefuse: boolean,
): Digest | undefined {
  try {
    const readAtMs = Date.now();
    return accepted(file, hashFile(tree, file.from), cache, readAtMs);
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof EngineError || errno === undefined) throw error;
    if (errno === 'EACCES' && mayRefuse) return undefined;
    throw unreadableFile(file.from, errno, error);
  }
}

/** What it was when the tree was listed is what a copy expects. */
function accepted(
  { from, stamp }: HashedFile,
  read: ReadFile,
  cache: StatCache | undefined,
  readAtMs: number,
): Digest {
  if (read.stamp !== stamp) throw changing(from);
  cache?.remember(stamp, read.digest, readAtMs);
  return read.digest;
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

const buffer = { bytes: undefined as Buffer | undefined };

/** @throws system errors; IO when it does not hold still */
export function hashFile(tree: SourceTree, path: ByteString): ReadFile {
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
