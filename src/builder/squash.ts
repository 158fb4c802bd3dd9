// --squash: the layers of a build become one. The steps keep theirs in the cache.

import type { Digest } from '../core/digest.ts';
import { squashTrees } from '../image/layer/squash.ts';
import type { EnsureLayersParts } from '../image/ensure-layers.ts';
import type { IdMap } from '../native/plan.ts';
import type { CachedLayer } from '../store/build-cache.ts';
import { NewBlob } from '../store/new-blob.ts';
import { keepBlob, namingDisk, treesOf } from './layer-store.ts';

/** `new`: those of this build; `all`: the base's too. */
export type SquashMode = 'new' | 'all';

export interface SquashOptions {
  /** What stays below, bottom first. */
  below: readonly CachedLayer[];
  /** What becomes one, bottom first. */
  layers: readonly CachedLayer[];
  idMap: IdMap | undefined;
  /** Gets the digest of the blob before that has its name. */
  added: Set<Digest>;
}

/** @returns one layer; none when they change nothing; a single one as it is. @throws NO_SPACE, IO, CANCELLED */
export async function squashLayers(
  parts: EnsureLayersParts,
  { below, layers, idMap, added }: SquashOptions,
): Promise<readonly CachedLayer[]> {
  if (layers.length <= 1) return layers;
  const all = await treesOf(parts, [...below, ...layers], idMap);
  const blob = new NewBlob(parts.paths);
  try {
    const trees = { trees: all.slice(below.length).reverse(), lowerTrees: all.slice(0, below.length) };
    const built = await squashTrees(trees, { file: blob.fd, idMap, doing: 'squashing the layers' });
    for (const note of built.notes) parts.log.warn(note);
    return built.entries === 0 ? [] : [keepBlob(blob, built, added)];
  } catch (error) {
    throw namingDisk(parts.paths, error);
  } finally {
    blob.discard();
  }
}
