// A layer may put files into directories that it does not list. Those keep what the layers below say of them: they get the
// owner, mode, time and attributes that the merged lower trees show (image-spec layer.md, "Applying Changesets").

import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { timesOf } from '../../core/times.ts';
import { addon, type Tree } from '../../native/addon.ts';
import type { ByteString } from './entry.ts';
import { findShown, hostPath, LookBudget, type Shown } from './lower.ts';
import { relocate } from './relocate.ts';
import { OPAQUE_XATTR } from './xattrs.ts';

export interface CompleteRequest {
  dest: string;
  /** From unpackHere: parents first. */
  unlisted: readonly ByteString[];
  /** Bottom first. */
  lowerTrees: readonly string[];
}

/** Runs as root of the trees' user namespace. @throws system errors */
export function completeHere(request: CompleteRequest): void {
  withTree(request.dest, (tree) => {
    const budget = new LookBudget();
    const unlisted = relocate(tree, request.dest, request.unlisted, request.lowerTrees, budget);
    // Deepest first: a parent may be made unsearchable.
    for (const path of unlisted.reverse()) {
      const shown = findShown(request.lowerTrees, path, budget);
      if (shown?.stat.isDirectory() === true) copyAttributes(tree, path, shown);
    }
  });
}

/**
 * The same for the usual case, a root that is not listed and belongs to the caller anyway, without more rights than his.
 * @returns false, with nothing done, when it is not that case
 */
export function completeOwnRoot({ dest, unlisted, lowerTrees }: CompleteRequest): boolean {
  if (unlisted.length !== 1 || unlisted[0] !== '') return false;
  return withTree(dest, (tree) => {
    // Each tree has a root, so the topmost one shows. Not findShown: the caller may not read attributes of what he does
    // not own.
    const host = hostPath(encodeBytes(lowerTrees.at(-1) as string), '');
    const shown: Shown = { host, stat: lstatSync(host, { bigint: true }) };
    const [, uid, gid] = tree.stat('') ?? [];
    if (Number(shown.stat.uid) !== uid || Number(shown.stat.gid) !== gid) return false;
    if (uid !== process.geteuid?.() || attributeNames(shown).length > 0) return false;
    copyAttributes(tree, '', shown);
    return true;
  });
}

function withTree<T>(dest: string, action: (tree: Tree) => T): T {
  const root = openSync(dest, constants.O_RDONLY | constants.O_DIRECTORY);
  const tree = new (addon().Tree)(root);
  try {
    return action(tree);
  } finally {
    tree.close();
    closeSync(root);
  }
}

function copyAttributes(tree: Tree, path: ByteString, shown: Shown): void {
  const { mode, uid, gid } = shown.stat;
  const { mtimeSec, mtimeNsec } = timesOf(shown.stat);
  tree.setDir(path, Number(mode) & 0o7777, Number(uid), Number(gid), mtimeSec, mtimeNsec);
  for (const name of attributeNames(shown)) {
    const value = addon().lgetxattr(shown.host, name);
    if (value !== undefined) tree.setXattr(path, name, value);
  }
}

function attributeNames({ host }: Shown): string[] {
  return addon()
    .llistxattr(host)
    .filter((name) => name !== OPAQUE_XATTR);
}
