// A layer may put files into directories that it does not list. Those keep what lower layers say of them: this gives them
// the owner, mode, time and attributes of the topmost lower tree that has them (image-spec layer.md, "Applying Changesets").

import { closeSync, constants, lstatSync, openSync, type BigIntStats } from 'node:fs';
import { addon, type Addon, type Tree } from '../../native/addon.ts';
import type { ByteString } from './entry.ts';
import { OPAQUE_XATTR } from './xattrs.ts';

export interface CompleteRequest {
  dest: string;
  /** From unpackHere: parents first. */
  unlisted: readonly ByteString[];
  /** Bottom first. */
  lowerTrees: readonly string[];
}

/** Runs as root of the trees' user namespace. @throws system errors */
export function completeHere({ dest, unlisted, lowerTrees }: CompleteRequest): void {
  const native = addon();
  const root = openSync(dest, constants.O_RDONLY | constants.O_DIRECTORY);
  const tree = new native.Tree(root);
  try {
    // Deepest first: a parent may be made unsearchable.
    for (const path of [...unlisted].reverse()) completeDirectory(native, tree, path, lowerTrees);
  } finally {
    tree.close();
    closeSync(root);
  }
}

function completeDirectory(native: Addon, tree: Tree, path: ByteString, lowerTrees: readonly string[]): void {
  const found = topmost(lowerTrees, path);
  if (found === undefined) return;
  const { host, stat } = found;
  const nsec = Number(((stat.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  const sec = Number((stat.mtimeNs - BigInt(nsec)) / 1_000_000_000n);
  tree.setDir(path, Number(stat.mode) & 0o7777, Number(stat.uid), Number(stat.gid), sec, nsec);
  for (const name of native.llistxattr(host)) {
    if (name === OPAQUE_XATTR) continue;
    const value = native.lgetxattr(host, name);
    if (value !== undefined) tree.setXattr(path, name, value);
  }
}

/** Nothing that a layer in between removed counts. */
function topmost(
  lowerTrees: readonly string[],
  path: ByteString,
): { host: Buffer; stat: BigIntStats } | undefined {
  for (const lower of [...lowerTrees].reverse()) {
    const host = Buffer.concat([Buffer.from(`${lower}/`), Buffer.from(path, 'latin1')]);
    const stat = lstatSync(host, { bigint: true, throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return { host, stat };
    if (stat !== undefined) return undefined;
  }
  return undefined;
}
