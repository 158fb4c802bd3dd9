// What an overlay upper directory changes in the trees below it: docker's `diff`. A file counts as changed when its
// owner, mode, type, size, time or capabilities differ; a directory when its owner or mode does, or when something in it
// changed. A copy that overlayfs made without need is no change.

import { closeSync, readdirSync, type BigIntStats } from 'node:fs';
import { addon } from '../../native/addon.ts';
import * as at from '../../native/at.ts';
import { startInside } from '../../native/inside.ts';
import type { IdMap } from '../../native/plan.ts';
import type { UpperDirectory } from './diff.ts';
import type { ByteString, EntryType } from './entry.ts';
import { findShown, hostPath, LookBudget, type Shown } from './lower.ts';
import { isOpaque, isWhiteoutFile } from './overlay.ts';
import { joinPath } from './path.ts';
import { relative, stubsOn, type MountStubs } from './stubs.ts';
import { encodeBytes } from '../../core/bytes.ts';

/** Added, changed, deleted. */
export type ChangeKind = 'A' | 'C' | 'D';

export interface Change {
  kind: ChangeKind;
  /** Absolute, as bytes. */
  path: ByteString;
}

/** In the order of the paths' bytes. doing: first words of errors. */
export async function listChanges(
  source: UpperDirectory,
  idMap: IdMap | undefined,
  doing: string,
): Promise<Change[]> {
  const child = startInside({ doing, command: '__layer', request: { kind: 'changes', source }, idMap });
  const parts: Buffer[] = [];
  for await (const part of child.stdout as AsyncIterable<Buffer>) parts.push(part);
  await child.reply;
  return parseChanges(Buffer.concat(parts)).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Kind, path and a NUL for each: the only byte no path can hold. */
export function formatChange({ kind, path }: Change): Buffer {
  return Buffer.from(`${kind}${path}\0`, 'latin1');
}

function parseChanges(bytes: Buffer): Change[] {
  const texts = bytes.toString('latin1').split('\0').slice(0, -1);
  return texts.map((text) => ({ kind: text[0] as ChangeKind, path: text.slice(1) }));
}

/** The same in this process, in any order. */
export function findChanges(source: UpperDirectory, emit: (change: Change) => void): void {
  const root = at.openRoot(source.upper);
  try {
    new Comparison(source, emit).directory(root, '');
  } finally {
    closeSync(root);
  }
}

class Comparison {
  readonly #trees: readonly string[];
  readonly #stubs: MountStubs;
  readonly #volumes: ReadonlySet<ByteString>;
  readonly #emit: (change: Change) => void;
  readonly #budget = new LookBudget(Infinity);

  constructor({ lowerTrees, mountPoints, volumes }: UpperDirectory, emit: (change: Change) => void) {
    this.#trees = lowerTrees;
    this.#stubs = stubsOn(lowerTrees, mountPoints);
    this.#volumes = new Set(volumes.map(relative));
    this.#emit = emit;
  }

  /** Returns whether anything in it changed. */
  directory(dirFd: number, path: ByteString): boolean {
    const visits = at.namesIn(dirFd).map((name) => this.#visit(dirFd, name, joinPath(path, name)));
    return visits.includes(true);
  }

  #visit(dirFd: number, name: ByteString, path: ByteString): boolean {
    const stat = at.statAt(dirFd, name);
    if (stat === undefined) return false;
    const xattrs = stat.isSymbolicLink() ? new Map<string, Buffer>() : at.xattrsAt(dirFd, name);
    const below = findShown(this.#trees, path, this.#budget);
    if (isWhiteoutFile(stat, xattrs)) return below !== undefined && this.#tell('D', path);
    const type: EntryType = stat.isDirectory() ? 'dir' : 'file';
    if (stat.isDirectory() || stat.isFile()) {
      if (this.#stubs.isStub({ path, dirFd, name, stat, type }, xattrs)) return false;
    }
    const inside = stat.isDirectory() && this.#inside(dirFd, name, path, below, isOpaque(xattrs));
    if (below === undefined) return this.#tell('A', path);
    return (inside || isDifferent(stat, xattrs, below)) && this.#tell('C', path);
  }

  #inside(
    dirFd: number,
    name: ByteString,
    path: ByteString,
    below: Shown | undefined,
    opaque: boolean,
  ): boolean {
    if (this.#volumes.has(path)) return false;
    const fd = at.openDirAt(dirFd, name);
    try {
      const changed = this.directory(fd, path);
      if (!opaque || below?.stat.isDirectory() !== true) return changed;
      return this.#hidden(path, new Set(at.namesIn(fd))) || changed;
    } finally {
      closeSync(fd);
    }
  }

  /** Files of the lower trees that an opaque directory hides, unless it has one of that name. */
  #hidden(path: ByteString, present: ReadonlySet<ByteString>): boolean {
    const names = new Set(this.#trees.flatMap((tree) => namesBelow(tree, path)));
    const gone = [...names].filter(
      (name) =>
        !present.has(name) && findShown(this.#trees, joinPath(path, name), this.#budget) !== undefined,
    );
    for (const name of gone) this.#tell('D', joinPath(path, name));
    return gone.length > 0;
  }

  #tell(kind: ChangeKind, path: ByteString): true {
    this.#emit({ kind, path: `/${path}` });
    return true;
  }
}

function namesBelow(tree: string, path: ByteString): ByteString[] {
  if (findShown([tree], path, new LookBudget(Infinity))?.stat.isDirectory() !== true) return [];
  const names = readdirSync(hostPath(encodeBytes(tree), path), { encoding: 'buffer' });
  return names.map((name) => name.toString('latin1'));
}

const CAPABILITIES = 'security.capability';

function isDifferent(
  stat: BigIntStats,
  xattrs: ReadonlyMap<string, Buffer>,
  { stat: old, host }: Shown,
): boolean {
  if (stat.mode !== old.mode || stat.uid !== old.uid || stat.gid !== old.gid || stat.rdev !== old.rdev)
    return true;
  if (!stat.isDirectory() && (stat.size !== old.size || stat.mtimeNs !== old.mtimeNs)) return true;
  if (!stat.isFile()) return false;
  const [ours, theirs] = [xattrs.get(CAPABILITIES), addon().lgetxattr(host, CAPABILITIES)];
  return ours === undefined || theirs === undefined ? ours !== theirs : !ours.equals(theirs);
}
