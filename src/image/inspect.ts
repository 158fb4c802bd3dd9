// `image inspect`: docker's JSON of an image. What belongs to a daemon or a storage driver
// has its zero value.

import { EngineError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import type { Paths } from '../core/paths.ts';
import { platformNotFound } from '../core/platform.ts';
import type { Descriptor, Platform } from '../oci/image.ts';
import { getBlob } from '../store/blobs.ts';
import { nameOf, repoDigestsOf } from '../store/index-file.ts';
import {
  alone,
  idOf,
  listImages,
  platformEntries,
  platformsOf,
  type ResolvedImage,
} from '../store/images.ts';
import { descriptorOf, imageFor } from '../store/platforms.ts';
import { parseConfigAlone } from '../store/parse.ts';
import { getImage } from './get.ts';
import { taggedAt } from './list.ts';
import { displayReference } from './names.ts';
import { ZERO_CONFIG, ZERO_OVERLAY } from './zero-config.ts';

/** Keys as docker spells them. */
export interface ImageInspect {
  Id: Digest;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  Created: string;
  DockerVersion: string;
  Author: string;
  Config: Record<string, unknown>;
  Architecture: string;
  Variant: string;
  Os: string;
  OsVersion: string;
  Size: number;
  VirtualSize: number;
  GraphDriver: { Name: string; Data: Readonly<Record<string, string>> };
  RootFS: { Type: 'layers'; Layers: Digest[] };
  Metadata: { LastTagTime: string };
  Descriptor: { mediaType: string; digest: Digest; size: number };
  /** Of an image of several platforms: each of them, in the store or not. */
  Manifests?: InspectedManifest[];
}

export interface InspectedManifest {
  ID: Digest;
  Descriptor: Descriptor;
  Available: boolean;
  Kind: 'image';
  ImageData?: { Id: Digest; Platform: Platform; Size: { Unpacked: number } };
}

/**
 * platform: of an image of several, this one by itself; undefined: the whole, with what this machine's is like
 * @throws IMAGE_NOT_FOUND, PLATFORM_NOT_FOUND, STORE_INVALID
 */
export function inspectImage(paths: Paths, text: string, platform?: Platform): ImageInspect {
  const whole = getImage(paths, text);
  const found = imageFor(paths, whole, platform);
  if (found === undefined)
    throw platformNotFound(
      `inspecting "${text}"`,
      platform as Platform,
      platformsOf(paths, whole).map((one) => one.platform),
    );
  const image = platform === undefined ? found : alone(found);
  const entry = descriptorOf(paths, image);
  if (entry === undefined)
    throw new EngineError('IMAGE_NOT_FOUND', `inspecting "${text}": it was removed meanwhile`);
  const stored = listImages(paths).images.filter(
    (one) =>
      idOf(one.image) === idOf(whole) ||
      (whole.index === undefined && one.platforms.some(({ imageId }) => imageId === whole.imageId)),
  );
  const config = parseConfigAlone(getBlob(paths, image.imageId), `the config of "${text}"`);
  const names = stored.flatMap((one) => nameOf(one.entry) ?? []);
  const repoDigests = [...new Set(stored.flatMap((one) => repoDigestsOf(one.entry)))];
  return {
    Id: idOf(image),
    RepoTags: names.filter((name) => !name.includes('@')).map(displayReference),
    RepoDigests: repoDigests.map(displayReference),
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: image.created ?? '',
    DockerVersion: '',
    Author: config.author ?? '',
    Config: inspectConfig(image),
    Architecture: image.platform.architecture,
    Variant: image.platform.variant ?? '',
    Os: image.platform.os,
    OsVersion: image.platform['os.version'] ?? '',
    Size: image.sizeBytes,
    VirtualSize: image.sizeBytes,
    GraphDriver: { Name: 'overlay2', Data: ZERO_OVERLAY },
    RootFS: { Type: 'layers', Layers: image.layers.map(({ diffId }) => diffId) },
    Metadata: { LastTagTime: stored.map((one) => taggedAt(one.entry) ?? NO_TIME).reduce(later, NO_TIME) },
    Descriptor: { mediaType: entry.mediaType, digest: entry.digest, size: entry.size },
    ...(image.index === undefined ? {} : { Manifests: inspectManifests(paths, image, image.index) }),
  };
}

function inspectManifests(paths: Paths, image: ResolvedImage, index: Digest): InspectedManifest[] {
  const there = platformsOf(paths, image);
  return platformEntries(paths, index).map((descriptor): InspectedManifest => {
    const one = there.find(({ manifestDigest }) => manifestDigest === descriptor.digest);
    return {
      ...{ ID: descriptor.digest, Descriptor: descriptor, Available: one !== undefined, Kind: 'image' },
      ...(one === undefined
        ? {}
        : {
            ImageData: { Id: one.imageId, Platform: one.platform, Size: { Unpacked: one.sizeBytes } },
          }),
    };
  });
}

/** Go's zero time. */
const NO_TIME = '0001-01-01T00:00:00Z';

function later(a: string, b: string): string {
  return a > b ? a : b;
}

/** The image's own text may say null where docker has an empty value. */
function inspectConfig({ config }: ResolvedImage): Record<string, unknown> {
  const set = Object.entries(config as Record<string, unknown>).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return { ...ZERO_CONFIG, ...Object.fromEntries(set) };
}
