// An image of several platforms: which of its images there are, and which one serves.

import type { Digest } from '../core/digest.ts';
import type { Descriptor, Platform } from '../oci/image.ts';
import { statBlob } from './blobs.ts';
import { closest, platformEntries, platformsOf, targetOf, type ResolvedImage } from './images.ts';
import { readIndex } from './index-file.ts';
import type { StoreRoot } from './layout.ts';
import { isIndexType } from './parse.ts';

/**
 * The image that serves `platform` best, of those that a name stands for; undefined: none does. Without a platform, the
 * image as it is. @throws STORE_INVALID
 */
export function imageFor(
  root: StoreRoot,
  image: ResolvedImage,
  platform: Platform | undefined,
): ResolvedImage | undefined {
  return platform === undefined ? image : closest(platformsOf(root, image), platform);
}

/** How index.json, or an index that it names, describes what a name of the image stands for. */
export function descriptorOf(root: StoreRoot, image: ResolvedImage): Descriptor | undefined {
  const target = targetOf(image);
  const entries = readIndex(root);
  const within = ({ mediaType, digest }: Descriptor): Descriptor[] =>
    isIndexType(mediaType) && statBlob(root, digest) !== undefined ? platformEntries(root, digest) : [];
  return (
    entries.find(({ digest }) => digest === target) ??
    entries.flatMap(within).find(({ digest }) => digest === target)
  );
}

/** An index need not have all of its platforms here. @throws STORE_INVALID, IMAGE_INVALID */
export function presentPlatforms(root: StoreRoot, index: Digest): Descriptor[] {
  return platformEntries(root, index).filter(({ digest }) => statBlob(root, digest) !== undefined);
}
