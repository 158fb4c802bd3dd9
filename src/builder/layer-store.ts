// Layers of steps into the store, off the critical path: as soon as an upper directory has settled the next step may use
// it; meanwhile its tar is written, and then both get their names (docs/decisions/0023).

import { renameSync } from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import { ensureLayerTrees, type EnsureLayersParts } from '../image/ensure-layers.ts';
import { startBuiltLayer, type BuiltLayer } from '../image/layer/built-layer.ts';
import type { SettleRules } from '../image/layer/settle.ts';
import type { IdMap } from '../native/plan.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import type { CachedLayer } from '../store/build-cache.ts';
import type { ResolvedImage } from '../store/images.ts';
import { mapKeyOf, treeDir, type StoreRoot } from '../store/layout.ts';
import { TreeStage } from '../store/layers.ts';
import { noSpace } from '../store/io.ts';
import { NewBlob } from '../store/new-blob.ts';
import { chainsOf, storedLayers, type FreshLayer, type Snapshot } from './snapshot.ts';

/** Host paths of the layers' trees, bottom first; missing ones are unpacked. */
export async function treesOf(
  parts: EnsureLayersParts,
  layers: readonly CachedLayer[],
  idMap: IdMap | undefined,
): Promise<string[]> {
  return await ensureLayerTrees(parts, stackOf(layers), idMap);
}

/** Layers alone, in the form of an image. */
export function stackOf(layers: readonly CachedLayer[]): ResolvedImage {
  const chains = chainsOf(layers);
  const none = '' as Digest;
  return {
    ...{ reference: 'build cache', imageId: none, manifestDigest: none, sizeBytes: 0, config: {} },
    platform: { os: 'linux', architecture: '' },
    layers: layers.map((layer, i) => ({ ...layer, chainId: chains[i] as Digest })),
  };
}

export interface UpperOfStep {
  upper: string;
  below: Snapshot;
  rules: SettleRules;
  idMap: IdMap | undefined;
  /** First words of errors. */
  doing: string;
  /** Gets the digest of the blob before that has its name. */
  added: Set<Digest>;
}

/**
 * The layer as a file of the store is `stored`, which also tells what goes wrong on the way there. It gets there even when the
 * build fails or is cancelled meanwhile: the step is done, and the next build need not do it again.
 */
export async function keepLayer(
  parts: EnsureLayersParts,
  step: UpperOfStep,
): Promise<FreshLayer & { sizeBytes: Promise<number> }> {
  const { paths } = parts;
  const blob = new NewBlob(paths);
  const below = storedLayers(step.below);
  const making = startBuiltLayer(
    step.upper,
    below.then((layers) => treesOf(parts, layers, step.idMap)),
    step.rules,
    { file: blob.fd, idMap: step.idMap, doing: step.doing },
  );
  let dir = step.upper;
  const store = async (): Promise<CachedLayer | undefined> => {
    try {
      const built = await making.done;
      for (const note of built.notes) parts.log.warn(note);
      if (built.entries === 0) return undefined;
      const layer = keepBlob(blob, built, step.added);
      dir = await publishTree(paths, step, built, [...(await below), layer]);
      return layer;
    } catch (error) {
      throw namingDisk(paths, error);
    } finally {
      blob.discard();
    }
  };
  const stored = store();
  stored.catch(() => {});
  const sizeBytes = making.done.then((built) => built.sizeBytes);
  sizeBytes.catch(() => {});
  await making.settled;
  return {
    get dir() {
      return dir;
    },
    stored,
    sizeBytes,
  };
}

/** A disk that is full is one of several: which, and how to get on. */
export function namingDisk({ graphRoot }: StoreRoot, error: unknown): unknown {
  if (!(error instanceof EngineError) || error.code !== 'NO_SPACE' || error.hint !== undefined) return error;
  return noSpace(
    `${error.message}: the disk of the store ${JSON.stringify(graphRoot)} is full`,
    undefined,
    error,
  );
}

/** Uncompressed: its digest is the diff id, whatever compressor a later push uses. */
export function keepBlob(
  blob: NewBlob,
  { diffId, tarBytes }: Pick<BuiltLayer, 'diffId' | 'tarBytes'>,
  added: Set<Digest>,
): CachedLayer {
  added.add(diffId);
  blob.commitAs(diffId, tarBytes);
  return { diffId, blob: { mediaType: MEDIA_TYPE.layerTar, digest: diffId, size: tarBytes } };
}

/** Moves the upper directory to where the tree of the layer belongs. @returns where its files are now */
async function publishTree(
  root: StoreRoot,
  { upper, idMap }: UpperOfStep,
  { diffId, sizeBytes, entries }: BuiltLayer,
  layers: readonly CachedLayer[],
): Promise<string> {
  const chainId = chainsOf(layers).at(-1) as Digest;
  const stage = await TreeStage.open(root, idMap, chainId);
  if (stage === undefined) return upper; // the same layer was there
  try {
    renameSync(upper, stage.dir);
  } catch (error) {
    await stage.discard();
    // A directory of another id cannot be moved: the tree is unpacked from the blob when somebody needs it.
    if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM') return upper;
    throw error;
  }
  stage.writeInfo({ diffId, sizeBytes, entries });
  stage.publish();
  return treeDir(root, mapKeyOf(idMap), chainId);
}
