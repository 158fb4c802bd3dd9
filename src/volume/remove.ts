// Removing volumes: one by name, or all that nobody uses. A volume vanishes by one rename, under its lock, after a look at
// every container; whoever is just making a container with it holds that lock too.

import { EngineError } from '../core/errors.ts';
import { hasLabel } from '../core/labels.ts';
import type { IdMap } from '../native/plan.ts';
import { listContainerUses } from '../store/containers.ts';
import { logPrune } from '../store/event-log.ts';
import { trash } from '../store/layers.ts';
import { volumesDir, type StoreRoot } from '../store/layout.ts';
import { diskBytes } from '../store/usage.ts';
import { tryHoldVolume } from './hold.ts';
import { volumeUses } from './list.ts';
import { findVolume, getVolume, isAnonymous, listVolumes, logVolumeEvent, type Volume } from './records.ts';

/**
 * @param idMap the widest of the caller: it covers the owners of every file
 * @throws VOLUME_NOT_FOUND, VOLUME_IN_USE (exit status 1)
 */
export async function removeVolume(root: StoreRoot, name: string, idMap: IdMap | undefined): Promise<void> {
  const users = await removeUnused(root, getVolume(root, name), idMap);
  if (users === undefined) return;
  throw new EngineError('VOLUME_IN_USE', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
    hint: users.length === 0 ? undefined : 'remove the container first: skiff rm CONTAINER',
    exitCode: 1,
  });
}

/** Those of `names` that nobody uses any more; the others stay, without a word. */
export async function removeVolumesIfUnused(
  root: StoreRoot,
  names: readonly string[],
  idMap: IdMap | undefined,
): Promise<void> {
  for (const name of new Set(names)) {
    const volume = findVolume(root, name);
    if (volume !== undefined) await removeUnused(root, volume, idMap);
  }
}

export interface PruneVolumesOptions {
  /** Named ones too. */
  all: boolean;
  /** `label=KEY[=VALUE]`, `label!=…`; `all=true` is docker's older spelling of --all. */
  filters: readonly string[];
  idMap: IdMap | undefined;
}

export interface PrunedVolumes {
  names: string[];
  bytes: number;
}

/** @throws USAGE for an unknown filter */
export async function pruneVolumes(root: StoreRoot, options: PruneVolumesOptions): Promise<PrunedVolumes> {
  const { idMap } = options;
  const tests = options.filters.map(parsePruneFilter);
  const pruned: PrunedVolumes = { names: [], bytes: 0 };
  const all = options.all || options.filters.some((filter) => /^all=(true|1)$/i.test(filter));
  const uses = volumeUses(root);
  for (const volume of listVolumes(root)) {
    if (uses.has(volume.name) || !(all || isAnonymous(volume)) || !tests.every((test) => test(volume)))
      continue;
    const bytes = diskBytes(volume.dir);
    if ((await removeUnused(root, volume, idMap)) !== undefined) continue;
    pruned.names.push(volume.name);
    pruned.bytes += bytes;
  }
  logPrune(root, 'volume', pruned.bytes);
  return pruned;
}

/** (pure) True: it may go. @throws USAGE */
export function parsePruneFilter(filter: string): (volume: Pick<Volume, 'labels'>) => boolean {
  const [, key, value = ''] = /^(label|label!|all)=(.+)$/.exec(filter) ?? [];
  if (key === 'label') return (volume) => hasLabel(volume.labels, value);
  if (key === 'label!') return (volume) => !hasLabel(volume.labels, value);
  if (key === 'all' && /^(true|false|0|1)$/i.test(value)) return () => true;
  throw new EngineError('USAGE', `reading filter ${JSON.stringify(filter)}: unknown filter`, {
    hint: 'filters are label=KEY[=VALUE], label!=KEY[=VALUE] and all=true',
  });
}

/** undefined: it is gone. Else the containers that use it; none when one is just being made. */
async function removeUnused(
  root: StoreRoot,
  volume: Volume,
  idMap: IdMap | undefined,
): Promise<string[] | undefined> {
  // Those of a --rm container go with it.
  if (!volume.dir.startsWith(`${volumesDir(root)}/`)) return usersOf(root, volume);
  const held = tryHoldVolume(volume);
  if (held === undefined) return undefined;
  if (held === 'busy') return usersOf(root, volume);
  try {
    const since = usersOf(root, volume);
    if (since.length > 0) return since;
    await trash(volume.dir, idMap);
    logVolumeEvent(root, volume.name, 'destroy');
    return undefined;
  } finally {
    held.release();
  }
}

function usersOf(root: StoreRoot, { name }: Volume): string[] {
  return listContainerUses(root)
    .filter(({ volumes }) => volumes.includes(name))
    .map(({ id }) => id);
}
