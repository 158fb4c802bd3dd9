// `builder prune`.

import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import { EngineError } from '../core/errors.ts';
import { parsePruneFilter } from '../core/prune-filter.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import { collectGarbage } from '../store/gc.ts';
import { isStore } from '../store/init.ts';
import { pruneCache } from '../store/prune-cache.ts';

export interface PruneParts {
  paths: Paths;
  log: Log;
  env: Readonly<Record<string, string | undefined>>;
  hostUid: number;
  hostGid: number;
}

/** Forgets what no build has used since the times of `filters` (until=…), or everything. @throws USAGE */
export async function pruneBuilder(
  parts: PruneParts,
  filters: readonly string[],
): Promise<{ steps: string[]; bytes: number }> {
  const nowMs = Date.now();
  const other = filters.find((filter) => !filter.startsWith('until='));
  if (other !== undefined)
    throw new EngineError(
      'USAGE',
      `reading filter "${other}": the build cache knows until=DURATION or until=TIME`,
    );
  const tests = filters.map((filter) => parsePruneFilter(filter, nowMs));
  if (!isStore(parts.paths)) return { steps: [], bytes: 0 };
  const { idMap } = chooseIdMap(readIdMapInput(parts, undefined));
  const isOld = (createdMs: number): boolean =>
    tests.every((test) => test({ createdMs, hasLabel: () => false }));
  const { steps, bytes } = await pruneCache(parts.paths, isOld, idMap);
  const garbage = await collectGarbage(parts.paths, { idMap });
  if (garbage === undefined)
    parts.log.info('another skiff is adding images: run "skiff system prune" later for the layers');
  return { steps, bytes: bytes + (garbage?.bytes ?? 0) };
}
