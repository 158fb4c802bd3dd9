// What mounts leave in the upper directory of a step: the places for them that were not there, made through whatever links
// lead to them, and directories above that overlayfs copied up although nobody changed them.

import { lstatSync, type Stats } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { errnoOf } from '../../core/errors.ts';
import type { ByteString } from '../../image/layer/entry.ts';
import { OWNER_XATTR } from '../../image/layer/xattrs.ts';
import { addon } from '../../native/addon.ts';
import { traceInRoot, type RootStack } from '../../runtime/root-file.ts';
import { toByteString } from '../context/text.ts';

/** A directory or file on the way to a mount, or the place of the mount itself. */
export interface Place {
  /** Real path in the root file system, without a slash at its start. */
  path: string;
  /** Undefined: it is made for the mount. */
  before: Stats | undefined;
}

/** To be asked before the step runs: it may change the links. */
export function placesOf(stack: RootStack, targets: readonly string[]): Place[] {
  const places = new Map<string, Place>();
  for (const target of targets)
    for (const { path, hostPath } of traceInRoot(stack, target))
      if (!places.has(path))
        places.set(path, { path, before: hostPath === undefined ? undefined : statOf(hostPath) });
  return [...places.values()];
}

/** Those of the places that are no change of the step's. */
export function stubsIn(upper: string, places: readonly Place[]): ByteString[] {
  const isOurs = ({ path, before }: Place): boolean =>
    before === undefined || isSame(`${upper}/${path}`, before);
  return places.filter(isOurs).map(({ path }) => toByteString(path));
}

function isSame(hostPath: string, before: Stats): boolean {
  const now = statOf(hostPath);
  if (now === undefined) return true; // not in the upper directory
  if (now.mode !== before.mode || now.uid !== before.uid || now.gid !== before.gid) return false;
  // Where there is a single id, another owner is only written down.
  return addon().lgetxattr(encodeBytes(hostPath), OWNER_XATTR) === undefined;
}

function statOf(hostPath: string): Stats | undefined {
  try {
    return lstatSync(encodeBytes(hostPath), { throwIfNoEntry: false });
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined; // below a directory that is closed to us: nothing to compare
    throw error;
  }
}
