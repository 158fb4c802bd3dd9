// An image of several platforms that is made here: an index of images that are in the store.

import { MEDIA_TYPE, type Descriptor, type Index } from '../oci/image.ts';
import { putBlob } from '../store/blobs.ts';
import { manifestNamed, publishIndex, resolveIndex, type ResolvedImage } from '../store/images.ts';
import type { Digest } from '../core/digest.ts';
import type { Paths } from '../core/paths.ts';
import { logImageEvent } from './log-event.ts';
import { displayReference } from './names.ts';

export interface NewIndex {
  /** Full references; none leaves it dangling. */
  references: readonly string[];
  /** False: without a name, nothing of it is kept. */
  isKept: boolean;
  /** Each with its platform, in their order. */
  manifests: readonly Descriptor[];
  annotations: Readonly<Record<string, string>>;
  /** Gets the digest of the index (adding.ts). */
  added: Set<Digest>;
}

/** The image that it is for this machine. @throws STORE_INVALID, NO_SPACE, IO */
export async function storeNewIndex(
  paths: Paths,
  { references, isKept, manifests, annotations, added }: NewIndex,
): Promise<ResolvedImage> {
  const index: Index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.index,
    manifests: [...manifests],
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(index));
  const digest = putBlob(paths, bytes);
  added.add(digest);
  const descriptor: Descriptor = { mediaType: MEDIA_TYPE.index, digest, size: bytes.length };
  const image = resolveIndex(paths, descriptor);
  const fresh = references.filter((reference) => manifestNamed(paths, reference) !== digest);
  if (references.length > 0 || isKept)
    await publishIndex(paths, references.length === 0 ? undefined : fresh, descriptor);
  for (const reference of fresh) logImageEvent(paths, image, 'tag', displayReference(reference));
  return { ...image, reference: references[0] ?? '' };
}
