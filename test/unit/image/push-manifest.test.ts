import { describe, expect, it, test } from 'vitest';
import { digestOf, type Digest } from '../../../src/core/digest.ts';
import { chooseCompression, compressionKey } from '../../../src/image/compress.ts';
import {
  indexToPush,
  isDockerFormat,
  manifestToPush,
  treatmentOf,
} from '../../../src/image/push-manifest.ts';
import { MEDIA_TYPE, type Descriptor, type Manifest } from '../../../src/oci/image.ts';

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

describe('an index', () => {
  const bytes = Buffer.from('{}');
  const put = (mediaType: string) => ({ bytes, mediaType });
  const entry = (mediaType: string, digest: Digest, size = bytes.length) => ({
    ...{ mediaType, digest, size },
    platform: { os: 'linux', architecture: 'amd64' },
  });
  const other = digestOf('other');

  test('stays as it is when its manifests do', () => {
    const index = { schemaVersion: 2 as const, manifests: [entry(MEDIA_TYPE.manifest, digestOf(bytes))] };
    expect(indexToPush(index, MEDIA_TYPE.index, [put(MEDIA_TYPE.manifest)])).toEqual({
      bytes: undefined,
      mediaType: MEDIA_TYPE.index,
    });
  });

  test.each([
    [MEDIA_TYPE.manifest, MEDIA_TYPE.index],
    [MEDIA_TYPE.dockerManifest, MEDIA_TYPE.dockerIndex],
  ])('of %s that went in another form', (type, expected) => {
    const index = {
      ...{ schemaVersion: 2 as const, mediaType: MEDIA_TYPE.index, annotations: { a: 'b' } },
      manifests: [entry(MEDIA_TYPE.manifest, other, 9)],
    };
    const pushed = indexToPush(index, MEDIA_TYPE.index, [put(type)]);
    expect(pushed.mediaType).toBe(expected);
    expect(JSON.parse(Buffer.from(pushed.bytes ?? []).toString())).toEqual({
      ...{ schemaVersion: 2, mediaType: expected, annotations: { a: 'b' } },
      manifests: [entry(type, digestOf(bytes))],
    });
  });
});
