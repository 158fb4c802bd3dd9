// Places in a directory that came from elsewhere: its links lead nowhere but within it, whatever they say.

import { DirectoryTree } from './directory-tree.ts';
import { resolveInTree } from './links.ts';
import { toByteString, toText } from './text.ts';
import type { FileType } from './types.ts';

/** The host path of `path` below `directory`, free of links. Undefined: nothing is there. @throws PATH_INVALID, USAGE, IO */
export function findInside(directory: string, path: string): { path: string; type: FileType } | undefined {
  const tree = new DirectoryTree(directory);
  try {
    const real = resolveInTree(tree, toByteString(path));
    const file = real === undefined ? undefined : tree.find(real);
    if (real === undefined || file === undefined) return undefined;
    return { path: real === '' ? directory : `${directory}/${toText(real)}`, type: file.type };
  } finally {
    tree.close();
  }
}
