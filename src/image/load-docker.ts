// The docker archive format (`docker save`): manifest.json lists config, tags and layer files. Layers become blobs as they
// are; a manifest is made for them, the same for the same archive.

import { EngineError } from '../core/errors.ts';
import { isObject, parseJson } from '../core/json.ts';
import { MEDIA_TYPE, type Descriptor } from '../oci/image.ts';
import type { Archive, ArchivedFile } from './archive.ts';
import { detectCompression } from './layer/decompress.ts';

const MAX_JSON_BYTES = 8 * 1024 * 1024;

export interface LoadableImage {
  /** Full or familiar references, as the archive spells them. */
  names: string[];
  mediaType: string;
  /** Or an index, with the images of its platforms that are there. */
  manifest: Uint8Array;
  platforms?: LoadableImage[];
}

interface ManifestItem {
  Config: string;
  RepoTags: string[];
  Layers: string[];
}

/** undefined: no docker archive. @throws IMAGE_INVALID */
export function readDockerArchive(archive: Archive, what: string): LoadableImage[] | undefined {
  const bytes = archive.read('manifest.json', MAX_JSON_BYTES);
  if (bytes === undefined) return undefined;
  const items = parseJson(new TextDecoder().decode(bytes), `manifest.json of ${what}`);
  if (!Array.isArray(items)) throw invalid(what, 'manifest.json is no list');
  return items.map((item) => imageOf(archive, checkItem(item, what), what));
}

function imageOf(archive: Archive, item: ManifestItem, what: string): LoadableImage {
  const config = get(archive, item.Config, what);
  const layers = item.Layers.map((path) => {
    const file = get(archive, path, what);
    return { mediaType: layerType(file), digest: file.digest, size: file.size };
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: { mediaType: MEDIA_TYPE.config, digest: config.digest, size: config.size } satisfies Descriptor,
    layers: layers satisfies Descriptor[],
  };
  return {
    names: item.RepoTags,
    mediaType: MEDIA_TYPE.manifest,
    manifest: Buffer.from(JSON.stringify(manifest)),
  };
}

function get(archive: Archive, path: string, what: string): ArchivedFile {
  const file = archive.find(path);
  if (file !== undefined) return file;
  throw invalid(what, `manifest.json names ${JSON.stringify(path)}, which is not in the archive`);
}

function layerType(file: ArchivedFile): string {
  const compression = detectCompression(file.start);
  return { gzip: MEDIA_TYPE.layerGzip, zstd: MEDIA_TYPE.layerZstd, none: MEDIA_TYPE.layerTar }[compression];
}

function checkItem(item: unknown, what: string): ManifestItem {
  if (!isObject(item)) throw invalid(what, 'an entry of manifest.json is no object');
  const { Config, RepoTags, Layers } = item;
  if (typeof Config !== 'string') throw invalid(what, 'an entry of manifest.json has no Config');
  return { Config, RepoTags: strings(RepoTags, what), Layers: strings(Layers, what) };
}

function strings(value: unknown, what: string): string[] {
  const list = value ?? [];
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'string')) {
    throw invalid(what, 'manifest.json holds something that is no list of names');
  }
  return list;
}

function invalid(what: string, cause: string): EngineError {
  return new EngineError('IMAGE_INVALID', `loading ${what}: ${cause}`);
}
