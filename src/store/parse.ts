// Checked readers of the JSON of images (image-spec manifest.md, image-index.md, config.md; docker schema 2). All of it
// comes from a registry or an archive and is hostile until it went through here. Pure.

import { digestOf, isDigest, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import {
  MEDIA_TYPE,
  type Descriptor,
  type ImageConfig,
  type ImageConfigSection,
  type Index,
  type Manifest,
  type Platform,
} from '../oci/image.ts';

/** Larger manifests and indexes are refused (distribution-spec: registries should accept 4 MiB). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
/** overlayfs takes 500 lower dirs; docker refuses more than 127 layers. */
export const MAX_LAYERS = 500;

type Json = Record<string, unknown>;

const INDEX_TYPES: readonly string[] = [MEDIA_TYPE.index, MEDIA_TYPE.dockerIndex];
const MANIFEST_TYPES: readonly string[] = [MEDIA_TYPE.manifest, MEDIA_TYPE.dockerManifest];
/** application/octet-stream was written by the first schema 2 tools. */
const CONFIG_TYPES: readonly string[] = [
  MEDIA_TYPE.config,
  MEDIA_TYPE.dockerConfig,
  'application/octet-stream',
];
const SCHEMA_1_TYPES = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)$/;

export function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.includes(mediaType);
}

/** What a builder tells about an image of the same index; no image. */
export function isAttestation({ platform, annotations }: Descriptor): boolean {
  return platform?.os === 'unknown' || annotations?.['vnd.docker.reference.type'] !== undefined;
}

export function isManifestType(mediaType: string): boolean {
  return MANIFEST_TYPES.includes(mediaType);
}

/**
 * What a manifest's bytes are: the media type it was sent as, else the one it names, else its shape.
 * @throws IMAGE_INVALID for docker schema 1 and for what is neither manifest nor index
 */
export function parseManifestOrIndex(
  bytes: Uint8Array,
  mediaType: string,
  what: string,
): { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index } {
  const json = parseObject(bytes, what, MAX_MANIFEST_BYTES);
  const type =
    typeof json['mediaType'] === 'string' && json['mediaType'] !== '' ? json['mediaType'] : mediaType;
  if (SCHEMA_1_TYPES.test(type) || json['schemaVersion'] === 1) {
    throw new EngineError('IMAGE_INVALID', `reading ${what}: it is in docker's retired schema 1 format`, {
      hint: 'push the image again with a current tool',
    });
  }
  if (isIndexType(type)) return { kind: 'index', index: checkIndex(json, what) };
  if (isManifestType(type)) return { kind: 'manifest', manifest: checkManifest(json, what) };
  // Without a usable type: by shape, but never by one that fits both (CVE-2021-41190).
  const hasManifests = 'manifests' in json;
  const hasLayers = 'layers' in json || 'config' in json;
  if (hasManifests && !hasLayers) return { kind: 'index', index: checkIndex(json, what) };
  if (hasLayers && !hasManifests) return { kind: 'manifest', manifest: checkManifest(json, what) };
  throw new EngineError(
    'IMAGE_INVALID',
    `reading ${what}: ${JSON.stringify(type)} is neither an image manifest nor an index`,
  );
}

export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  return checkManifest(parseObject(bytes, what, MAX_MANIFEST_BYTES), what);
}

/** As `parseManifest`, of whatever is kept in the form of an image: what it is says the type of its config. */
export function parseArtifact(bytes: Uint8Array, what: string): Manifest {
  return checkArtifact(parseObject(bytes, what, MAX_MANIFEST_BYTES), what);
}

/** @throws IMAGE_INVALID also when the number of diff ids is not that of the manifest's layers */
export function parseConfig(bytes: Uint8Array, manifest: Manifest, what: string): ImageConfig {
  const config = parseConfigAlone(bytes, what);
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw invalid(
      what,
      `its config lists ${config.rootfs.diff_ids.length} layers, its manifest ${manifest.layers.length}`,
    );
  }
  return config;
}

export function parseConfigAlone(bytes: Uint8Array, what: string): ImageConfig {
  const json = parseObject(bytes, what, MAX_CONFIG_BYTES);
  const rootfs = object(json['rootfs'], what, 'rootfs');
  const diffIds = array(rootfs['diff_ids'] ?? [], what, 'rootfs.diff_ids');
  if (diffIds.length > MAX_LAYERS)
    throw invalid(what, `it has ${diffIds.length} layers; the limit is ${MAX_LAYERS}`);
  for (const id of diffIds) digest(id, what, 'rootfs.diff_ids');
  optionalString(json, 'created', what);
  optionalString(json, 'variant', what);
  if (typeof json['os'] !== 'string') json['os'] = 'linux';
  if (typeof json['architecture'] !== 'string') throw invalid(what, 'its config names no architecture');
  if (json['config'] === null) delete json['config'];
  if (json['config'] !== undefined) checkSection(object(json['config'], what, 'config'), what);
  if (json['history'] !== undefined && json['history'] !== null) array(json['history'], what, 'history');
  else delete json['history'];
  return { ...json, rootfs: { type: 'layers', diff_ids: diffIds } } as unknown as ImageConfig;
}

