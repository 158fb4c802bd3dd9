// Entries of one layer → calls of the addon's Tree. Decides what each entry means for what is there already; the addon
// does it, and cannot be talked out of the tree. The result is an overlay lower directory: whiteouts are character
// devices 0:0, opaque directories carry an xattr (kernel: filesystems/overlayfs.rst, "whiteouts and opaque directories").
//
// Links in the parents of an entry are followed as in a chroot, like containerd and umoci do, by directories.ts.

import { EngineError, errnoOf } from '../../core/errors.ts';
import type { Tree } from '../../native/addon.ts';
import { Directories } from './directories.ts';
import { isWhiteout, showPath, type ByteString, type EntrySink, type TarEntry } from './entry.ts';
import { Notes } from './notes.ts';
import { baseOf, joinPath, normalisePath, parentOf } from './path.ts';
import type { SpaceGuard } from './space.ts';
import { whiteoutOf, type Whiteout } from './whiteout.ts';
import { DEVICE_XATTR, OWNER_XATTR, deviceValue, isReservedXattr, ownerValue } from './xattrs.ts';

const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
/** Content of whiteouts and of aufs' book-keeping, which has no meaning: docker's whiteouts are empty. */
const MAX_DROPPED_BYTES = 2 ** 30;
const TYPE_BITS = { char: S_IFCHR, block: 0o060000, fifo: 0o010000 } as const;

export class LayerApplier implements EntrySink {
  readonly #tree: Tree;
  readonly #space: SpaceGuard;
  readonly #dirs: Directories;
  readonly notes: Notes = new Notes();
  /** The file being written, and where. Undefined path: a whiteout with content, which is dropped. */
  #file: { entry: TarEntry; path: ByteString | undefined } | undefined;
  #sizeBytes = 0;
  #droppedBytes = 0;

  constructor(tree: Tree, space: SpaceGuard) {
    this.#tree = tree;
    this.#space = space;
    this.#dirs = new Directories(tree, space);
  }

  /** Bytes of file content, holes included. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void {
    const path = this.#placeOf(entry);
    if (path === undefined) return;
    const { mode, containerUid: uid, containerGid: gid, mtimeSec, mtimeNsec, sizeBytes } = entry;
    this.#doing(entry, () => {
      this.#space.file(sizeBytes);
      const kept = this.#creating(path, () =>
        this.#tree.writeFile(path, mode, uid, gid, mtimeSec, mtimeNsec, chunk, offset, sizeBytes),
      );
      this.#afterMaking(entry, path, kept);
    });
    this.#sizeBytes += sizeBytes;
  }

  beginFile(entry: TarEntry): void {
    const path = this.#placeOf(entry);
    this.#file = { entry, path };
    if (path === undefined) {
      this.#droppedBytes += entry.sizeBytes;
      if (this.#droppedBytes > MAX_DROPPED_BYTES)
        throw new EngineError(
          'LAYER_INVALID',
          'unpacking a layer: whiteouts with more than 1 GiB of content',
        );
      return;
    }
    const stored = entry.extents?.reduce((sum, { length }) => sum + length, 0) ?? entry.sizeBytes;
    this.#doing(entry, () => {
      this.#space.file(stored);
      this.#creating(path, () => this.#tree.begin(path, entry.mode));
    });
    this.#sizeBytes += entry.sizeBytes;
  }

  data(chunk: Uint8Array, offset: number, length: number, position: number): void {
    if (this.#file?.path === undefined) return;
    const { entry } = this.#file;
    this.#doing(entry, () =>
      this.#tree.write(chunk, offset, length, entry.extents === undefined ? -1 : position),
    );
  }

  endFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file?.path === undefined) return;
    const { entry, path } = file;
    const { mode, containerUid, containerGid, mtimeSec, mtimeNsec } = entry;
    this.#doing(entry, () => {
      const size = entry.extents === undefined ? -1 : entry.sizeBytes;
      const kept = this.#tree.finish(size, mode, containerUid, containerGid, mtimeSec, mtimeNsec);
      this.#afterMaking(entry, path, kept);
    });
  }

  other(entry: TarEntry): void {
    const path = this.#placeOf(entry);
    if (path === undefined) return;
    this.#doing(entry, () => {
      if (entry.type === 'dir') {
        this.#dirs.declare(path, entry, (dir) => this.#clear(dir));
        return;
      }
      this.#space.file(0);
      if (entry.type === 'symlink') {
        this.#symlink(entry, path);
        return;
      }
      if (entry.type === 'link') {
        this.#hardLink(entry, path);
        return;
      }
      this.#node(entry, path);
    });
  }

  /** Applies what had to wait: attributes of directories. Returns the directories that the layer did not list. */
  finish(): ByteString[] {
    return this.#dirs.finish((entry, path, kept) => this.#afterMaking(entry, path, kept));
  }

