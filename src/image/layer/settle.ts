// An upper directory that a build step has left → the same as a layer's tree: without the mount points of its container,
// without sockets, and with one fixed time in the place of those of its own run (docs/decisions/0022). Runs as root of the
// user namespace, and nothing else writes there any more.

import {
  closeSync,
  fstatSync,
  futimesSync,
  lutimesSync,
  rmdirSync,
  unlinkSync,
  type BigIntStats,
} from 'node:fs';
import * as at from '../../native/at.ts';
import type { ByteString, EntryType } from './entry.ts';
import { joinPath } from './path.ts';
import { MountStubs } from './stubs.ts';

export interface SettleRules {
  /** Empty files and directories that were made for the step's own mounts, or copied up on the way to them. */
  stubs: readonly ByteString[];
  /**
   * Files that are younger than `sinceMs` get the time `toSec`: what the step made or changed. What it took out of archives
   * keeps its time. Undefined: all do.
   */
  times: { sinceMs: number; toSec: number } | undefined;
}

const MILLION = 1_000_000n;

export function settleUpper(upper: string, { stubs: made, times }: SettleRules): void {
  const stubs = new MountStubs(made);
  const sinceNs = times === undefined ? undefined : BigInt(times.sinceMs) * MILLION;
  const toSec = times?.toSec ?? 0;
  const isYoung = ({ mtimeNs }: BigIntStats): boolean => sinceNs !== undefined && mtimeNs >= sinceNs;

  const directory = (dirFd: number, path: ByteString): void => {
    for (const name of at.namesIn(dirFd)) file(dirFd, name, joinPath(path, name));
  };
  const file = (dirFd: number, name: ByteString, path: ByteString): void => {
    const stat = at.statAt(dirFd, name);
    if (stat === undefined) return;
    if (stat.isSocket()) {
      unlinkSync(at.pathAt(dirFd, name));
      return;
    }
    const type: EntryType | undefined = stat.isDirectory() ? 'dir' : stat.isFile() ? 'file' : undefined;
    if (
      type !== undefined &&
      stubs.has(path) &&
      stubs.isStub({ path, dirFd, name, stat, type }, at.xattrsAt(dirFd, name))
    ) {
      removeStub(dirFd, name, type);
      return;
    }
    if (type !== 'dir') {
      if (isYoung(stat) && !isWhiteout(stat)) lutimesSync(at.pathAt(dirFd, name), toSec, toSec);
      return;
    }
    const fd = at.openDirAt(dirFd, name);
    try {
      directory(fd, path);
      if (isYoung(fstatSync(fd, { bigint: true }))) futimesSync(fd, toSec, toSec);
    } finally {
      closeSync(fd);
    }
  };

  const root = at.openRoot(upper);
  try {
    directory(root, '');
    if (isYoung(fstatSync(root, { bigint: true }))) futimesSync(root, toSec, toSec);
  } finally {
    closeSync(root);
  }
}

function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}

/** Holds nothing but further stubs. */
function removeStub(dirFd: number, name: ByteString, type: EntryType): void {
  if (type !== 'dir') {
    unlinkSync(at.pathAt(dirFd, name));
    return;
  }
  const fd = at.openDirAt(dirFd, name);
  try {
    for (const inside of at.namesIn(fd))
      removeStub(fd, inside, at.statAt(fd, inside)?.isDirectory() === true ? 'dir' : 'file');
  } finally {
    closeSync(fd);
  }
  rmdirSync(at.pathAt(dirFd, name));
}
