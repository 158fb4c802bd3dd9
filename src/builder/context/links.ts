// Symbolic links of a tree, followed as in a chroot of it: an absolute one begins at its root, ".." stops there.

import { EngineError } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { joinPath, parentOf } from '../../image/layer/path.ts';
import type { SourceTree } from './types.ts';

/** As path_resolution(7). */
const MAX_LINKS = 40;

/** Where `path` really is, a link at its end followed too. Undefined: nothing is there. @throws PATH_INVALID for a circle */
export function resolveInTree(tree: SourceTree, path: ByteString): ByteString | undefined {
  const todo = path.split('/').reverse();
  let at = '';
  let links = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at = parentOf(at);
      continue;
    }
    const next = joinPath(at, part);
    const file = tree.find(next);
    if (file === undefined) return undefined;
    if (file.type !== 'symlink') {
      at = next;
      continue;
    }
    if (++links > MAX_LINKS)
      throw new EngineError('PATH_INVALID', `${showPath(path)}: too many levels of symbolic links`, {
        exitCode: 1,
      });
    const target = tree.readlink(next);
    if (target.startsWith('/')) at = '';
    todo.push(...target.split('/').reverse());
  }
  return at;
}
