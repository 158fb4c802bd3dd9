// Files of a directory that may be changed by somebody hostile while it is read: one name at a time beneath the open
// descriptor of its directory, never through a link. /proc/self/fd/N/NAME with O_NOFOLLOW is openat(2), which node:fs does
// not have. Names are *byte strings*, one UTF-16 unit per byte, like those of `Tree`.

import { constants, lstatSync, openSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { addon } from './addon.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
/** open(2): a place in the tree, without the right to read. node:fs does not name it; the same on all our machines. */
const O_PATH = 0o10000000;

export function pathAt(dirFd: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${dirFd}/${name}`, 'latin1');
}

/** A directory to list. @throws ELOOP or ENOTDIR when it is something else by now */
export function openDirAt(dirFd: number, name: string): number {
  return openSync(pathAt(dirFd, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** A directory to pass through: needs no right to read it, and may be another id's. */
export function openPlace(path: string | Buffer): number {
  return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

export function openPlaceAt(dirFd: number, name: string): number {
  return openPlace(pathAt(dirFd, name));
}

/** To read. What it is must be asked of the descriptor; a fifo or device in its place does not block. */
export function openFileAt(dirFd: number, name: string): number {
  return openSync(pathAt(dirFd, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

/** The root directory of something, by host path. */
export function openRoot(path: string | Buffer): number {
  return openSync(path, O_RDONLY | O_DIRECTORY);
}

/** undefined: nothing has that name. */
export function statAt(dirFd: number, name: string): BigIntStats | undefined {
  try {
    return lstatSync(pathAt(dirFd, name), { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function readlinkAt(dirFd: number, name: string): string {
  return readlinkSync(pathAt(dirFd, name), { encoding: 'buffer' }).toString('latin1');
}

/** In the order of their bytes, whatever order the file system keeps. */
export function namesIn(dirFd: number): string[] {
  return readdirSync(`/proc/self/fd/${dirFd}`, { encoding: 'buffer' })
    .map((name) => name.toString('latin1'))
    .sort();
}

export function xattrsAt(dirFd: number, name: string): Map<string, Buffer> {
  return xattrsOf(pathAt(dirFd, name));
}

/** Those we may read, by name. Empty where the file system has none. */
export function xattrsOf(path: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const key of addon().llistxattr(path).sort()) {
    const value = addon().lgetxattr(path, key);
    if (value !== undefined) found.set(Buffer.from(key).toString('latin1'), value);
  }
  return found;
}
