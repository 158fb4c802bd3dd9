// Files that survive a crash, and directories that nobody else can prepare for us. Callers are on a machine whose /tmp
// belongs to others and whose power may fail at any instant.

import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:fs';
import { EngineError, errnoOf } from './errors.ts';

let counter = 0;

/**
 * Replaces `path` by `data`: readers see the old file or the whole new one, also after a power cut (temp file in the
 * same directory, fsync, rename, fsync of the directory). Errors are those of node:fs; the temp file is gone then.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): void {
  const slash = path.lastIndexOf('/');
  const directory = slash === -1 ? '.' : path.slice(0, slash) || '/';
  const temp = `${directory}/.${path.slice(slash + 1)}.${process.pid}.${(counter += 1)}.tmp`;
  try {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = openSync(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      writeAll(fd, typeof data === 'string' ? Buffer.from(data) : data);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temp, path);
  } catch (error) {
    rmSync(temp, { force: true });
    throw error;
  }
  fsyncDirectory(directory);
}

/** Writes every byte at the descriptor's offset. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** Makes the names in a directory survive a power cut. */
export function fsyncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some file systems (9p, older FUSE) cannot sync a directory; their renames are as safe as they get.
    if (errnoOf(error) !== 'EINVAL' && errnoOf(error) !== 'ENOTSUP') throw error;
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes sure that `path` is a directory of ours that only we can enter (0700), making it and its parents if missing.
 * Safe below a world-writable directory: a symlink, a file, or a directory of somebody else is refused, not followed.
 * other: what to do instead, for the hint
 * @throws STORE_INVALID naming what is wrong and the command that mends it; IO when it cannot be made
 */
export function ensurePrivateDir(
  path: string,
  hostUid = process.geteuid?.() ?? 0,
  other = 'set XDG_RUNTIME_DIR to a directory of your own',
): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') {
      mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o755 });
      ensurePrivateDir(path, hostUid, other);
      return;
    }
    if (errno !== 'EEXIST')
      throw new EngineError('IO', `making directory ${JSON.stringify(path)}`, { cause: error });
  }
  // Looked at after the attempt: what exists now and is ours cannot be swapped by others if its parent is sticky.
  const stat = lstatSync(path);
  const problem = stat.isSymbolicLink()
    ? 'is a symbolic link'
    : !stat.isDirectory()
      ? 'is not a directory'
      : stat.uid !== hostUid
        ? `belongs to uid ${stat.uid}, not to us (${hostUid})`
        : (stat.mode & 0o077) !== 0
          ? `is open to others (mode ${(stat.mode & 0o777).toString(8)})`
          : undefined;
  if (problem === undefined) return;
  const hint = problem.startsWith('is open') ? `chmod 700 ${path}` : `remove it, or ${other}`;
  throw new EngineError('STORE_INVALID', `using directory ${JSON.stringify(path)}: it ${problem}`, { hint });
}

/** The file's text, undefined when there is none. Other errors are thrown. */
export function readFileIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The names in a directory, none when there is no such directory. Other errors are thrown. */
export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
