// Mount points in an upper directory that nobody but the mounts needed: empty files and directories, and the directories
// above them that overlayfs copied up on the way. A directory whose owner or mode was changed is a change all the same.

import { closeSync, type BigIntStats } from 'node:fs';
import * as at from '../../native/at.ts';
import type { ByteString } from './entry.ts';
import { findShown, LookBudget } from './lower.ts';
import { isOpaque } from './overlay.ts';
import type { Found } from './pack.ts';
import { joinPath, parentOf } from './path.ts';
import { OWNER_XATTR } from './xattrs.ts';

type Attributes = (path: ByteString, stat: BigIntStats, xattrs: ReadonlyMap<string, Buffer>) => boolean;

/** The mount points and the directories above them; what they had below the upper directory is in `lowerTrees`. */
export function stubsOn(lowerTrees: readonly string[], mountPoints: readonly ByteString[]): MountStubs {
  const paths = new Set<ByteString>();
  for (const point of mountPoints)
    for (let path = relative(point); path !== ''; path = parentOf(path)) paths.add(path);
  const budget = new LookBudget(Infinity);
  return new MountStubs(paths, (path, stat, xattrs) => {
    const below = findShown(lowerTrees, path, budget)?.stat;
    if (below?.isDirectory() !== true) return false;
    const isSame = stat.mode === below.mode && stat.uid === below.uid && stat.gid === below.gid;
    return !isSame || xattrs.has(OWNER_XATTR);
  });
}

export class MountStubs {
  readonly #paths: ReadonlySet<ByteString>;
  readonly #isChanged: Attributes;

  /** isChanged: whether a directory was there before, and is another one now. */
  constructor(paths: Iterable<ByteString>, isChanged: Attributes = () => false) {
    this.#paths = new Set(paths);
    this.#isChanged = isChanged;
  }

  /** Whether a stub could be there: costs nothing. */
  has(path: ByteString): boolean {
    return this.#paths.has(path);
  }

  isStub({ path, dirFd, name, stat, type }: Found, xattrs: ReadonlyMap<string, Buffer>): boolean {
    if (!this.#paths.has(path)) return false;
    if (type === 'file') return stat.size === 0n;
    if (type !== 'dir' || isOpaque(xattrs) || this.#isChanged(path, stat, xattrs)) return false;
    const fd = at.openDirAt(dirFd, name);
    try {
      return at.namesIn(fd).every((inside) => this.#isStubIn(fd, inside, joinPath(path, inside)));
    } finally {
      closeSync(fd);
    }
  }

  #isStubIn(dirFd: number, name: ByteString, path: ByteString): boolean {
    if (!this.#paths.has(path)) return false;
    const stat = at.statAt(dirFd, name);
    if (stat === undefined) return true;
    const type = stat.isDirectory() ? 'dir' : stat.isFile() ? 'file' : undefined;
    return type !== undefined && this.isStub({ path, dirFd, name, stat, type }, at.xattrsAt(dirFd, name));
  }
}

/** "/etc/hosts" → "etc/hosts" */
export function relative(containerPath: ByteString): ByteString {
  return containerPath.replace(/^\/+|\/+$/g, '');
}
