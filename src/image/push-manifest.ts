// What is pushed of an image: which blobs go as they are, which are compressed first, and the manifest that names them.
// (pure) An image whose layers all go as they are keeps its manifest byte for byte, and with it its digest.

import { digestOf } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { MEDIA_TYPE, type Descriptor, type Index, type Manifest } from '../oci/image.ts';
import type { LayerCompression } from './compress.ts';

export const MANIFEST_FORMATS = ['oci', 'v2s2', 'docker'] as const;
export type ManifestFormat = (typeof MANIFEST_FORMATS)[number];

const TAR_TYPES: readonly string[] = [MEDIA_TYPE.layerTar, MEDIA_TYPE.dockerLayerTar];
/** Layers that must not be handed on; whoever pulls gets them from their `urls`. */
const FOREIGN = /foreign|nondistributable/;

export type LayerTreatment = 'as-is' | 'compress' | 'leave-out';

export function treatmentOf({ mediaType, urls }: Descriptor): LayerTreatment {
  if (FOREIGN.test(mediaType) && urls !== undefined && urls.length > 0) return 'leave-out';
  return TAR_TYPES.includes(mediaType) ? 'compress' : 'as-is';
}

/** Whether an image of that manifest type becomes docker's. @throws USAGE for zstd, which docker's format has not */
export function isDockerFormat(
  mediaType: string,
  format: ManifestFormat | undefined,
  layers: readonly Descriptor[],
  compression: LayerCompression,
): boolean {
  const isDocker =
    format === undefined ? mediaType === MEDIA_TYPE.dockerManifest : format === 'v2s2' || format === 'docker';
  const hasZstd =
    layers.some((layer) => layer.mediaType === MEDIA_TYPE.layerZstd) ||
    (compression === 'zstd' && layers.some((layer) => treatmentOf(layer) === 'compress'));
  if (!isDocker || !hasZstd) return isDocker;
  if (format === undefined) return false;
  throw new EngineError('USAGE', "pushing: docker's manifest format has no layers compressed by zstd", {
    hint: 'push it with --format oci',
  });
}

const OCI: Readonly<Record<string, string>> = {
  [MEDIA_TYPE.dockerConfig]: MEDIA_TYPE.config,
  [MEDIA_TYPE.dockerLayerGzip]: MEDIA_TYPE.layerGzip,
  [MEDIA_TYPE.dockerLayerTar]: MEDIA_TYPE.layerTar,
};
const DOCKER: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(OCI).map(([docker, oci]) => [oci, docker]),
);

export function layerTypeOf(compression: LayerCompression): string {
  return compression === 'gzip' ? MEDIA_TYPE.layerGzip : MEDIA_TYPE.layerZstd;
}

/** The manifest with these layers. Annotations and whatever else it has stay. */
export function manifestToPush(
  manifest: Manifest,
  layers: readonly Descriptor[],
  isDocker: boolean,
): Manifest {
  const types = isDocker ? DOCKER : OCI;
  const retyped = (one: Descriptor): Descriptor => ({
    ...one,
    mediaType: types[one.mediaType] ?? one.mediaType,
  });
  return {
    ...manifest,
    mediaType: isDocker ? MEDIA_TYPE.dockerManifest : MEDIA_TYPE.manifest,
    config: retyped(manifest.config),
    layers: layers.map(retyped),
  };
}

/**
 * The index with the manifests that were put, in its order. bytes undefined: they are what it names already.
 * mediaType: of the index in the store
 */
export function indexToPush(
  index: Index,
  mediaType: string,
  manifests: readonly { bytes: Uint8Array; mediaType: string }[],
): { bytes: Uint8Array | undefined; mediaType: string } {
  const entries = index.manifests.map((entry, i) => {
    const { bytes, mediaType: type } = manifests[i] as { bytes: Uint8Array; mediaType: string };
    return { ...entry, mediaType: type, digest: digestOf(bytes), size: bytes.length };
  });
  if (JSON.stringify(entries) === JSON.stringify(index.manifests)) return { bytes: undefined, mediaType };
  const isDocker = entries.every((entry) => entry.mediaType === MEDIA_TYPE.dockerManifest);
  const type = isDocker ? MEDIA_TYPE.dockerIndex : MEDIA_TYPE.index;
  const wanted: Index = { ...index, mediaType: type, manifests: entries };
  return { bytes: Buffer.from(JSON.stringify(wanted)), mediaType: type };
}