  #symlink(entry: TarEntry, path: ByteString): void {
    const { linkPath, containerUid, containerGid, mtimeSec, mtimeNsec } = entry;
    if (linkPath === '')
      throw new EngineError('LAYER_INVALID', `unpacking ${showPath(path)}: a link to nothing`);
    const kept = this.#creating(path, () =>
      this.#tree.symlink(path, linkPath, containerUid, containerGid, mtimeSec, mtimeNsec),
    );
    this.#afterMaking(entry, path, kept);
  }

  /** The target must be of this layer: an earlier entry. Its attributes are the ones that count. */
  #hardLink(entry: TarEntry, path: ByteString): void {
    const wanted = normalisePath(entry.linkPath, 'the target of a hard link,');
    const parent = this.#dirs.find(parentOf(wanted));
    const target = parent === undefined ? undefined : joinPath(parent, baseOf(wanted));
    const stat = target === undefined || target === '' ? undefined : this.#tree.stat(target);
    if (target === undefined || stat === undefined || isWhiteout(stat)) {
      throw new EngineError(
        'LAYER_INVALID',
        `unpacking ${showPath(path)}: the layer has no ${showPath(wanted)} to link to`,
      );
    }
    if (target === path) return; // GNU tar writes such entries for names given twice
    if ((stat[0] & S_IFMT) === 0o040000) {
      throw new EngineError('LAYER_INVALID', `unpacking ${showPath(path)}: a hard link to a directory`);
    }
    this.#creating(path, () => this.#tree.link(target, path));
  }

  #node(entry: TarEntry, path: ByteString): void {
    if (entry.type === 'char' && entry.devMajor === 0 && entry.devMinor === 0) {
      // Some tools pack an overlay directory as it is; podman and docker hand it to overlayfs in the same way.
      this.#whiteout(path);
      return;
    }
    const type = entry.type as keyof typeof TYPE_BITS;
    const { mode, devMajor, devMinor, containerUid: uid, containerGid: gid, mtimeSec, mtimeNsec } = entry;
    let kept: boolean;
    try {
      kept = this.#creating(path, () =>
        this.#tree.makeNode(path, mode | TYPE_BITS[type], devMajor, devMinor, uid, gid, mtimeSec, mtimeNsec),
      );
    } catch (error) {
      if (type === 'fifo' || errnoOf(error) !== 'EPERM') throw error;
      // Only real root makes device nodes. A file says that something belongs there, and which device it was.
      // What is in dev/ is of no use to anybody: every container gets a /dev of its own over it.
      if (!path.startsWith('dev/')) this.notes.add('device', path);
      kept = this.#tree.writeFile(path, mode, uid, gid, mtimeSec, mtimeNsec, new Uint8Array(), 0, 0);
      this.#setXattr(path, DEVICE_XATTR, deviceValue(entry));
    }
    this.#afterMaking(entry, path, kept);
  }

  /** Where an entry goes; undefined when it was a whiteout, which has been dealt with. */
  #placeOf(entry: TarEntry): ByteString | undefined {
    const path = normalisePath(entry.path);
    const whiteout = whiteoutOf(path);
    if (whiteout !== undefined) {
      this.#doing(entry, () => this.#applyWhiteout(whiteout));
      return undefined;
    }
    if (path === '') {
      if (entry.type === 'dir') return path;
      throw new EngineError('LAYER_INVALID', 'unpacking a layer: its root is not a directory');
    }
    return this.#doing(entry, () =>
      joinPath(this.#dirs.ensure(parentOf(path), entry, this.#clearBelow), baseOf(path)),
    );
  }

  #applyWhiteout(whiteout: Whiteout): void {
    if (whiteout.kind === 'metadata') return;
    this.#space.file(0);
    if (whiteout.kind === 'opaque') {
      this.#dirs.makeOpaque(this.#dirs.ensure(whiteout.path, undefined, this.#clearBelow));
      return;
    }
    const parent = this.#dirs.ensure(parentOf(whiteout.path), undefined, this.#clearBelow);
    this.#whiteout(joinPath(parent, baseOf(whiteout.path)));
  }

  /** Hides what lower layers have. What this layer itself has at that name stays: whiteouts are for lower layers. */
  #whiteout(path: ByteString): void {
    if (this.#dirs.has(path)) {
      this.#dirs.makeOpaque(path);
      return;
    }
    try {
      this.#tree.makeNode(path, S_IFCHR, 0, 0, 0, 0, 0, 0);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return;
      if (errnoOf(error) !== 'EPERM') throw error;
      throw new EngineError('HOST_MISSING', `unpacking a layer: whiteout ${showPath(path)} cannot be made`, {
        hint: 'Linux 5.11 or later is needed to run without root',
        cause: error,
      });
    }
  }

  readonly #clearBelow = (path: ByteString): void => this.#clear(path);

  /** Removes whatever is at `path`. */
  #clear(path: ByteString): void {
    this.#tree.remove(path);
    this.#dirs.forget(path);
  }

  /** The later of two entries with one name wins; the usual case costs no look-up. */
  #creating<T>(path: ByteString, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    this.#clear(path);
    return make();
  }

  #afterMaking(entry: TarEntry, path: ByteString, ownerKept: boolean): void {
    if (!ownerKept) {
      this.notes.add('owner', path);
      // Links and nodes cannot have user xattrs; a commit gives them the container's root.
      if (entry.type === 'file' || entry.type === 'dir') this.#setXattr(path, OWNER_XATTR, ownerValue(entry));
    }
    if (entry.xattrs === undefined) return;
    for (const [name, value] of entry.xattrs) {
      if (!isReservedXattr(name)) this.#setXattr(path, name, value);
    }
  }

  /**
   * Attributes that this file system or our rights do not allow are reported, not fatal: docker does the same. ENOSPC is
   * ext4's word for more than fits beside an inode; a full disk is noticed by the next file.
   */
  #setXattr(path: ByteString, name: ByteString, value: Uint8Array): void {
    try {
      this.#tree.setXattr(path, name, value);
    } catch (error) {
      if (
        !['EPERM', 'ENOTSUP', 'EINVAL', 'EACCES', 'ERANGE', 'E2BIG', 'ENOSPC'].includes(errnoOf(error) ?? '')
      )
        throw error;
      this.notes.add(name === OWNER_XATTR ? 'owner-xattr' : 'xattr', path);
    }
  }

  #doing<T>(entry: TarEntry, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw explain(entry, error);
    }
  }
}

/** System errors get the entry's name and a code; ours pass. */
function explain(entry: TarEntry, error: unknown): unknown {
  const errno = errnoOf(error);
  if (error instanceof EngineError || errno === undefined) return error;
  const doing = `unpacking ${showPath(entry.path)} of a layer: ${errno}`;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    const hint = 'free some space (skiff system prune) or put the store elsewhere (--root, SKIFF_ROOT)';
    return new EngineError('NO_SPACE', doing, { cause: error, hint });
  }
  const archive = ['ENAMETOOLONG', 'EFBIG', 'ELOOP', 'ENOTDIR', 'EMLINK'].includes(errno);
  return new EngineError(archive ? 'LAYER_INVALID' : 'IO', doing, { cause: error });
}
