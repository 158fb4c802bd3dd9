// Removing every container that does not run: `container prune`, and the container part of `system prune`.

import { EngineError } from '../core/errors.ts';
import { hasLabel } from '../core/labels.ts';
import type { Paths } from '../core/paths.ts';
import { parsePruneFilter } from '../core/prune-filter.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { logPrune } from '../store/event-log.ts';
import { writableBytes } from './list.ts';
import { dropStaleNames, isAlive, listIds, readSpec } from './records.ts';
import { removeContainer, sweepDead, sweepTrash } from './remove.ts';

export interface PrunedContainers {
  ids: ContainerId[];
  bytes: number;
}

/** --filter texts as a test of containers. @throws USAGE */
export function pruneFilter(texts: readonly string[], nowMs: number): (spec: ContainerSpec) => boolean {
  const tests = texts.map((text) => parsePruneFilter(text, nowMs));
  return ({ createdAt, config: { labels } }) => {
    const thing = { createdMs: Date.parse(createdAt), hasLabel: (text: string) => hasLabel(labels, text) };
    return tests.every((test) => test(thing));
  };
}

/** may: which of them; all by default. One that comes to life meanwhile stays. */
export async function pruneContainers(
  paths: Paths,
  may: (spec: ContainerSpec) => boolean = () => true,
): Promise<PrunedContainers> {
  const pruned: PrunedContainers = { ids: await sweepDead(paths), bytes: 0 };
  dropStaleNames(paths);
  await sweepTrash(paths);
  for (const id of listIds(paths)) {
    const spec = readSpec(paths, id);
    if (spec === undefined || isAlive(paths, id) || !may(spec)) continue;
    const bytes = writableBytes(paths, spec);
    try {
      await removeContainer(paths, spec, { force: false });
    } catch (error) {
      if (error instanceof EngineError && error.code === 'CONTAINER_RUNNING') continue;
      throw error;
    }
    pruned.ids.push(id);
    pruned.bytes += bytes;
  }
  logPrune(paths, 'container', pruned.bytes);
  return pruned;
}
