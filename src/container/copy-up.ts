// The child's side of volumes.ts: copies what an image has at a mount point into an empty volume, with owner, mode, times,
// extended attributes and hard links, as root of the container's user namespace. The layers' trees do not change while they
// are read, so what was seen as a directory stays one; what is written goes through Tree, beneath the volume's folder.

import { closeSync, constants, openSync, readSync, type BigIntStats } from 'node:fs';
import { errnoOf, EngineError } from '../core/errors.ts';
import { timesOf } from '../core/times.ts';
import type { ByteString } from '../image/layer/entry.ts';
import { linkTarget } from '../image/layer/lower.ts';
import { findMergedDir, listMerged, type MergedDir, type MergedEntry } from '../image/layer/merged.ts';
import { encodeFailure } from '../image/layer/messages.ts';
import { addon, type Tree } from '../native/addon.ts';
import { storeError } from '../store/io.ts';
import { fillHere } from '../volume/fill.ts';

export interface FillRequest {
  /** Who asks: without it nobody holds the volume's lock. */
  parent: number;
  /** Name of the volume, for messages, and its folder. */
  name: string;
  dir: string;
  /** Undefined: only finish what was begun. */
  copy:
    | {
        /** layers/<mapKey>, and the names of the trees in it, bottom first. */
        treesDir: string;
        chains: readonly string[];
        /** Container path. */
        target: string;
      }
    | undefined;
  /** Durable before it counts. */
  sync: boolean;
}

/** Never throws: an error is the reply. */
export function serveFill(text: string): { reply: string; status: number } {
  try {
    fill(JSON.parse(text) as FillRequest);
    return { reply: '{}', status: 0 };
  } catch (error) {
    return { reply: encodeFailure(error), status: 125 };
  }
}

function fill({ parent, name, dir, copy, sync }: FillRequest): void {
  const doing = `filling volume ${JSON.stringify(name)} with the image's content`;
  if (!addon().dieWithParent(parent)) throw new EngineError('CANCELLED', `${doing}: nobody waits for it`);
  process.umask(0); // modes are exactly the image's
  try {
    fillHere(dir, copy === undefined ? undefined : (tree, into) => copyUp(tree, into, copy), sync);
  } catch (error) {
    throw storeError(doing, dir, error);
  }
}

function copyUp(
  tree: Tree,
  into: string,
  { treesDir, chains, target }: NonNullable<FillRequest['copy']>,
): void {
  const source = findMergedDir(
    chains.map((chain) => `${treesDir}/${chain}`),
    target,
  );
  if (source === undefined) return;
  new Copier(tree).dir(source, into);
}

const CHUNK_BYTES = 1 << 20;

class Copier {
  readonly #tree: Tree;
  /** Where the first name of a file with several names went. */
  readonly #linked = new Map<string, ByteString>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** Its content into a directory that is there, then its attributes. */
  dir(source: MergedDir, path: ByteString): void {
    for (const [name, entry] of listMerged(source)) this.#entry(entry, `${path}/${name}`);
    this.#xattrs(source, path);
    const { mode, uid, gid, sec, nsec } = attributesOf(source.stat);
    this.#tree.setDir(path, mode, uid, gid, sec, nsec);
  }

  #entry(entry: MergedEntry, path: ByteString): void {
    const { stat } = entry;
    if (entry.parts !== undefined) {
      this.#tree.makeDir(path);
      this.dir(entry, path);
      return;
    }
    if (stat.nlink > 1n) {
      const key = `${stat.dev}:${stat.ino}`;
      const first = this.#linked.get(key);
      if (first !== undefined) {
        this.#tree.link(first, path);
        return;
      }
      this.#linked.set(key, path);
    }
    const { mode, uid, gid, sec, nsec } = attributesOf(stat);
    if (stat.isFile()) this.#file(entry, path);
    else if (stat.isSymbolicLink()) this.#tree.symlink(path, linkTarget(entry), uid, gid, sec, nsec);
    else if (!stat.isSocket()) {
      // Devices only where we are root of the host; elsewhere layers have files that stand for them.
      const [major, minor] = deviceOf(stat.rdev);
      this.#tree.makeNode(path, (Number(stat.mode) & 0o170000) | mode, major, minor, uid, gid, sec, nsec);
    } else return;
    if (!stat.isSymbolicLink()) this.#xattrs(entry, path);
  }

  /** Blocks of zeros become holes. */
  #file({ host, stat }: MergedEntry, path: ByteString): void {
    const { mode, uid, gid, sec, nsec } = attributesOf(stat);
    const buffer = this.#buffer;
    const fd = openSync(host, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      let length = readSync(fd, buffer, 0, buffer.length, 0);
      if (length < buffer.length) {
        this.#tree.writeFile(path, mode, uid, gid, sec, nsec, buffer, 0, length);
        return;
      }
      this.#tree.begin(path, mode);
      let position = 0;
      for (; length > 0; length = readSync(fd, buffer, 0, buffer.length, position)) {
        if (!isZero(buffer.subarray(0, length))) this.#tree.write(buffer, 0, length, position);
        position += length;
      }
      this.#tree.finish(position, mode, uid, gid, sec, nsec);
    } finally {
      closeSync(fd);
    }
  }

  #xattrs({ host }: MergedEntry, path: ByteString): void {
    for (const name of addon().llistxattr(host)) {
      // overlayfs' own book-keeping, and a label that is the host's to give.
      if (name.startsWith('user.overlay.') || name === 'security.selinux') continue;
      const value = addon().lgetxattr(host, name);
      if (value === undefined) continue;
      try {
        this.#tree.setXattr(path, name, value);
      } catch (error) {
        // An ACL may name ids that this namespace does not have.
        if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) throw error;
      }
    }
  }
}

const ZEROS = Buffer.alloc(CHUNK_BYTES);

function isZero(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && ZEROS.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}

function attributesOf(stat: BigIntStats) {
  const { mtimeSec: sec, mtimeNsec: nsec } = timesOf(stat);
  return { mode: Number(stat.mode) & 0o7777, uid: Number(stat.uid), gid: Number(stat.gid), sec, nsec };
}

/** makedev(3), as glibc packs it. */
function deviceOf(rdev: bigint): [major: number, minor: number] {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return [Number(major), Number(minor)];
}
