import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { chooseCompression, compressionKey } from '../../../src/image/compress.ts';
import { isDockerFormat, manifestToPush, treatmentOf } from '../../../src/image/push-manifest.ts';
import { MEDIA_TYPE, type Descriptor, type Manifest } from '../../../src/spec/image.ts';

const blob = (mediaType: string, urls?: string[]): Descriptor => ({
  mediaType,
  digest: digestOf(mediaType),
  size: 1,
  ...(urls === undefined ? {} : { urls }),
});

describe('what is done with a layer', () => {
  it.each([
    [blob(MEDIA_TYPE.layerGzip), 'as-is'],
    [blob(MEDIA_TYPE.layerZstd), 'as-is'],
    [blob(MEDIA_TYPE.dockerLayerGzip), 'as-is'],
    [blob(MEDIA_TYPE.layerTar), 'compress'],
    [blob(MEDIA_TYPE.dockerLayerTar), 'compress'],
    [blob(MEDIA_TYPE.dockerForeignLayer, ['https://h/x']), 'leave-out'],
    [blob(MEDIA_TYPE.dockerForeignLayer), 'as-is'],
  ])('%j: %s', (layer, treatment) => {
    expect(treatmentOf(layer)).toBe(treatment);
  });
});

describe('the format', () => {
  const tar = [blob(MEDIA_TYPE.layerTar)];
  it.each([
    [MEDIA_TYPE.manifest, undefined, tar, 'gzip', false],
    [MEDIA_TYPE.dockerManifest, undefined, tar, 'gzip', true],
    [MEDIA_TYPE.dockerManifest, undefined, tar, 'zstd', false],
    [MEDIA_TYPE.dockerManifest, 'oci', tar, 'gzip', false],
    [MEDIA_TYPE.manifest, 'v2s2', tar, 'gzip', true],
    [MEDIA_TYPE.manifest, 'docker', [blob(MEDIA_TYPE.layerGzip)], 'zstd', true],
  ] as const)('%s pushed as %s: docker %s', (mediaType, format, layers, compression, isDocker) => {
    expect(isDockerFormat(mediaType, format, layers, compression)).toBe(isDocker);
  });

  it.each([
    [tar, 'zstd'],
    [[blob(MEDIA_TYPE.layerZstd)], 'gzip'],
  ] as const)("docker's has no zstd: %j by %s", (layers, compression) => {
    expect(() => isDockerFormat(MEDIA_TYPE.manifest, 'v2s2', layers, compression)).toThrow('zstd');
  });

  it('changes types, and keeps the rest', () => {
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: blob(MEDIA_TYPE.config),
      layers: [blob(MEDIA_TYPE.layerGzip)],
      annotations: { a: 'b' },
    };
    const docker = manifestToPush(manifest, manifest.layers, true);
    expect(docker).toMatchObject({
      mediaType: MEDIA_TYPE.dockerManifest,
      config: { mediaType: MEDIA_TYPE.dockerConfig },
      layers: [{ mediaType: MEDIA_TYPE.dockerLayerGzip }],
      annotations: { a: 'b' },
    });
    expect(manifestToPush(docker, docker.layers, false)).toEqual(manifest);
  });
});

describe('compression', () => {
  it('has a usual level', () => {
    expect(compressionKey(chooseCompression('gzip', undefined))).toBe('gzip-6');
    expect(compressionKey(chooseCompression('zstd', 19))).toBe('zstd-19');
  });

  it.each([
    ['gzip', 0],
    ['gzip', 10],
    ['zstd', 21],
    ['zstd', 1.5],
  ] as const)('%s has no level %d', (format, level) => {
    expect(() => chooseCompression(format, level)).toThrow(`${format} has levels`);
  });
});
