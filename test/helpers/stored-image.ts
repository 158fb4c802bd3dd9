// Puts images into a store without a registry or a tar: layers are any bytes, trees hold one file.

import { writeFileSync } from 'node:fs';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { MEDIA_TYPE, type Descriptor, type ImageConfigSection } from '../../src/oci/image.ts';
import { putBlob } from '../../src/store/blobs.ts';
import { publishImage, resolveImage, type ResolvedImage } from '../../src/store/images.ts';
import { ensureStore } from '../../src/store/init.ts';
import { TreeStage } from '../../src/store/layers.ts';
import { parseConfig, parseManifest } from '../../src/store/parse.ts';
import type { TestStore } from './store.ts';

export interface StoredImageSpec {
  reference: string;
  /** One layer each. */
  layers: readonly string[];
  created?: string;
  config?: ImageConfigSection;
  architecture?: string;
  repoDigest?: string;
  /** Of the manifest: the same image under another manifest. */
  annotations?: Record<string, string>;
}

export async function storeImage(
  { paths }: Pick<TestStore, 'paths'>,
  spec: StoredImageSpec,
): Promise<ResolvedImage> {
  const { reference, layers, created = '2024-01-01T00:00:00Z', config = {}, architecture = 'amd64' } = spec;
  ensureStore(paths);
  const blobs = layers.map((text) =>
    describe(MEDIA_TYPE.layerTar, putBlob(paths, Buffer.from(text)), text.length),
  );
  const diffIds = layers.map((text) => digestOf(text));
  const configBytes = Buffer.from(
    JSON.stringify({
      created,
      os: 'linux',
      architecture,
      config,
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  const manifestBytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: describe(MEDIA_TYPE.config, putBlob(paths, configBytes), configBytes.length),
      layers: blobs,
      ...(spec.annotations === undefined ? {} : { annotations: spec.annotations }),
    }),
  );
  const manifest = parseManifest(manifestBytes, 'test');
  const digest = putBlob(paths, manifestBytes);
  const image = resolveImage(paths, reference, digest, manifest, parseConfig(configBytes, manifest, 'test'));
  for (const [i, layer] of image.layers.entries()) {
    const stage = await TreeStage.open(paths, undefined, layer.chainId);
    if (stage === undefined) continue;
    writeFileSync(`${stage.dir}/file`, layers[i] ?? '');
    stage.writeInfo({ diffId: layer.diffId, sizeBytes: layers[i]?.length ?? 0, entries: 1 });
    stage.publish();
  }
  const stored = resolveImage(paths, reference, digest, manifest, parseConfig(configBytes, manifest, 'test'));
  await publishImage(paths, stored, {
    reference,
    manifest: { ...describe(MEDIA_TYPE.manifest, digest, manifestBytes.length), platform: stored.platform },
    repoDigest: spec.repoDigest,
  });
  return stored;
}

function describe(mediaType: string, digest: Digest, size: number): Descriptor {
  return { mediaType, digest, size };
}
