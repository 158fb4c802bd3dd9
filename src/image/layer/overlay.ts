// What overlayfs, mounted with `userxattr`, leaves in an upper directory (pure; kernel: filesystems/overlayfs.rst).

import type { BigIntStats } from 'node:fs';
import { OPAQUE_XATTR } from './xattrs.ts';

/** Since Linux 6.7 an empty file with this attribute is a whiteout too; the kernel itself makes devices. */
const WHITEOUT_XATTR = 'user.overlay.whiteout';

export function isWhiteoutFile(stat: BigIntStats, xattrs: ReadonlyMap<string, Buffer>): boolean {
  if (stat.isCharacterDevice() && stat.rdev === 0n) return true;
  return stat.isFile() && stat.size === 0n && xattrs.has(WHITEOUT_XATTR);
}

/** Hides all that lower layers have in this directory. ("x" would mean that it may hold whiteouts by attribute.) */
export function isOpaque(xattrs: ReadonlyMap<string, Buffer>): boolean {
  return xattrs.get(OPAQUE_XATTR)?.toString('latin1') === 'y';
}
