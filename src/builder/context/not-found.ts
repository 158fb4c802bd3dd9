// What is said about a source that is not there: what hides it, or what it may have been meant to be. (looks, changes nothing)

import { EngineError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import type { ByteString } from '../../image/layer/entry.ts';
import { baseOf, joinPath, parentOf } from '../../image/layer/path.ts';
import { resolveInTree } from './links.ts';
import { toText } from './text.ts';
import type { SourceTree } from './types.ts';

/** @param written as in the Dockerfile; path: what it came to */
export function sourceNotFound(tree: SourceTree, written: string, path: ByteString): EngineError {
  const where = tree.kind === 'context' ? 'the build context' : 'the source image';
  return new EngineError('PATH_NOT_FOUND', `copying ${JSON.stringify(written)}: not found in ${where}`, {
    exitCode: 1,
    hint: hintFor(tree, path),
  });
}

function hintFor(tree: SourceTree, path: ByteString): string | undefined {
  const fileName = tree.ignoredBy(path);
  if (fileName !== undefined)
    return `it exists, but is excluded by ${fileName}: add "!${toText(path)}" at its end`;
  const parent = resolveInTree(tree, parentOf(path));
  if (parent === undefined) return undefined;
  if (tree.find(parent)?.type !== 'dir') return undefined;
  const near = nearest(toText(baseOf(path)), tree.list(parent).map(toText));
  return near === undefined ? undefined : `did you mean ${JSON.stringify(toText(joinPath(parent, near)))}?`;
}
