// The root file system after a step: a stack of layers. Those that are stored have a diff id, a blob and, under the name of
// their chain, a tree; one that this build has just made is used from where it is, while its tar is still being written.

import { closeSync } from 'node:fs';
import { openPlace } from '../native/at.ts';
import { inheritedPath } from '../native/launch.ts';
import type { CachedLayer } from '../store/build-cache.ts';
import { chainIdsOf } from '../store/parse.ts';
import type { Digest } from '../core/digest.ts';

export interface FreshLayer {
  /** Where its tree is just now. */
  readonly dir: string;
  /** Undefined: the step changed nothing, and so made no layer. */
  readonly stored: Promise<CachedLayer | undefined>;
}

export interface Snapshot {
  /** Bottom first. */
  readonly stored: readonly CachedLayer[];
  /** On top of those. */
  readonly fresh: readonly FreshLayer[];
  /** Of each step since the base: whether it made a layer. */
  readonly made: readonly Promise<boolean>[];
}

/** All layers, once the fresh ones are stored. */
export async function storedLayers({ stored, fresh }: Snapshot): Promise<CachedLayer[]> {
  const made = await Promise.all(fresh.map((layer) => layer.stored));
  return [...stored, ...made.filter((layer) => layer !== undefined)];
}

export function chainsOf(layers: readonly CachedLayer[]): Digest[] {
  return chainIdsOf(layers.map(({ diffId }) => diffId));
}

/** The trees of a snapshot, held open for a child process that is to be started. */
export class HeldTrees {
  /** As the child finds them, topmost first; never empty. */
  readonly lower: string[];
  /** To hand over, as of launch.ts. */
  readonly dirs: number[] = [];

  /**
   * @param stored host paths of the stored layers' trees, bottom first
   * @param empty what overlayfs gets in the place of no layer at all
   */
  constructor(stored: readonly string[], fresh: readonly FreshLayer[], empty: string) {
    const first = this.dirs.length;
    for (const { dir } of fresh) this.dirs.push(openPlace(dir));
    const inherited = fresh.map((_, i) => inheritedPath(first + i));
    const all = [...stored, ...inherited].reverse();
    this.lower = all.length === 0 ? [empty] : all;
  }

  /** Ours; the child has its own by then. */
  close(): void {
    for (const fd of this.dirs.splice(0)) closeSync(fd);
  }
}
