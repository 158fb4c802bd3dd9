// A layer may name "lib/x" without listing "lib", while "lib" is a link to "usr/lib" in the layers below (every Debian
// image is like that). What it means is usr/lib/x; left as it is, the new directory would hide the link and all of /lib.
// containerd and umoci unpack on top of the merged layers and so follow the link; here the files move after the fact.

import { readdirSync } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import type { Tree } from '../../native/addon.ts';
import { isWhiteout, type ByteString } from './entry.ts';
import { findShown, hostPath, linkTarget, LookBudget, resolveShown } from './lower.ts';
import { joinPath, parentOf } from './path.ts';
import { OPAQUE_VALUE, OPAQUE_XATTR } from './xattrs.ts';

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
/** As many as path_resolution(7) follows links. */
const MAX_MOVES = 40;

/**
 * @param unlisted directories that the layer uses but does not list, parents first
 * @returns what is unlisted afterwards, parents first
 */
export function relocate(
  tree: Tree,
  dest: string,
  unlisted: readonly ByteString[],
  lowerTrees: readonly string[],
  budget: LookBudget,
) {
  const result = new Set<ByteString>();
  const moved = new Map<ByteString, ByteString>();
  for (const listedAs of unlisted) {
    const path = movedPath(listedAs, moved);
    const shown = path === '' ? undefined : findShown(lowerTrees, path, budget);
    const target =
      shown?.stat.isSymbolicLink() === true
        ? resolveShown([...lowerTrees, dest], parentOf(path), linkTarget(shown), budget)
        : undefined;
    // A link to what is below itself cannot be followed; nor one that ends where it is.
    if (target === undefined || target === path || target.startsWith(`${path}/`)) {
      result.add(path);
      continue;
    }
    if (!makeDirs(tree, target, result)) {
      result.add(path);
      continue;
    }
    merge(tree, dest, path, target);
    moved.set(path, target);
  }
  return [...result].sort((a, b) => a.length - b.length);
}

/** Where `path` is after the moves so far; a move may have gone into a directory that moved later. */
function movedPath(path: ByteString, moved: ReadonlyMap<ByteString, ByteString>): ByteString {
  let at = path;
  for (let moves = 0; moves < MAX_MOVES; moves++) {
    const next = movedOnce(at, moved);
    if (next === undefined) break;
    at = next;
  }
  return at;
}

function movedOnce(path: ByteString, moved: ReadonlyMap<ByteString, ByteString>): ByteString | undefined {
  if (moved.size === 0) return undefined;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const to = moved.get(path.slice(0, end));
    if (to !== undefined) return joinPath(to, path.slice(end + 1)).replace(/\/$/, '');
  }
  return undefined;
}

/** False: something that is no directory is in the way. */
function makeDirs(tree: Tree, path: ByteString, made: Set<ByteString>): boolean {
  const parts = path === '' ? [] : path.split('/');
  for (let i = 1; i <= parts.length; i++) {
    const dir = parts.slice(0, i).join('/');
    const stat = tree.stat(dir);
    if (stat !== undefined && (stat[0] & S_IFMT) === S_IFDIR) continue;
    if (stat !== undefined && !isWhiteout(stat)) return false;
    if (stat !== undefined) tree.remove(dir);
    tree.makeDir(dir);
    // Until the trees below say something else. The time is a fixed one, so that unpacking twice gives the same.
    tree.setDir(dir, 0o755, 0, 0, 0, 0);
    if (stat !== undefined) tree.setXattr(dir, OPAQUE_XATTR, OPAQUE_VALUE);
    made.add(dir);
  }
  return true;
}

/** Moves everything in `from` to `to`, which both exist; what comes wins. Directories keep their times. */
function merge(tree: Tree, dest: string, from: ByteString, to: ByteString): void {
  const shown = findShown([dest], to, new LookBudget());
  const names = readdirSync(hostPath(encodeBytes(dest), from), { encoding: 'buffer' });
  for (const name of names) {
    const [source, target] = [from, to].map((dir) => joinPath(dir, name.toString('latin1'))) as [
      string,
      string,
    ];
    const [sourceIsDir, there] = [isDir(tree, source), tree.stat(target)];
    if (there !== undefined && sourceIsDir && isDir(tree, target)) {
      merge(tree, dest, source, target);
      continue;
    }
    if (there !== undefined) tree.remove(target);
    tree.rename(source, target);
    if (there !== undefined && sourceIsDir) tree.setXattr(target, OPAQUE_XATTR, OPAQUE_VALUE);
  }
  tree.remove(from);
  if (shown === undefined) return;
  const { mode, uid, gid, mtimeNs } = shown.stat;
  const nsec = ((mtimeNs % BILLION) + BILLION) % BILLION;
  tree.setDir(
    to,
    Number(mode) & 0o7777,
    Number(uid),
    Number(gid),
    Number((mtimeNs - nsec) / BILLION),
    Number(nsec),
  );
}

const BILLION = 1_000_000_000n;

function isDir(tree: Tree, path: ByteString): boolean {
  return ((tree.stat(path)?.[0] ?? 0) & S_IFMT) === S_IFDIR;
}
