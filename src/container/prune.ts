// Removing every container that has ended: the container part of `system prune`.

import type { Paths } from '../core/paths.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { writableBytes } from './list.ts';
import { isAlive, listIds, readSpec } from './records.ts';
import { removeContainer, sweepDead } from './remove.ts';

export interface PrunedContainers {
  ids: ContainerId[];
  bytes: number;
}

/** may: which of them; all by default. One that comes to life meanwhile stays. */
export async function pruneContainers(
  paths: Paths,
  may: (spec: ContainerSpec) => boolean = () => true,
): Promise<PrunedContainers> {
  const pruned: PrunedContainers = { ids: await sweepDead(paths), bytes: 0 };
  for (const id of listIds(paths)) {
    const spec = readSpec(paths, id);
    if (spec === undefined || isAlive(paths, id) || !may(spec)) continue;
    const bytes = writableBytes(paths, spec);
    await removeContainer(paths, spec, { force: false });
    pruned.ids.push(id);
    pruned.bytes += bytes;
  }
  return pruned;
}
