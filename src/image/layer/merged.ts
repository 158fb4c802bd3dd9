// Directories of the merged trees of an image with what is in them, as overlayfs would show them: the reading side of
// everything that copies out of an image which is not mounted. Trees are as `apply.ts` makes them, so whiteouts are
// devices 0:0 and opaque directories carry an attribute; nothing renames or redirects.

import { lstatSync, readdirSync } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { addon } from '../../native/addon.ts';
import type { ByteString } from './entry.ts';
import { findShown, hostPath, LookBudget, resolveShown, type Shown } from './lower.ts';
import { OPAQUE_XATTR } from './xattrs.ts';

/** A directory: the host directories that it is merged from, topmost first. The first one gives the attributes. */
export interface MergedDir extends Shown {
  parts: Buffer[];
}

export type MergedEntry = MergedDir | (Shown & { parts?: undefined });

/**
 * The directory at a container path, links resolved inside the trees alone. Undefined: nothing, or no directory, is there.
 * @param trees bottom first
 * @throws system errors: a directory on the way may be closed to who looks
 */
export function findMergedDir(trees: readonly string[], containerPath: string): MergedDir | undefined {
  const budget = new LookBudget();
  const wanted = encodeBytes(containerPath).toString('latin1');
  const path = resolveShown(trees, '', wanted, budget);
  if (path === undefined) return undefined;
  if (path === '') return mergedOf([...trees].reverse().map((tree) => hostPath(encodeBytes(tree), '')));
  if (findShown(trees, path, budget)?.stat.isDirectory() !== true) return undefined;
  let at = mergedOf([...trees].reverse().map((tree) => hostPath(encodeBytes(tree), '')));
  for (const part of path.split('/')) {
    const next = at === undefined ? undefined : lookUp(at.parts, part);
    if (next?.parts === undefined) return undefined;
    at = next;
  }
  return at;
}

/** What is in it, by name. @throws system errors */
export function listMerged({ parts }: MergedDir): Map<ByteString, MergedEntry> {
  const names = new Set<ByteString>();
  for (const part of parts)
    for (const name of readdirSync(part, { encoding: 'buffer' })) names.add(name.toString('latin1'));
  const entries = new Map<ByteString, MergedEntry>();
  for (const name of names) {
    const entry = lookUp(parts, name);
    if (entry !== undefined) entries.set(name, entry);
  }
  return entries;
}

function lookUp(parts: readonly Buffer[], name: ByteString): MergedEntry | undefined {
  const dirs: Buffer[] = [];
  for (const part of parts) {
    const host = hostPath(part, name);
    const stat = lstatSync(host, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isDirectory()) {
      // A whiteout, or a file that a directory above it hides.
      if (dirs.length > 0 || (stat.isCharacterDevice() && stat.rdev === 0n)) break;
      return { host, stat };
    }
    dirs.push(host);
    if (addon().lgetxattr(host, OPAQUE_XATTR) !== undefined) break;
  }
  return mergedOf(dirs);
}

function mergedOf(parts: Buffer[]): MergedDir | undefined {
  const [host] = parts;
  return host === undefined ? undefined : { host, stat: lstatSync(host, { bigint: true }), parts };
}
