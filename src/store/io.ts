// System errors of the store in words: which file, why, and the way out. A full disk is the one that users meet.

import { EngineError, errnoOf } from '../core/errors.ts';
import { writeFileAtomic } from '../core/fs.ts';

const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];

const CAUSES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  EIO: 'input/output error of the disk',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'a part of the path is not a directory',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
  ENAMETOOLONG: 'the path is too long',
};

/** Runs `work`; a system error becomes an EngineError that names `path`. `doing` is a gerund. */
export function storeIo<T>(doing: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeError(doing, path, error);
  }
}

/**
 * NO_SPACE for a full disk or quota, else IO. Whatever is no system error comes back as it is.
 * neededBytes: what was still to be written, when known
 */
export function storeError(doing: string, path: string, error: unknown, neededBytes?: number): unknown {
  const errno = errnoOf(error);
  if (errno === undefined || error instanceof EngineError) return error;
  const cause = CAUSES[errno];
  const message = `${doing} "${path}": ${cause === undefined ? errno : `${cause} (${errno})`}`;
  if (FULL.includes(errno)) return noSpace(message, neededBytes, error);
  return new EngineError('IO', message, {
    cause: error,
    hint:
      errno === 'EACCES' || errno === 'EROFS'
        ? 'choose another store with --root DIR or SKIFF_ROOT'
        : undefined,
  });
}

export function noSpace(message: string, neededBytes: number | undefined, cause?: unknown): EngineError {
  const text = neededBytes === undefined ? message : `${message} (${neededBytes} more bytes are needed)`;
  return new EngineError('NO_SPACE', text, {
    cause,
    hint: 'free space with "skiff system prune", or choose another store with --root DIR or SKIFF_ROOT',
  });
}

/**
 * Replaces `path` by `data`, atomically and durably.
 * @throws NO_SPACE, IO
 */
export function publishFile(path: string, data: Uint8Array | string): void {
  storeIo('writing', path, () => writeFileAtomic(path, data));
}

/** A temp file of `publishFile` (`.NAME.PID.N.tmp`) whose process was killed. */
export function isDeadTemp(name: string): boolean {
  const pid = /^\..+\.([0-9]+)\.[0-9]+\.tmp$/.exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ESRCH';
  }
}
