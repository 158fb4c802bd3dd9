// How images are named in output: docker's short forms. Pure.

import {
  familiarRepository,
  formatFamiliar,
  formatReference,
  parseReference,
  withDefaultTag,
} from '../core/reference.ts';
import type { Digest } from '../core/digest.ts';

export const NONE = '<none>';

/** `docker.io/library/debian:12` → `debian:12`; anything that is no reference as it is. */
export function displayReference(reference: string): string {
  try {
    return formatFamiliar(parseReference(reference));
  } catch {
    return reference;
  }
}

/** As pulled: `debian` → `docker.io/library/debian:latest`. @throws REFERENCE_INVALID */
export function fullReference(text: string): string {
  return formatReference(withDefaultTag(parseReference(text)));
}

/** The REPOSITORY and TAG columns; a name by digest has no tag. */
export function displayParts(reference: string): { repository: string; tag: string } {
  if (reference === '') return { repository: NONE, tag: NONE };
  const ref = parseReference(reference);
  return { repository: familiarRepository(ref), tag: ref.tag ?? NONE };
}

/** The 12 hex digits that tables show. */
export function shortId(digest: Digest | string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}
