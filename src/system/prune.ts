// `system prune`, the part that is about images: those without a use, blobs and trees that nothing needs, and whatever
// killed processes left. Deletes by unlinking alone, so it also helps on a full disk.

import { statSync } from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { hasLabel } from '../core/labels.ts';
import type { Log } from '../core/log.ts';
import { parsePruneFilter } from '../core/prune-filter.ts';
import type { Paths } from '../core/paths.ts';
import { createdMs } from '../image/list.ts';
import { pruneImages, type Removed } from '../image/rm.ts';
import type { IdMap } from '../native/plan.ts';
import { collectGarbage, sweepLeftovers } from '../store/gc.ts';
import type { ResolvedImage } from '../store/images.ts';
import { isStore } from '../store/init.ts';
import { blobFile, type StoreRoot } from '../store/layout.ts';
import { sweepParts } from '../volume/fill.ts';

export interface PruneOptions {
  /** Every image without a container, not only those without a name. */
  all: boolean;
  /** `until=24h`, `until=2026-01-02`, `label=KEY[=VALUE]`, `label!=…` */
  filters: readonly string[];
  /** The widest map of the caller. */
  idMap: IdMap | undefined;
  nowMs: number;
}

export interface Pruned {
  images: Pick<Removed, 'untagged' | 'deleted'>;
  /** Blobs and trees that belonged to no image. */
  loose: Digest[];
  bytes: number;
}

/** @throws USAGE for an unknown filter */
export async function pruneStore(parts: { paths: Paths; log: Log }, options: PruneOptions): Promise<Pruned> {
  const { paths, log } = parts;
  const tests = options.filters.map((filter) => parsePruneFilter(filter, options.nowMs));
  if (!isStore(paths)) return { images: { untagged: [], deleted: [] }, loose: [], bytes: 0 };
  const keep = (image: ResolvedImage): boolean =>
    !tests.every((test) =>
      test({
        // A build that can be repeated says a fixed time, an image may come today and be old: what is new here stays.
        createdMs: Math.max(createdMs(image), storedMs(paths, image)),
        hasLabel: (text) => hasLabel(image.config.Labels ?? {}, text),
      }),
    );
  // Leftovers first: on a full disk they make the room that taking names away needs.
  const swept =
    (await sweepLeftovers(paths, { idMap: options.idMap, parts: true })) +
    (await sweepParts(paths, options.idMap));
  const images = await pruneImages(parts, { all: options.all, idMap: options.idMap, keep });
  const garbage = await collectGarbage(paths, { idMap: options.idMap });
  if (garbage === undefined)
    log.info('another skiff is adding images: run "skiff system prune" again later for the rest');
  return {
    images: { untagged: images.untagged, deleted: images.deleted },
    loose: [...(garbage?.trees ?? []), ...(garbage?.blobs ?? [])],
    bytes: swept + images.bytes + (garbage?.bytes ?? 0),
  };
}

/** When the image came into the store. */
function storedMs(root: StoreRoot, { imageId }: ResolvedImage): number {
  return statSync(blobFile(root, imageId), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** docker's lines. (pure) */
export function prunedLines({ images, loose }: Pruned): string[] {
  return [
    ...images.untagged.map((name) => `untagged: ${name}`),
    ...[...images.deleted, ...loose].map((id) => `deleted: ${id}`),
  ];
}
