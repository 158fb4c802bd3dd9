// build-cache/mounts/: the directories of RUN --mount=type=cache. One for each id, owner and mode, as in BuildKit, so that a
// step never finds one it may not write to. `locked` and `private` are flocks, which the kernel frees with their holder.

import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { sha256OfText } from '../core/sha256.ts';
import type { IdMap } from '../native/plan.ts';
import { shelfDir } from '../store/build-cache.ts';
import { storeIo } from '../store/io.ts';
import { mapKeyOf, type StoreRoot } from '../store/layout.ts';
import { removeForeignTree } from '../store/layers.ts';
import { isStillAt, lock, tryLock, withLock, type Lock, type LockOptions } from '../store/lock.ts';
import type { CacheMount } from './dockerfile/ast.ts';

export interface HeldCache {
  /** Host path of what is mounted. */
  dir: string;
  release(): void;
}

/** Makes `name` in the folder: what the cache starts as. */
export type InitCache = (folder: string, name: string) => Promise<void>;

/** Where it is, or would be. `copy`: of those with `sharing=private`. */
export function mountPaths(
  root: StoreRoot,
  { id, uid, gid, mode }: Pick<CacheMount, 'id' | 'uid' | 'gid' | 'mode'>,
  idMap: IdMap | undefined,
  copy = 0,
): { base: string; lock: string; data: string } {
  const identity = [id, uid, gid, mode, mapKeyOf(idMap), copy];
  const base = `${shelfDir(root, 'mounts')}/${sha256OfText(JSON.stringify(identity))}`;
  return { base, lock: `${base}/lock`, data: `${base}/${DATA}` };
}

/**
 * The directory, made when missing. Everybody who uses it holds its lock: shared by default; `locked` waits until it has it
 * alone; `private` takes the next one that nobody has.
 */
export async function holdCache(
  root: StoreRoot,
  mount: CacheMount,
  idMap: IdMap | undefined,
  init: InitCache,
  options: LockOptions,
): Promise<HeldCache> {
  const { id, sharing, uid, gid, mode } = mount;
  for (let copy = 0; ; copy++) {
    const { base, lock: lockFile, data } = mountPaths(root, mount, idMap, copy);
    storeIo('making', base, () => {
      mkdirSync(base, { recursive: true, mode: 0o700 });
      if (!existsSync(`${base}/mount.json`))
        writeFileSync(`${base}/mount.json`, `${JSON.stringify({ id, uid, gid, mode })}\n`);
    });
    const held = await take(lockFile, sharing, options);
    if (held === undefined) continue;
    if (!isStillAt(lockFile, held.fd)) {
      // Taken away while we waited for it.
      held.release();
      copy--;
      continue;
    }
    try {
      await ensureData(base, idMap, init, options);
      return { dir: data, release: () => held.release() };
    } catch (error) {
      held.release();
      throw error;
    }
  }
}

const DATA = 'data';
const BEGUN = 'new';

/** Made beside its place and moved there whole: of two who find it missing, one makes it. */
async function ensureData(
  base: string,
  idMap: IdMap | undefined,
  init: InitCache,
  options: LockOptions,
): Promise<void> {
  if (existsSync(`${base}/${DATA}`)) return;
  await withLock(
    `${base}/init.lock`,
    'exclusive',
    async () => {
      if (existsSync(`${base}/${DATA}`)) return;
      await removeForeignTree(`${base}/${BEGUN}`, idMap);
      await init(base, BEGUN);
      storeIo('making', base, () => renameSync(`${base}/${BEGUN}`, `${base}/${DATA}`));
    },
    options,
  );
}

async function take(
  path: string,
  sharing: CacheMount['sharing'],
  options: LockOptions,
): Promise<Lock | undefined> {
  if (sharing === 'locked') return await lock(path, 'exclusive', options);
  if (sharing === 'shared') return await lock(path, 'shared', options);
  return tryLock(path, 'exclusive');
}
