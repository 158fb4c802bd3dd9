// flock(2) on the object that is guarded. The kernel frees a lock when its holder dies, however that happens; a lock
// belongs to an open file, so two users in one process exclude each other too. Waiting is polling, since flock(2) itself
// would stop the event loop.

import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, errnoOf } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import { storeIo } from './io.ts';

const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 100;

export type LockMode = 'shared' | 'exclusive';

/** Held until `release`, which is idempotent, or the end of the process. */
export interface Lock {
  readonly fd: number;
  release(): void;
}

export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once before the first wait, and again about every second. */
  onWait?: (() => void) | undefined;
}

/** Takes the lock on `path` (made when missing) if it is free now; undefined when somebody holds it. */
export function tryLock(path: string, mode: LockMode): Lock | undefined {
  return tryLockFd(openLockFile(path), mode);
}

/** Waits for the lock on `path`. Throws CANCELLED when `signal` is aborted. */
export async function lock(path: string, mode: LockMode, options: LockOptions = {}): Promise<Lock> {
  const fd = openLockFile(path);
  try {
    await waitForFlock(fd, mode, options);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return lockOf(fd);
}

/** As `lock`, released when `work` is done. */
export async function withLock<T>(
  path: string,
  mode: LockMode,
  work: () => T | Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const held = await lock(path, mode, options);
  try {
    return await work();
  } finally {
    held.release();
  }
}

/** Locks the open file `fd`, and closes it when it is locked by somebody else (undefined). */
export function tryLockFd(fd: number, mode: LockMode): Lock | undefined {
  if (flockNow(fd, mode)) return lockOf(fd);
  fs.closeSync(fd);
  return undefined;
}

/** Waits until `fd` is locked. The caller keeps and closes `fd`. */
export async function waitForFlock(
  fd: number,
  mode: LockMode,
  { signal, onWait }: LockOptions,
): Promise<void> {
  let waitMs = FIRST_WAIT_MS;
  let sinceNoteMs = Number.POSITIVE_INFINITY;
  while (!flockNow(fd, mode)) {
    if (signal?.aborted === true) throw new EngineError('CANCELLED', 'waiting for another skiff: cancelled');
    if (sinceNoteMs >= 1000) {
      onWait?.();
      sinceNoteMs = 0;
    }
    await sleep(waitMs);
    sinceNoteMs += waitMs;
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/**
 * True when nobody holds the file or folder exclusively; a missing one is free. Asks by a shared lock, given back at once,
 * so that two who ask at the same time do not take each other for the holder.
 */
export function isFree(path: string): boolean {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
  const held = tryLockFd(fd, 'shared');
  held?.release();
  return held !== undefined;
}

/** Whether `fd` is the file that has the name: while one waits for a lock, its file may be removed and another made. */
export function isStillAt(path: string, fd: number): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.ino === fs.fstatSync(fd).ino;
}

const PROBE_ATTEMPTS = 200;

/**
 * Locks `fd` exclusively unless somebody else has it so. Those who only ask (isFree) hold it for microseconds, shared: they
 * are passed over.
 */
export function tryExclusive(fd: number): boolean {
  for (let i = 0; i < PROBE_ATTEMPTS; i++) {
    if (flockNow(fd, 'exclusive')) return true;
    if (!flockNow(fd, 'shared')) return false;
    addon().flock(fd, 'unlock', true);
  }
  return false;
}

function flockNow(fd: number, mode: LockMode): boolean {
  return addon().flock(fd, mode, true);
}

function lockOf(fd: number): Lock {
  let open = true;
  return {
    fd,
    release() {
      if (open) fs.closeSync(fd);
      open = false;
    },
  };
}

function openLockFile(path: string): number {
  const { O_RDWR, O_RDONLY, O_CREAT, O_NOFOLLOW } = fs.constants;
  try {
    return fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o644);
  } catch (error) {
    // A full disk cannot make the file, but deletion must still work: an existing one is enough.
    if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EROFS') {
      return storeIo('locking', path, () => fs.openSync(path, O_RDONLY | O_NOFOLLOW));
    }
    return storeIo('locking', path, () => {
      throw error;
    });
  }
}
