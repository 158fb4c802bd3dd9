// Finding an image that must be there.

import { EngineError } from '../core/errors.ts';
import type { Paths } from '../core/paths.ts';
import { findImage, type ResolvedImage } from '../store/images.ts';

/** By name, id or prefix of an id. @throws IMAGE_NOT_FOUND with exit status 1 */
export function getImage(paths: Paths, text: string): ResolvedImage {
  const image = findImage(paths, text);
  if (image !== undefined) return image;
  throw imageNotFound(text);
}

export function imageNotFound(text: string): EngineError {
  return new EngineError('IMAGE_NOT_FOUND', `no such image: "${text}"`, {
    hint: '"skiff images" lists what there is',
    exitCode: 1,
  });
}

/** Whether there is such an image; a text that cannot be a name names none. */
export function imageExists(paths: Paths, text: string): boolean {
  try {
    return findImage(paths, text) !== undefined;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'REFERENCE_INVALID') return false;
    throw error;
  }
}
