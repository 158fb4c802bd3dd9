// The lock of a volume. Shared: a container that is being made with it, until its config.json says so. Exclusive: filling
// it, and removing it. Whoever has it looks again: the folder may have been renamed away before.

import * as fs from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import { storeIo } from '../store/io.ts';
import {
  isStillAt,
  tryLockFd,
  waitForFlock,
  type Lock,
  type LockMode,
  type LockOptions,
} from '../store/lock.ts';
import type { Volume } from './records.ts';

/** Waits, and only then asks for `options`. undefined: the volume is gone. @throws CANCELLED */
export async function holdVolume(
  volume: Pick<Volume, 'dir'>,
  mode: LockMode,
  options: () => LockOptions = () => ({}),
): Promise<Lock | undefined> {
  const fd = openLock(volume.dir);
  if (fd === undefined) return undefined;
  let open = true;
  const release = (): void => {
    if (open) fs.closeSync(fd);
    open = false;
  };
  try {
    if (!addon().flock(fd, mode, true)) await waitForFlock(fd, mode, options());
  } catch (error) {
    release();
    throw error;
  }
  if (isStillAt(`${volume.dir}/lock`, fd)) return { fd, release };
  release();
  return undefined;
}

/** 'busy': somebody holds it. undefined: the volume is gone. */
export function tryHoldVolume(volume: Pick<Volume, 'dir'>): Lock | 'busy' | undefined {
  const fd = openLock(volume.dir);
  if (fd === undefined) return undefined;
  const held = tryLockFd(fd, 'exclusive');
  if (held === undefined) return 'busy';
  if (isStillAt(`${volume.dir}/lock`, fd)) return held;
  held.release();
  return undefined;
}

function openLock(dir: string): number | undefined {
  const path = `${dir}/lock`;
  return storeIo('locking', path, () => {
    const { O_RDONLY, O_CREAT, O_NOFOLLOW } = fs.constants;
    try {
      return fs.openSync(path, O_RDONLY | O_NOFOLLOW);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    if (!fs.existsSync(dir)) return undefined;
    return fs.openSync(path, O_RDONLY | O_CREAT | O_NOFOLLOW, 0o600); // lost, as in a copied store
  });
}
