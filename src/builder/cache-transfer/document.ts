// What a cache says of itself: which results of steps its layers are. A small JSON document, the config of an OCI manifest
// whose layers are the blobs. It may come from anybody: nothing of it is used before it went through here. (pure)

import { isDigest, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import { MEDIA_TYPE, type Descriptor } from '../../oci/image.ts';
import { BUILD_CACHE_VERSION } from '../../store/build-cache.ts';
import { MAX_LAYERS, parseObject } from '../../store/parse.ts';

export const CACHE_CONFIG_TYPE = 'application/vnd.io.skiff.build-cache.v1+json';
/** Of an image's manifest that holds the document itself (--cache-to type=inline). */
export const INLINE_ANNOTATION = 'io.skiff.build-cache';

/** As much as a client takes of a small blob. */
const MAX_DOCUMENT_BYTES = 16 * 2 ** 20;
/** mkdir(2) and an id map take no more. */
const MAX_MODE = 0o7777;
const MAX_ID = 2 ** 32 - 2;

export interface TransferredLayer {
  diffId: Digest;
  blob: Descriptor;
}

export interface TransferredStep {
  /** Those above the image that the stage is built on, bottom first. */
  layers: readonly TransferredLayer[];
  /** As of StepRecord. */
  made: readonly boolean[];
  sizeBytes: number;
}

/** What names a directory of RUN --mount=type=cache. */
export interface MountIdentity {
  id: string;
  uid: number;
  gid: number;
  mode: number;
}

export interface TransferredMount extends MountIdentity {
  /** Its content, without the directory itself. */
  layer: TransferredLayer;
}

export interface CacheDocument {
  /** By key. */
  steps: ReadonlyMap<string, TransferredStep>;
  /** As of build-cache/contents. */
  contents: ReadonlyMap<string, Digest>;
  mounts: readonly TransferredMount[];
}

/** Equal content, equal bytes: entries are sorted, and nothing in it tells when or where. `layers`: those of the manifest. */
export function encodeDocument(
  { steps, contents, mounts }: CacheDocument,
  layers: readonly TransferredLayer[],
): Buffer {
  const numbers = new Map(layers.map(({ diffId }, i) => [diffId, i]));
  const numberOf = ({ diffId }: TransferredLayer): number => numbers.get(diffId) as number;
  const stepOf = (step: TransferredStep): object => ({ ...step, layers: step.layers.map(numberOf) });
  return Buffer.from(
    JSON.stringify({
      version: BUILD_CACHE_VERSION,
      diffIds: layers.map(({ diffId }) => diffId),
      steps: Object.fromEntries(sorted(steps).map(([key, step]) => [key, stepOf(step)])),
      contents: Object.fromEntries(sorted(contents)),
      mounts: mounts.map(({ id, uid, gid, mode, layer }) => ({ id, uid, gid, mode, layer: numberOf(layer) })),
    }),
  );
}

function sorted<V>(map: ReadonlyMap<string, V>): [string, V][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * @param blobs the layers of the manifest that has it
 * @param what for messages
 * @throws IMAGE_INVALID for what is no such document, or one of another version
 */
export function parseDocument(bytes: Uint8Array, blobs: readonly Descriptor[], what: string): CacheDocument {
  const fail = (cause: string): EngineError => new EngineError('IMAGE_INVALID', `reading ${what}: ${cause}`);
  const json = parseObject(bytes, what, MAX_DOCUMENT_BYTES);
  if (json['version'] !== BUILD_CACHE_VERSION) throw fail('it is of another version of skiff');
  const diffIds = json['diffIds'];
  if (!isListOf(diffIds, isDigestText) || diffIds.length !== blobs.length)
    throw fail('its layers are not those of its manifest');
  const layers = diffIds.map((diffId, i) => ({ diffId, blob: blobs[i] as Descriptor }));
  const layerOf = (number: unknown): TransferredLayer => {
    const layer = typeof number === 'number' ? layers[number] : undefined;
    if (layer === undefined || !LAYER_TYPES.includes(layer.blob.mediaType))
      throw fail('it names a layer that is none');
    const { mediaType, digest, size } = layer.blob;
    return { diffId: layer.diffId, blob: { mediaType, digest, size } };
  };
  const stepOf = ([key, value]: [string, unknown]): [string, TransferredStep] => {
    if (!isKey(key) || !isStep(value)) throw fail('it holds something that is no step');
    const { sizeBytes, made } = value;
    return [key, { layers: value.layers.map(layerOf), made, sizeBytes }];
  };
  const contentOf = ([key, value]: [string, unknown]): [string, Digest] => {
    if (!isKey(key) || !isDigestText(value)) throw fail('it holds something that is no digest');
    return [key, value];
  };
  const mountOf = (value: unknown): TransferredMount => {
    if (!isMount(value)) throw fail('it holds something that is no cache mount');
    const { id, uid, gid, mode } = value;
    return { id, uid, gid, mode, layer: layerOf(value['layer']) };
  };
  const { steps, contents, mounts } = json;
  if (!isObject(steps) || !isObject(contents) || !Array.isArray(mounts))
    throw fail('a part of it is missing');
  return {
    steps: new Map(Object.entries(steps).map(stepOf)),
    contents: new Map(Object.entries(contents).map(contentOf)),
    mounts: mounts.map(mountOf),
  };
}

const LAYER_TYPES: readonly string[] = [MEDIA_TYPE.layerTar, MEDIA_TYPE.layerGzip, MEDIA_TYPE.layerZstd];

function isKey(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === 'string' && isDigest(value);
}

function isListOf<T>(value: unknown, is: (one: unknown) => one is T): value is T[] {
  return Array.isArray(value) && value.every(is);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isStep(value: unknown): value is { layers: unknown[]; made: boolean[]; sizeBytes: number } {
  if (!isObject(value)) return false;
  const { layers, made, sizeBytes } = value;
  return (
    Array.isArray(layers) &&
    layers.length <= MAX_LAYERS &&
    isListOf(made, isBoolean) &&
    made.filter((one) => one).length === layers.length &&
    isCount(sizeBytes, Number.MAX_SAFE_INTEGER)
  );
}

function isMount(value: unknown): value is JsonObject & MountIdentity {
  if (!isObject(value)) return false;
  const { id, uid, gid, mode } = value;
  return typeof id === 'string' && isCount(uid, MAX_ID) && isCount(gid, MAX_ID) && isCount(mode, MAX_MODE);
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;
}
