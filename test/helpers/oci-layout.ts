// Writes an OCI image layout folder (image-spec image-layout.md) for test images: several platforms, compressions and
// media types, byte for byte reproducible. skopeo pushes it to registries, so a mistake here does not go unnoticed.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

export interface LayoutLayer {
  /** Uncompressed. */
  tar: Uint8Array;
  compression?: 'gzip' | 'none';
}

export interface LayoutImage {
  layers: LayoutLayer[];
  architecture?: string;
  /** `config` section of the image config: Cmd, Env, User … */
  config?: object;
}

interface Blob {
  mediaType: string;
  digest: string;
  size: number;
}

const EPOCH = '2023-11-14T22:13:20Z';

/** Makes `dir` a layout that holds `image` (or an index of several platforms) under the name `tag`. */
export function writeOciLayout(dir: string, tag: string, image: LayoutImage | LayoutImage[]): Blob {
  mkdirSync(`${dir}/blobs/sha256`, { recursive: true });
  writeFileSync(`${dir}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
  const top = Array.isArray(image) ? writeIndex(dir, image) : writeManifest(dir, image);
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  writeFileSync(
    `${dir}/index.json`,
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, annotations }] }),
  );
  return top;
}

function writeIndex(dir: string, images: LayoutImage[]): Blob {
  const manifests = images.map((image) => ({
    ...writeManifest(dir, image),
    platform: { os: 'linux', architecture: image.architecture ?? 'amd64' },
  }));
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  return writeBlob(dir, mediaType, JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
}

function writeManifest(dir: string, { layers, architecture = 'amd64', config = {} }: LayoutImage): Blob {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const layerType = 'application/vnd.oci.image.layer.v1.tar';
  const written = layers.map(({ tar, compression = 'gzip' }) =>
    compression === 'gzip'
      ? writeBlob(dir, `${layerType}+gzip`, gzipSync(tar, { level: 6 }))
      : writeBlob(dir, layerType, tar),
  );
  const imageConfig = writeBlob(
    dir,
    'application/vnd.oci.image.config.v1+json',
    JSON.stringify({
      created: EPOCH,
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => sha256(tar)) },
      history: layers.map((_, i) => ({ created: EPOCH, created_by: `test layer ${i}` })),
    }),
  );
  return writeBlob(
    dir,
    mediaType,
    JSON.stringify({ schemaVersion: 2, mediaType, config: imageConfig, layers: written }),
  );
}

function writeBlob(dir: string, mediaType: string, data: Uint8Array | string): Blob {
  const digest = sha256(data);
  writeFileSync(`${dir}/blobs/sha256/${digest.slice('sha256:'.length)}`, data);
  return { mediaType, digest, size: Buffer.byteLength(data) };
}

function sha256(data: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}
