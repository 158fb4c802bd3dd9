// `builder prune`: takes build-cache/ away, or what of it was of no use for a while. Layers that only it kept go with the next
// collection of garbage.

import * as fs from 'node:fs';
import { namesIn } from '../core/fs.ts';
import type { IdMap } from '../native/plan.ts';
import { listCached, RECORD_SHELVES, removeCached, shelfDir } from './build-cache.ts';
import { pruneBuildHistory } from './build-history.ts';
import { isDeadTemp } from './io.ts';
import { removeForeignTree } from './layers.ts';
import type { StoreRoot } from './layout.ts';
import { tryLock } from './lock.ts';
import { diskBytes } from './usage.ts';

export interface PrunedCache {
  steps: string[];
  mounts: string[];
  /** Of what was removed here; layers come on top. */
  bytes: number;
}

/** @param isOld says so of a time, in milliseconds since the epoch. Directories that a step uses just now are left alone. */
export async function pruneCache(
  root: StoreRoot,
  isOld: (lastUsedMs: number) => boolean,
  idMap: IdMap | undefined,
): Promise<PrunedCache> {
  const pruned: PrunedCache = { steps: [], mounts: [], bytes: 0 };
  for (const shelf of RECORD_SHELVES) {
    const dir = shelfDir(root, shelf);
    for (const name of namesIn(dir)) if (isDeadTemp(name)) fs.rmSync(`${dir}/${name}`, { force: true });
    for (const { key, lastUsedMs } of listCached(root, shelf)) {
      if (!isOld(lastUsedMs)) continue;
      removeCached(root, shelf, key);
      if (shelf === 'steps') pruned.steps.push(key);
    }
  }
  for (const name of namesIn(shelfDir(root, 'mounts'))) {
    const dir = `${shelfDir(root, 'mounts')}/${name}`;
    const used = fs.statSync(`${dir}/lock`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (!isOld(used)) continue;
    const held = tryLock(`${dir}/lock`, 'exclusive');
    if (held === undefined) continue;
    try {
      pruned.bytes += diskBytes(`${dir}/data`);
      await removeForeignTree(dir, idMap);
      pruned.mounts.push(name);
    } finally {
      held.release();
    }
  }
  pruneBuildHistory(root, isOld);
  return pruned;
}
