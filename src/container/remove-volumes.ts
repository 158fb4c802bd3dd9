// Removing volumes: containers first. A --rm container whose keeper was killed uses nothing any more, but only a sweep of
// the containers finds that out.

import { EngineError } from '../core/errors.ts';
import type { StoreRoot } from '../store/layout.ts';
import { pruneVolumes, removeVolume, type PrunedVolumes } from '../volume/remove.ts';
import { everyIdWeHave, sweepDead } from './remove.ts';

/** @throws VOLUME_NOT_FOUND unless `force`, VOLUME_IN_USE (exit status 1) */
export async function removeNamedVolume(
  { paths }: { paths: StoreRoot },
  name: string,
  force: boolean,
): Promise<void> {
  await sweepDead(paths);
  try {
    await removeVolume(paths, name, everyIdWeHave());
  } catch (error) {
    if (!(force && error instanceof EngineError && error.code === 'VOLUME_NOT_FOUND')) throw error;
  }
}

/** all: named ones too. filters: `label=…`, `label!=…`. @throws USAGE */
export async function pruneUnusedVolumes(
  { paths }: { paths: StoreRoot },
  options: { all: boolean; filters: readonly string[] },
): Promise<PrunedVolumes> {
  await sweepDead(paths);
  return await pruneVolumes(paths, { ...options, idMap: everyIdWeHave() });
}
