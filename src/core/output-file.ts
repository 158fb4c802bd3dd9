// A file that a command was told to write (`-o FILE`): it appears as a whole or not at all, so that a failed export does
// not take the place of an earlier good one. Devices, pipes and the like are written to as they are.

import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { decodeBytes, encodeBytes } from './bytes.ts';
import { EngineError, errnoOf } from './errors.ts';

export interface OutputFile {
  fd: number;
  /** Makes it durable and gives it its name. */
  commit(): void;
  /** Removes what was written so far. Idempotent; does nothing after `commit`. */
  discard(): void;
}

/** Only its owner can read it, as docker's: an image may hold secrets. @throws USAGE (exit status 1), IO */
export function openOutputFile(path: string): OutputFile {
  const target = realTarget(path);
  try {
    const stat = statSync(encodeBytes(target), { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isFile()) return openAsItIs(target, stat.isDirectory());
    return openTemporary(target);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('IO', `writing ${JSON.stringify(path)}: ${errnoOf(error) ?? 'failed'}`, {
      cause: error,
    });
  }
}

function openAsItIs(path: string, isDirectory: boolean): OutputFile {
  if (isDirectory) throw invalid(`${JSON.stringify(path)} is a directory`);
  const fd = openSync(encodeBytes(path), constants.O_WRONLY | constants.O_NOCTTY);
  const close = closeOnce(fd);
  return { fd, commit: close, discard: close };
}

function openTemporary(path: string): OutputFile {
  const slash = path.lastIndexOf('/');
  const temp = encodeBytes(`${path.slice(0, slash + 1)}.${path.slice(slash + 1)}.${process.pid}.tmp`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  const close = closeOnce(fd);
  let open = true;
  return {
    fd,
    commit() {
      fsyncSync(fd);
      close();
      renameSync(temp, encodeBytes(path));
      open = false;
    },
    discard() {
      close();
      if (open) rmSync(temp, { force: true });
      open = false;
    },
  };
}

/** Links are followed: what they point to is replaced, not they. */
function realTarget(path: string): string {
  const slash = path.lastIndexOf('/');
  const directory = slash < 0 ? '.' : path.slice(0, slash) || '/';
  if (statSync(encodeBytes(directory), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw invalid(`directory ${JSON.stringify(directory)} does not exist`);
  try {
    return decodeBytes(realpathSync(encodeBytes(path), { encoding: 'buffer' }));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return path;
    throw new EngineError('IO', `writing ${JSON.stringify(path)}: ${errnoOf(error) ?? 'failed'}`, {
      cause: error,
    });
  }
}

function invalid(why: string): EngineError {
  return new EngineError('USAGE', `invalid output path: ${why}`, { exitCode: 1 });
}

function closeOnce(fd: number): () => void {
  let open = true;
  return () => {
    if (open) closeSync(fd);
    open = false;
  };
}
