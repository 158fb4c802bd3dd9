// tmp/build-<random>/: where one build works. Its lock is held while the build lives; one whose lock is free was killed, and
// the next build or `system prune` removes it (store/gc.ts).

import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import type { IdMap } from '../native/plan.ts';
import { sweepWork } from '../store/gc.ts';
import { ensureStore } from '../store/init.ts';
import { storeIo } from '../store/io.ts';
import { removeForeignTree } from '../store/layers.ts';
import { tmpDir, type StoreRoot } from '../store/layout.ts';
import { isStillAt } from '../store/lock.ts';

export class WorkDir {
  readonly dir: string;
  readonly #lockFd: number;
  #count = 0;

  private constructor(dir: string, lockFd: number) {
    this.dir = dir;
    this.#lockFd = lockFd;
  }

  /** Removes what killed builds left, too. @throws IO, NO_SPACE */
  static async open(root: StoreRoot, idMap: IdMap | undefined): Promise<WorkDir> {
    ensureStore(root);
    await sweepWork(root, idMap);
    for (;;) {
      const dir = `${tmpDir(root)}/build-${randomBytes(6).toString('hex')}`;
      const lockFd = storeIo('making', dir, () => {
        mkdirSync(dir, { mode: 0o700, recursive: true });
        return lockNew(`${dir}/lock`);
      });
      if (lockFd !== undefined) return new WorkDir(dir, lockFd);
    }
  }

  /** A fresh, empty folder. */
  folder(kind: string): string {
    const dir = `${this.dir}/${kind}-${this.#count++}`;
    storeIo('making', dir, () => mkdirSync(dir, { mode: 0o755 }));
    return dir;
  }

  async remove(idMap: IdMap | undefined): Promise<void> {
    try {
      await removeForeignTree(this.dir, idMap);
    } finally {
      closeSync(this.#lockFd);
    }
  }
}

/** undefined: a sweep took the folder for an abandoned one before it had its lock. */
function lockNew(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'wx+', 0o600);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  addon().flock(fd, 'exclusive', false);
  if (isStillAt(path, fd)) return fd;
  closeSync(fd);
  return undefined;
}
