// `system df -v`: what each image and each volume takes. Layers that several images have are shared, and go with the last.

import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import { listImageRows, type ImageRow } from '../image/list.ts';
import { listContainerUses } from '../store/containers.ts';
import type { ResolvedImage } from '../store/images.ts';
import { readTreeInfo } from '../store/layers.ts';
import { diskBytes } from '../store/usage.ts';
import { volumeUses } from '../volume/list.ts';
import { listVolumes } from '../volume/records.ts';

export interface ImageUsage extends ImageRow {
  /** Of layers that other images have too; the rest of `sizeBytes` would go with this one. */
  sharedBytes: number;
  /** How many containers were made from it. */
  containers: number;
}

export interface VolumeUsage {
  name: string;
  /** How many containers mount it. */
  links: number;
  sizeBytes: number;
}

/** As `images`, a row a name. */
export function imageUsage(parts: { paths: Paths; log: Log }): ImageUsage[] {
  const rows = listImageRows(parts, { filters: [] });
  const sizeOf = ({ chainId, blob }: ResolvedImage['layers'][number]): number =>
    readTreeInfo(parts.paths, chainId)?.sizeBytes ?? blob.size;
  const shared = sharedBytes(
    rows.flatMap(({ id, platforms }) => platforms.map(({ layers }) => ({ id, layers }))),
    sizeOf,
  );
  const uses = listContainerUses(parts.paths);
  return rows.map((row) => ({
    ...row,
    sharedBytes: row.platforms.reduce((sum, { layers }) => sum + shared({ id: row.id, layers }), 0),
    containers: uses.filter((use) => row.platforms.some(({ imageId }) => imageId === use.imageId)).length,
  }));
}

type Layered = Pick<ImageRow, 'id'> & Pick<ResolvedImage, 'layers'>;

/** Several names of one image are one image. (pure) */
export function sharedBytes(
  images: readonly Layered[],
  sizeOf: (layer: ResolvedImage['layers'][number]) => number,
): (image: Layered) => number {
  const owners = new Map<string, Set<string>>();
  for (const { id, layers } of images)
    for (const { chainId } of layers) owners.set(chainId, (owners.get(chainId) ?? new Set()).add(id));
  return ({ layers }) =>
    layers
      .filter(({ chainId }) => (owners.get(chainId)?.size ?? 0) > 1)
      .reduce((sum, layer) => sum + sizeOf(layer), 0);
}

/** Sorted by name. */
export function volumeUsage(paths: Paths): VolumeUsage[] {
  const uses = volumeUses(paths);
  return listVolumes(paths).map(({ name, dir }) => ({
    name,
    links: uses.get(name)?.length ?? 0,
    sizeBytes: diskBytes(dir),
  }));
}