/** image-spec config.md, "Layer ChainID": bottom first, one for each diff id. */
export function chainIdsOf(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}

export function parseIndex(bytes: Uint8Array, what: string): Index {
  return checkIndex(parseObject(bytes, what, MAX_MANIFEST_BYTES * 4), what);
}

function checkIndex(json: Json, what: string): Index {
  if (json['layers'] !== undefined) throw invalid(what, 'it is an index and a manifest at once');
  const manifests = array(json['manifests'] ?? [], what, 'manifests');
  for (const entry of manifests) checkDescriptor(entry, what, 'manifests');
  return json as unknown as Index;
}

function checkManifest(json: Json, what: string): Manifest {
  const manifest = checkArtifact(json, what);
  const { config, layers, artifactType } = manifest;
  if (!CONFIG_TYPES.includes(config.mediaType)) {
    const type = typeof artifactType === 'string' ? artifactType : config.mediaType;
    throw invalid(what, `it holds ${JSON.stringify(type)}, not a container image`);
  }
  if (layers.length > MAX_LAYERS)
    throw invalid(what, `it has ${layers.length} layers; the limit is ${MAX_LAYERS}`);
  return manifest;
}

function checkArtifact(json: Json, what: string): Manifest {
  if (json['manifests'] !== undefined) throw invalid(what, 'it is an index and a manifest at once');
  checkDescriptor(json['config'], what, 'config');
  const layers = array(json['layers'] ?? [], what, 'layers');
  for (const layer of layers) checkDescriptor(layer, what, 'layers');
  return { ...json, layers } as unknown as Manifest;
}

function checkDescriptor(value: unknown, what: string, where: string): Descriptor {
  const json = object(value, what, where);
  if (typeof json['mediaType'] !== 'string') json['mediaType'] = '';
  digest(json['digest'], what, `${where}.digest`);
  const size = json['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(what, `${where}.size is no size`);
  if (json['annotations'] === null) delete json['annotations'];
  if (json['annotations'] !== undefined) stringMap(json['annotations'], what, `${where}.annotations`);
  if (json['platform'] === null) delete json['platform'];
  if (json['platform'] !== undefined)
    checkPlatform(object(json['platform'], what, `${where}.platform`), what, where);
  return json as unknown as Descriptor;
}

function checkPlatform(json: Json, what: string, where: string): Platform {
  for (const key of ['os', 'architecture']) {
    if (typeof json[key] !== 'string') throw invalid(what, `${where}.platform.${key} is not a string`);
  }
  optionalString(json, 'variant', what);
  optionalString(json, 'os.version', what);
  return json as unknown as Platform;
}

function checkSection(json: Json, what: string): ImageConfigSection {
  for (const key of ['User', 'WorkingDir', 'StopSignal']) optionalString(json, key, what);
  for (const key of ['Env', 'Entrypoint', 'Cmd', 'OnBuild', 'Shell']) {
    if (json[key] === null && key === 'Env') Reflect.deleteProperty(json, key);
    if (json[key] === undefined || json[key] === null) continue;
    const list = array(json[key], what, `config.${key}`);
    if (!list.every((entry) => typeof entry === 'string'))
      throw invalid(what, `config.${key} is no list of strings`);
  }
  for (const key of ['ExposedPorts', 'Volumes']) {
    if (json[key] === null) Reflect.deleteProperty(json, key);
    if (json[key] !== undefined) object(json[key], what, `config.${key}`);
  }
  if (json['Labels'] === null) delete json['Labels'];
  if (json['Labels'] !== undefined) stringMap(json['Labels'], what, 'config.Labels');
  return json;
}

/** @throws IMAGE_INVALID unless the bytes are one JSON object of at most `limit` bytes */
export function parseObject(bytes: Uint8Array, what: string, limit: number): Json {
  if (bytes.length > limit) throw invalid(what, `it is ${bytes.length} bytes long; the limit is ${limit}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new EngineError('IMAGE_INVALID', `reading ${what}: it is not JSON`, { cause });
  }
  return object(json, what, 'the document');
}

function object(value: unknown, what: string, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(what, `${where} is no object`);
  return value as Json;
}

function array(value: unknown, what: string, where: string): unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalid(what, `${where} is no list`);
  return value;
}

function stringMap(value: unknown, what: string, where: string): void {
  if (!Object.values(object(value, what, where)).every((entry) => typeof entry === 'string')) {
    throw invalid(what, `${where} holds something that is no string`);
  }
}

function digest(value: unknown, what: string, where: string): Digest {
  if (typeof value === 'string' && isDigest(value)) return value;
  throw invalid(what, `${where}: ${show(value)} is not a sha256 digest`);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 100);
}

function optionalString(json: Json, key: string, what: string): void {
  if (json[key] === null) Reflect.deleteProperty(json, key);
  if (json[key] !== undefined && typeof json[key] !== 'string') throw invalid(what, `${key} is not a string`);
}

function invalid(what: string, cause: string): EngineError {
  return new EngineError('IMAGE_INVALID', `reading ${what}: ${cause}`);
}
