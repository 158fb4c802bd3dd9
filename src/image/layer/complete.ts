// A layer may put files into directories that it does not list. Those keep what the layers below say of them: they get the
// owner, mode, time and attributes that the merged lower trees show (image-spec layer.md, "Applying Changesets").

import { closeSync, constants, lstatSync, openSync, type BigIntStats } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { addon, type Tree } from '../../native/addon.ts';
import type { ByteString } from './entry.ts';
import { OPAQUE_XATTR } from './xattrs.ts';

export interface CompleteRequest {
  dest: string;
  /** From unpackHere: parents first. */
  unlisted: readonly ByteString[];
  /** Bottom first. */
  lowerTrees: readonly string[];
}

/** What the merged lower trees have at a path. `host` is the file that shows. */
interface Lower {
  host: Buffer;
  stat: BigIntStats;
}

/**
 * Runs as root of the trees' user namespace, or as whoever owns the directories. @throws system errors
 * @returns the directories that need more rights than ours: with root's, none
 */
export function completeHere({ dest, unlisted, lowerTrees }: CompleteRequest): ByteString[] {
  const root = openSync(dest, constants.O_RDONLY | constants.O_DIRECTORY);
  const tree = new (addon().Tree)(root);
  try {
    // Deepest first: a parent may be made unsearchable.
    const left = [...unlisted].reverse().filter((path) => {
      const lower = findLower(lowerTrees, path);
      return lower?.stat.isDirectory() === true && !copyAttributes(tree, path, lower);
    });
    return left.reverse();
  } finally {
    tree.close();
    closeSync(root);
  }
}

/** False, with nothing changed, when the owner is another and cannot be set by us. */
function copyAttributes(tree: Tree, path: ByteString, { host, stat }: Lower): boolean {
  const native = addon();
  const [, uid, gid] = tree.stat(path) ?? [];
  const names = native.llistxattr(host).filter((name) => name !== OPAQUE_XATTR);
  const sameOwner = BigInt(uid ?? -1) === stat.uid && BigInt(gid ?? -1) === stat.gid;
  if (process.geteuid?.() !== 0 && (!sameOwner || names.length > 0 || uid !== process.geteuid?.()))
    return false;
  const nsec = ((stat.mtimeNs % BILLION) + BILLION) % BILLION;
  const sec = Number((stat.mtimeNs - nsec) / BILLION);
  tree.setDir(path, Number(stat.mode) & 0o7777, Number(stat.uid), Number(stat.gid), sec, Number(nsec));
  for (const name of names) {
    const value = native.lgetxattr(host, name);
    if (value !== undefined) tree.setXattr(path, name, value);
  }
  return true;
}

const BILLION = 1_000_000_000n;

/** As overlayfs would show it: whiteouts and opaque directories hide what is below. Links are not followed. */
function findLower(lowerTrees: readonly string[], path: ByteString): Lower | undefined {
  let trees = [...lowerTrees].reverse().map(encodeBytes);
  const parts = path === '' ? [''] : path.split('/').map((_, i, all) => all.slice(0, i + 1).join('/'));
  let found: Lower | undefined;
  for (const part of parts) {
    const visible: Buffer[] = [];
    found = undefined;
    for (const tree of trees) {
      const host = Buffer.concat([tree, Buffer.from(`/${part}`, 'latin1')]);
      const stat = lstatSync(host, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (!stat.isDirectory()) {
        // A whiteout, or a file that a directory above it hides.
        if (visible.length === 0 && !(stat.isCharacterDevice() && stat.rdev === 0n)) found = { host, stat };
        break;
      }
      found ??= { host, stat };
      visible.push(tree);
      if (addon().lgetxattr(host, OPAQUE_XATTR) !== undefined) break;
    }
    trees = visible;
  }
  return found;
}
