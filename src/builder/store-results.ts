// What a build comes to: the image of each platform, and of several an index of them, with their names.

import type { Digest } from '../core/digest.ts';
import { hostPlatform } from '../core/platform.ts';
import { readBase, storeNewImage } from '../image/new-image.ts';
import { storeNewIndex } from '../image/new-index.ts';
import { MEDIA_TYPE, type Platform } from '../oci/image.ts';
import { getBlob } from '../store/blobs.ts';
import { manifestDescriptor, type ResolvedImage } from '../store/images.ts';
import { annotationsOf } from './annotations.ts';
import type { BuildRequest } from './build.ts';
import { inlineCache, type CacheContent } from './cache-transfer/content.ts';
import type { EvaluatedStage } from './evaluate.ts';
import { finalConfig, historyEntry, squashedHistory } from './image-config.ts';
import type { BuildIds, BuildParts } from './parts.ts';
import { storedLayers, type Snapshot } from './snapshot.ts';
import { squashLayers } from './squash.ts';

export interface StageResult {
  stage: EvaluatedStage;
  snapshot: Snapshot;
  /** What another machine could use of it, where that was asked for. */
  cache: CacheContent | undefined;
}

export interface StoredResult {
  /** With the index that it is of, if it was built for several platforms. */
  image: ResolvedImage;
  /** Of each platform, in the order asked for. */
  platforms: readonly ResolvedImage[];
}

interface Into {
  parts: BuildParts;
  ids: BuildIds;
  request: BuildRequest;
  added: Set<Digest>;
}

/** @throws what storeNewImage throws */
export async function storeResults(into: Into, results: readonly StageResult[]): Promise<StoredResult> {
  const { platforms } = into.request;
  const images: ResolvedImage[] = [];
  for (const [i, result] of results.entries())
    images.push(await storeOne(into, result, platforms[i], results.length > 1));
  const image = images.length > 1 ? await storeIndex(into, images) : (images[0] as ResolvedImage);
  return { image, platforms: images };
}

/** isPart: of an index, which gets the names. */
async function storeOne(
  { parts, ids, request, added }: Into,
  { stage, snapshot, cache }: StageResult,
  platform: Platform | undefined,
  isPart: boolean,
): Promise<ResolvedImage> {
  const { tags, created, labels, unset, annotations, keepsImage, squash } = request;
  const base =
    stage.image === undefined
      ? undefined
      : readBase(parts.paths, stage.image.manifestDigest, `image "${stage.image.reference}"`);
  const layers = await storedLayers(snapshot);
  const made = await Promise.all(snapshot.made);
  let step = 0;
  const history = stage.lines.map((line) =>
    historyEntry(line.createdBy, !line.makesStep || made[step++] !== true, created),
  );
  const all = squash === 'all';
  const below = layers.slice(0, all ? 0 : (stage.image?.layers.length ?? 0));
  const own = layers.slice(below.length);
  const { idMap } = ids;
  const kept = squash === undefined ? own : await squashLayers(parts, { below, layers: own, idMap, added });
  return await storeNewImage(parts, {
    doing: 'exporting the image',
    references: isPart ? [] : tags,
    isKept: !isPart && keepsImage,
    base: all ? undefined : base,
    layers: kept,
    added,
    platform: stage.image?.platform ?? platform ?? hostPlatform(process.arch),
    config: finalConfig(stage.config, { labels, unset }),
    author: stage.author,
    created,
    history:
      kept === own
        ? history
        : squashedHistory(
            [...(all ? (base?.config.history ?? []) : []), ...history],
            own.length,
            kept.length,
            created,
          ),
    annotations: {
      ...annotationsOf(annotations, 'manifest', platform),
      ...(request.cache?.inline === true && cache !== undefined ? inlineCache(cache, layers) : {}),
    },
    idMap,
  });
}

async function storeIndex(
  { parts: { paths }, request, added }: Into,
  images: readonly ResolvedImage[],
): Promise<ResolvedImage> {
  const { tags, keepsImage, annotations, platforms } = request;
  return await storeNewIndex(paths, {
    ...{ references: tags, isKept: keepsImage, added },
    manifests: images.map(({ manifestDigest }, i) => {
      const platform = platforms[i] as Platform;
      const descriptor = manifestDescriptor(getBlob(paths, manifestDigest), MEDIA_TYPE.manifest, platform);
      const own = annotationsOf(annotations, 'manifest-descriptor', platform);
      return Object.keys(own).length === 0 ? descriptor : { ...descriptor, annotations: own };
    }),
    annotations: annotationsOf(annotations, 'index'),
  });
}
