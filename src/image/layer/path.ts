// Entry names → places inside the layer (pure). A name is taken relative to the layer's root whether it starts with a
// slash or not, as docker does; one that climbs with ".." is an attack or a broken tool, and is refused.

import { EngineError } from '../../core/errors.ts';
import { showPath, type ByteString } from './entry.ts';

/** Longest path the kernel takes in one call, without its NUL. */
const PATH_MAX = 4095;
const NAME_MAX = 255;

/**
 * "./a//b/" and "/a/b" → "a/b"; "./" → "" (the root).
 * @throws LAYER_PATH_ESCAPE for a ".." anywhere, LAYER_INVALID for names no file system takes
 */
export function normalisePath(name: ByteString, what = 'entry'): ByteString {
  if (!NEEDS_WORK.test(name)) {
    if (name.length > NAME_MAX) checkLengths(name, what);
    return name;
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) {
    throw new EngineError(
      'LAYER_PATH_ESCAPE',
      `unpacking a layer: ${what} ${showPath(name)} leads outside of it`,
    );
  }
  const path = parts.join('/');
  if (path.length > NAME_MAX) checkLengths(path, what);
  return path;
}

/** Empty parts, "." or "..", or a NUL. */

const NEEDS_WORK = /^$|\/\/|^\/|\/$|(?:^|\/)\.{1,2}(?:\/|$)|\0/;

function checkLengths(path: ByteString, what: string): void {
  if (path.length <= PATH_MAX && path.split('/').every((part) => part.length <= NAME_MAX)) return;
  throw new EngineError(
    'LAYER_INVALID',
    `unpacking a layer: the name of ${what} ${showPath(path.slice(0, 80))}… is too long`,
  );
}

/** "a/b/c" → "a/b"; "a" → "" (the root). */
export function parentOf(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(parent: ByteString, name: ByteString): ByteString {
  return parent === '' ? name : `${parent}/${name}`;
}
