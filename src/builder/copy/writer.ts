// Makes files beneath the root that is copied into, with their attributes. What a single id or an unprivileged user cannot
// make is noted on the file, as when layers are unpacked (image/layer/apply.ts). Directories get theirs at the end: their
// times change with every file made inside, and a read-only one would be in the way.

import { EngineError, errnoOf } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { Notes } from '../../image/layer/notes.ts';
import type { SpaceGuard } from '../../image/layer/space.ts';
import {
  DEVICE_XATTR,
  OWNER_XATTR,
  deviceValue,
  isReservedXattr,
  ownerValue,
} from '../../image/layer/xattrs.ts';
import type { Tree } from '../../native/addon.ts';
import type { Ground } from './ground.ts';

export interface Attributes {
  mode: number;
  containerUid: number;
  containerGid: number;
  mtimeSec: number;
  mtimeNsec: number;
  xattrs: Iterable<readonly [name: ByteString, value: Uint8Array]>;
}

export interface Device {
  type: 'char' | 'block' | 'fifo';
  devMajor: number;
  devMinor: number;
}

const TYPE_BITS = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

export class Writer {
  readonly #ground: Ground;
  readonly #tree: Tree;
  readonly #space: SpaceGuard;
  readonly #notes = new Notes();
  /** In the order of making, so that the reverse is deepest first. */
  readonly #dirs = new Map<ByteString, Attributes>();
  #files = 0;
  #bytes = 0;

  /** Sets the process's umask to 0: modes are exactly what they are said to be. */
  constructor(tree: Tree, space: SpaceGuard, ground: Ground) {
    process.umask(0);
    this.#tree = tree;
    this.#space = space;
    this.#ground = ground;
  }

  get files(): number {
    return this.#files;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get notes(): string[] {
    return this.#notes.lines();
  }

  /** There is to be room for a file that somebody else makes. */
  reserve(sizeBytes: number): void {
    this.#space.file(sizeBytes);
  }

  /** Such a file is there, with its attributes. */
  made(sizeBytes: number): void {
    this.#files++;
    this.#bytes += sizeBytes;
  }

  /** `fill` writes sizeBytes bytes by Tree.write or Tree.copy. */
  file(path: ByteString, attributes: Attributes, sizeBytes: number, fill: () => void): void {
    this.beginFile(path, attributes, sizeBytes);
    fill();
    this.endFile(path, attributes, -1);
    this.#bytes += sizeBytes;
  }

  beginFile(path: ByteString, { mode }: Attributes, storedBytes: number): void {
    this.#space.file(storedBytes);
    this.#creating(path, () => this.#tree.begin(path, mode));
  }

  /** size: -1, or what the file's length is to be. */
  endFile(path: ByteString, attributes: Attributes, size: number): void {
    const { mode, containerUid, containerGid, mtimeSec, mtimeNsec } = attributes;
    const kept = this.#tree.finish(size, mode, containerUid, containerGid, mtimeSec, mtimeNsec);
    this.#afterMaking(path, attributes, kept, true);
    this.#files++;
  }

  /** Made now, with its attributes later. False: there was one already. */
  dir(path: ByteString, attributes: Attributes): boolean {
    const isNew = this.#tree.makeDir(path);
    if (isNew) {
      this.#space.file(0);
      this.#files++;
    }
    this.#ground.made(path);
    this.#dirs.delete(path);
    this.#dirs.set(path, attributes);
    return isNew;
  }

  symlink(path: ByteString, target: ByteString, attributes: Attributes): void {
    this.#space.file(0);
    const { containerUid, containerGid, mtimeSec, mtimeNsec } = attributes;
    const kept = this.#creating(path, () =>
      this.#tree.symlink(path, target, containerUid, containerGid, mtimeSec, mtimeNsec),
    );
    this.#afterMaking(path, attributes, kept, false);
    this.#files++;
  }

  link(path: ByteString, existing: ByteString): void {
    if (existing === path) return;
    this.#creating(path, () => this.#tree.link(existing, path));
    this.#files++;
  }

  node(path: ByteString, device: Device, attributes: Attributes): void {
    this.#space.file(0);
    const { mode, containerUid: uid, containerGid: gid, mtimeSec, mtimeNsec } = attributes;
    const { type, devMajor, devMinor } = device;
    let kept: boolean;
    try {
      kept = this.#creating(path, () =>
        this.#tree.makeNode(path, mode | TYPE_BITS[type], devMajor, devMinor, uid, gid, mtimeSec, mtimeNsec),
      );
      this.#afterMaking(path, attributes, kept, false);
    } catch (error) {
      if (type === 'fifo' || errnoOf(error) !== 'EPERM') throw error;
      // Only real root makes device nodes: an empty file says which one it is.
      if (!path.startsWith('dev/')) this.#notes.add('device', path);
      kept = this.#tree.writeFile(path, mode, uid, gid, mtimeSec, mtimeNsec, new Uint8Array(), 0, 0);
      this.#setXattr(path, DEVICE_XATTR, deviceValue({ type, devMajor, devMinor }));
      this.#afterMaking(path, attributes, kept, true);
    }
    this.#files++;
  }

  /** Forgets directories that are gone. */
  forget(path: ByteString): void {
    for (const dir of this.#dirs.keys())
      if (dir === path || dir.startsWith(`${path}/`)) this.#dirs.delete(dir);
  }

  /** Gives directories their attributes; after that nothing may be made. */
  finish(): void {
    for (const [path, attributes] of [...this.#dirs].reverse()) {
      const { mode, containerUid, containerGid, mtimeSec, mtimeNsec } = attributes;
      const kept = this.#tree.setDir(path, mode, containerUid, containerGid, mtimeSec, mtimeNsec);
      this.#afterMaking(path, attributes, kept, true);
    }
  }

  #creating<T>(path: ByteString, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    this.#ground.remove(path);
    return make();
  }

  /** mayNote: links and nodes cannot have user xattrs. */
  #afterMaking(path: ByteString, attributes: Attributes, ownerKept: boolean, mayNote: boolean): void {
    if (!ownerKept) {
      this.#notes.add('owner', path);
      if (mayNote) this.#setXattr(path, OWNER_XATTR, ownerValue(attributes));
    }
    for (const [name, value] of attributes.xattrs)
      if (!isReservedXattr(name)) this.#setXattr(path, name, value);
  }

  /** What this file system or our rights do not allow is told, and no error: docker does the same. */
  #setXattr(path: ByteString, name: ByteString, value: Uint8Array): void {
    try {
      this.#tree.setXattr(path, name, value);
    } catch (error) {
      const harmless = ['EPERM', 'ENOTSUP', 'EINVAL', 'EACCES', 'ERANGE', 'E2BIG', 'ENOSPC'];
      if (!harmless.includes(errnoOf(error) ?? '')) throw error;
      this.#notes.add(name === OWNER_XATTR ? 'owner-xattr' : 'xattr', path);
    }
  }
}

/** System errors get the path's name and a code; ours pass. */
export function explain(path: ByteString, error: unknown): unknown {
  const errno = errnoOf(error);
  if (error instanceof EngineError || errno === undefined) return error;
  const doing = `copying to ${showPath(`/${path}`)}: ${CAUSES[errno] ?? errno}`;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    const hint = 'free some space (skiff system prune) or put the store elsewhere (--root, SKIFF_ROOT)';
    return new EngineError('NO_SPACE', doing, { cause: error, hint });
  }
  return new EngineError('IO', doing, { cause: error });
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ELOOP: 'a part of its path is a symbolic link',
  ENOTDIR: 'a part of its path is not a directory',
  ENAMETOOLONG: 'the name is too long',
};
