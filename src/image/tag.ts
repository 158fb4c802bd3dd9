// Another name for an image that is in the store.

import { EngineError } from '../core/errors.ts';
import type { Paths } from '../core/paths.ts';
import { formatReference, parseReference, withDefaultTag } from '../core/reference.ts';
import { publishImage, type ResolvedImage } from '../store/images.ts';
import { descriptorOf } from '../store/platforms.ts';
import { gcLockFile } from '../store/layout.ts';
import { withLock } from '../store/lock.ts';
import { getImage } from './get.ts';
import { logImageEvent } from './log-event.ts';
import { displayReference } from './names.ts';

/**
 * Gives the image `source` the names `targets`. A name that meant another image means this one afterwards; the other
 * stays, without a name if that was its last.
 * @throws IMAGE_NOT_FOUND, REFERENCE_INVALID (nothing is changed then)
 */
export async function tagImage(paths: Paths, source: string, targets: readonly string[]): Promise<void> {
  const references = targets.map((target) => referenceToGive(target));
  getImage(paths, source); // before a lock is made in a store that is not there
  // Shared with everything that adds: an `rmi` meanwhile takes the old names away, and leaves what the new ones need.
  await withLock(gcLockFile(paths), 'shared', () => nameImage(paths, source, references));
}

async function nameImage(paths: Paths, source: string, references: readonly string[]): Promise<void> {
  const image = getImage(paths, source);
  const manifest = descriptorOf(paths, image);
  if (manifest === undefined)
    throw new EngineError('IMAGE_NOT_FOUND', `tagging "${source}": it was removed meanwhile`);
  for (const reference of references) {
    await publishImage(paths, named(image, reference), { reference, manifest });
    logImageEvent(paths, image, 'tag', displayReference(reference));
  }
}

/** The full reference of a name that an image is to get. @throws REFERENCE_INVALID */
export function referenceToGive(target: string): string {
  const ref = parseReference(target);
  if (ref.digest !== undefined) {
    throw new EngineError('REFERENCE_INVALID', `tagging as "${target}": a name to give cannot hold a digest`);
  }
  return formatReference(withDefaultTag(ref));
}

function named(image: ResolvedImage, reference: string): ResolvedImage {
  return { ...image, reference };
}
