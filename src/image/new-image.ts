// An image that is made here: more layers on another image, or on nothing. Everything of it is in the store, its trees
// included, before it gets a name.

import type { Config } from '../core/config.ts';
import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { IdMap } from '../native/plan.ts';
import {
  MEDIA_TYPE,
  type Descriptor,
  type HistoryEntry,
  type ImageConfig,
  type ImageConfigSection,
  type Manifest,
  type Platform,
} from '../oci/image.ts';
import { getBlob, putBlob } from '../store/blobs.ts';
import {
  manifestDescriptor,
  manifestNamed,
  platformOf,
  publishImage,
  publishUnnamed,
  resolveImage,
  type ResolvedImage,
} from '../store/images.ts';
import { parseConfig, parseManifest } from '../store/parse.ts';
import { logImageEvent } from './log-event.ts';
import { displayReference } from './names.ts';
import type { NewLayer } from './new-layer.ts';
import { storeLayers } from './store-layers.ts';

export interface NewImageParts {
  paths: Paths;
  config: () => Pick<Config, 'parallelDownloads'>;
  log: Log;
  signal: AbortSignal;
}

export interface BaseImage {
  manifest: Manifest;
  config: ImageConfig;
}

export interface NewImage {
  /** First words of errors. */
  doing: string;
  /** Full references; none leaves it dangling. */
  references: readonly string[];
  /** False: without a name, nothing of it is kept. */
  isKept?: boolean;
  base: BaseImage | undefined;
  /** On top of the base's. */
  layers: readonly Pick<NewLayer, 'diffId' | 'blob'>[];
  added: Set<Digest>;
  platform: Platform;
  config: ImageConfigSection;
  author: string | undefined;
  /** After the base's. */
  history: readonly HistoryEntry[];
  /** RFC 3339 */
  created: string;
  /** Of the manifest. */
  annotations?: Record<string, string>;
  /** The trees for this map are made at once. */
  idMap: IdMap | undefined;
}

/** The base of a new image, by the digest of its manifest. @throws STORE_INVALID */
export function readBase(paths: Paths, manifestDigest: Digest, what: string): BaseImage {
  const manifest = parseManifest(getBlob(paths, manifestDigest), what);
  return { manifest, config: parseConfig(getBlob(paths, manifest.config.digest), manifest, what) };
}

/**
 * Unpacks layers that have no tree yet, by the rules for hostile ones, and publishes the image under all of its names. Its
 * blobs are noted in `added` (adding.ts).
 * @throws LAYER_*, NO_SPACE, IO, CANCELLED
 */
export async function storeNewImage(parts: NewImageParts, wanted: NewImage): Promise<ResolvedImage> {
  const { paths } = parts;
  const { references, layers, added, annotations } = wanted;
  const config = configOf(wanted);
  const configBytes = jsonBytes(config);
  const configDigest = putBlob(paths, configBytes);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: { mediaType: MEDIA_TYPE.config, digest: configDigest, size: configBytes.length },
    layers: [...(wanted.base?.manifest.layers ?? []), ...layers.map(({ blob }) => blob)].map(asOciLayer),
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  const manifestBytes = jsonBytes(manifest);
  const manifestDigest = putBlob(paths, manifestBytes);
  for (const digest of [...layers.map(({ blob }) => blob.digest), configDigest, manifestDigest])
    added.add(digest);
  const resolve = (): ResolvedImage =>
    resolveImage(paths, references[0] ?? '', manifestDigest, manifest, config);
  await storeLayers(parts, resolve(), {
    idMap: wanted.idMap,
    doing: wanted.doing,
    fetch: ({ digest }) =>
      Promise.reject(
        new EngineError('STORE_INVALID', `${wanted.doing}: blob "${digest}" is missing from the store`),
      ),
  });
  const image = resolve();
  const descriptor = manifestDescriptor(manifestBytes, MEDIA_TYPE.manifest, platformOf(config));
  if (references.length === 0 && wanted.isKept !== false) await publishUnnamed(paths, descriptor);
  // A name that means this image already is left alone: nothing is written, and nothing waited for.
  for (const reference of references.filter((name) => manifestNamed(paths, name) !== manifestDigest)) {
    await publishImage(paths, { ...image, reference }, { reference, manifest: descriptor });
    logImageEvent(paths, image, 'tag', displayReference(reference));
  }
  return image;
}

function configOf({ base, platform, config, author, history, created, layers }: NewImage): ImageConfig {
  return {
    created,
    ...(author === undefined ? {} : { author }),
    ...platform,
    config,
    rootfs: {
      type: 'layers',
      diff_ids: [...(base?.config.rootfs.diff_ids ?? []), ...layers.map(({ diffId }) => diffId)],
    },
    history: [...historyOf(base), ...history],
  };
}

/** As many entries as layers, or none: a history that does not fit would be read as another image's. */
function historyOf(base: BaseImage | undefined): HistoryEntry[] {
  if (base === undefined) return [];
  const history = base.config.history ?? [];
  const layers = history.filter((entry) => entry.empty_layer !== true).length;
  const missing = base.manifest.layers.length - layers;
  return missing > 0 ? [...history, ...Array.from({ length: missing }, (): HistoryEntry => ({}))] : history;
}

const OCI_TYPES: Readonly<Record<string, string>> = {
  [MEDIA_TYPE.dockerLayerGzip]: MEDIA_TYPE.layerGzip,
  [MEDIA_TYPE.dockerLayerTar]: MEDIA_TYPE.layerTar,
};

/** The same blob in the words of an OCI manifest: its types may not be mixed with docker's. */
function asOciLayer({ mediaType, ...rest }: Descriptor): Descriptor {
  return { mediaType: OCI_TYPES[mediaType] ?? mediaType, ...rest };
}

function jsonBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
