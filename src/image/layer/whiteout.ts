// Whiteouts (image-spec layer.md, "Representing Changes"): names in the archive that say what is gone (pure).

import { EngineError } from '../../core/errors.ts';
import { showPath, type ByteString } from './entry.ts';
import { baseOf, joinPath, parentOf } from './path.ts';

export type Whiteout =
  /** `path` of the lower layers is gone. */
  | { kind: 'whiteout'; path: ByteString }
  /** Nothing of the lower layers shows in the directory `path`. */
  | { kind: 'opaque'; path: ByteString }
  /** Book-keeping of aufs (`.wh..wh.plnk` and the like), to be skipped as docker does. */
  | { kind: 'metadata' };

export const WHITEOUT_PREFIX = '.wh.';
export const OPAQUE_NAME = '.wh..wh..opq';
const META_PREFIX = '.wh..wh.';

/**
 * @param path normalised
 * @throws LAYER_PATH_ESCAPE for a whiteout of "." or "..", LAYER_INVALID for one of nothing
 */
export function whiteoutOf(path: ByteString): Whiteout | undefined {
  if (!path.includes(WHITEOUT_PREFIX)) return undefined;
  const parent = parentOf(path);
  const base = baseOf(path);
  if (`/${parent}/`.includes(`/${META_PREFIX}`)) return { kind: 'metadata' };
  if (!base.startsWith(WHITEOUT_PREFIX)) return undefined;
  if (base === OPAQUE_NAME) return { kind: 'opaque', path: parent };
  if (base.startsWith(META_PREFIX)) return { kind: 'metadata' };
  const name = base.slice(WHITEOUT_PREFIX.length);
  if (name === '.' || name === '..') {
    throw new EngineError(
      'LAYER_PATH_ESCAPE',
      `unpacking a layer: the whiteout ${showPath(path)} leads outside of it`,
    );
  }
  if (name === '') {
    throw new EngineError('LAYER_INVALID', `unpacking a layer: the whiteout ${showPath(path)} names nothing`);
  }
  return { kind: 'whiteout', path: joinPath(parent, name) };
}
