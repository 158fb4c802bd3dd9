// Several layers → the tar of one that says the same, straight from their trees: nothing is copied on disk. What one of them
// removes of another is not in it; what they remove of those below is.

import { closeSync } from 'node:fs';
import * as at from '../../native/at.ts';
import { startInside } from '../../native/inside.ts';
import type { IdMap } from '../../native/plan.ts';
import { hashedTar, type BuiltLayer } from './built-layer.ts';
import { opaqueMarker, whiteoutMarker } from './diff.ts';
import type { ByteString } from './entry.ts';
import { findShown, LookBudget } from './lower.ts';
import { isOpaque, isWhiteoutFile } from './overlay.ts';
import { Packer, type PackRules } from './pack.ts';
import { joinPath } from './path.ts';
import { TarWriter } from './tar-writer.ts';

export interface SquashRequest {
  kind: 'squash';
  /** Of the layers that become one, topmost first. */
  trees: readonly string[];
  /** Of those below, bottom first. */
  lowerTrees: readonly string[];
}

/** @param file descriptor of the empty file that gets the tar. doing: first words of errors */
export async function squashTrees(
  { trees, lowerTrees }: Omit<SquashRequest, 'kind'>,
  { file, idMap, doing }: { file: number; idMap: IdMap | undefined; doing: string },
): Promise<BuiltLayer> {
  const request: SquashRequest = { kind: 'squash', trees, lowerTrees };
  const child = startInside({ doing, command: '__layer', request, idMap, stdout: file });
  return (await child.reply) as BuiltLayer;
}

/** The child's side. `write` puts all of a chunk into the file. */
export function makeSquashed(
  { trees, lowerTrees }: Omit<SquashRequest, 'kind'>,
  write: (chunk: Uint8Array) => void,
): BuiltLayer {
  return hashedTar(write, (writeTar) => {
    const roots = trees.map((tree) => at.openRoot(tree));
    try {
      const squash = new Squash(new TarWriter(writeTar), lowerTrees);
      squash.directory(roots, '', lowerTrees.length > 0);
      return squash.finish();
    } finally {
      roots.forEach(closeSync);
    }
  });
}

class Squash {
  readonly #packer: Packer;
  readonly #lowerTrees: readonly string[];
  readonly #budget = new LookBudget(Infinity);
  /** Of the file that is being packed. */
  #treatment: ReturnType<Required<PackRules>['treat']> = 'as-is';

  constructor(out: TarWriter, lowerTrees: readonly string[]) {
    this.#lowerTrees = lowerTrees;
    // What is below a directory comes from more than one place: `directory` goes there.
    this.#packer = new Packer(out, { treat: () => this.#treatment, isClosed: () => true });
  }

  finish(): ReturnType<Packer['finish']> {
    return this.#packer.finish();
  }

  /** @param parts topmost first. showsLower: something of the layers below may show in it */
  directory(parts: readonly number[], path: ByteString, showsLower: boolean): void {
    const names = new Set(parts.flatMap((part) => at.namesIn(part)));
    for (const name of [...names].sort()) this.#file(parts, name, joinPath(path, name), showsLower);
  }

  #file(parts: readonly number[], name: ByteString, path: ByteString, showsLower: boolean): void {
    const holders = parts.filter((part) => at.statAt(part, name) !== undefined);
    const top = holders[0] as number;
    const merged: number[] = [];
    let hidesLower = false;
    for (const part of holders) {
      if (at.statAt(part, name)?.isDirectory() !== true) {
        hidesLower = true;
        break;
      }
      merged.push(part);
      hidesLower = isOpaque(at.xattrsAt(part, name));
      if (hidesLower) break;
    }
    if (merged.length === 0) {
      this.#leaf(top, name, path, showsLower);
      return;
    }
    const isMarked = hidesLower && showsLower && this.#shown(path)?.stat.isDirectory() === true;
    this.#treatment = isMarked ? { inside: [opaqueMarker(path)] } : 'as-is';
    this.#packer.file(top, name, path);
    const below = merged.map((part) => at.openDirAt(part, name));
    try {
      this.directory(below, path, showsLower && !hidesLower);
    } finally {
      below.forEach(closeSync);
    }
  }

  #leaf(dirFd: number, name: ByteString, path: ByteString, showsLower: boolean): void {
    const stat = at.statAt(dirFd, name);
    const isWhiteout =
      stat !== undefined &&
      isWhiteoutFile(stat, stat.isSymbolicLink() ? new Map<string, Buffer>() : at.xattrsAt(dirFd, name));
    if (isWhiteout && !(showsLower && this.#shown(path) !== undefined)) return;
    this.#treatment = isWhiteout ? { instead: [whiteoutMarker(path)] } : 'as-is';
    this.#packer.file(dirFd, name, path);
  }

  #shown(path: ByteString): ReturnType<typeof findShown> {
    return findShown(this.#lowerTrees, path, this.#budget);
  }
}
