// A source of COPY → the paths of a tree that it names: itself, or what its wildcards match, in the order of their bytes.

import { EngineError } from '../../core/errors.ts';
import type { ByteString } from '../../image/layer/entry.ts';
import { joinPath } from '../../image/layer/path.ts';
import { resolveInTree } from './links.ts';
import { toByteString, toText, under } from './text.ts';
import type { SourceTree } from './types.ts';
import { compileWildcard, hasWildcard, unescaped } from './wildcard.ts';

export interface ExpandRules {
  /** Links on the way are followed; else "**" stands for any number of directories, as --parents has it. */
  followLinks: boolean;
}

/**
 * Relative to `start`. A literal source is returned whether it exists or not; "/a", "../a" and "./a/" are all "a".
 * @throws USAGE for a malformed pattern
 */
export function findMatches(
  tree: SourceTree,
  start: ByteString,
  source: string,
  { followLinks }: ExpandRules,
): ByteString[] {
  const parts = cleanParts(source);
  const firstPattern = parts.findIndex(hasWildcard);
  if (firstPattern < 0) return [literal(tree, start, parts)];
  const prefix = literal(tree, start, parts.slice(0, firstPattern));
  const real = followLinks ? resolveInTree(tree, under(start, prefix)) : under(start, prefix);
  if (real === undefined) return [];
  const patterns = parts.slice(firstPattern).map((part) => compile(part, source, !followLinks));
  const base = followLinks ? real : prefix;
  return expand(tree, real, '', patterns).map((path) => under(base, path));
}

/** Clean, and never above the root. */
function cleanParts(source: string): string[] {
  const parts: string[] = [];
  for (const part of source.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/** A backslash that stands before something else than a wildcard may belong to the name. */
function literal(tree: SourceTree, start: ByteString, parts: readonly string[]): ByteString {
  const exact = toByteString(parts.join('/'));
  if (!exact.includes('\\') || tree.find(under(start, exact)) !== undefined) return exact;
  return toByteString(parts.map(unescaped).join('/'));
}

type Part = RegExp | 'any-depth';

function compile(part: string, source: string, deep: boolean): Part {
  if (deep && part === '**') return 'any-depth';
  try {
    return compileWildcard(part);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new EngineError(
      'USAGE',
      `copying ${JSON.stringify(source)}: syntax error in pattern: ${error.message}`,
      {
        exitCode: 1,
        hint: 'a "[" of a name is written "[[]"',
      },
    );
  }
}

function expand(tree: SourceTree, root: ByteString, at: ByteString, parts: readonly Part[]): ByteString[] {
  const [first, ...rest] = parts;
  if (first === undefined) return [at];
  const here = under(root, at);
  if (tree.find(here)?.type !== 'dir') return [];
  if (first === 'any-depth') {
    const below = tree.list(here).flatMap((name) => {
      const path = joinPath(at, name);
      if (tree.find(under(root, path))?.type === 'dir') return expand(tree, root, path, parts);
      return rest.length === 0 ? [path] : [];
    });
    return [...(rest.length === 0 ? [] : expand(tree, root, at, rest)), ...below];
  }
  return tree
    .list(here)
    .filter((name) => first.test(toText(name)))
    .flatMap((name) => expand(tree, root, joinPath(at, name), rest));
}
