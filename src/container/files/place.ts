// Entries of a tar → files of a directory that is in use: the receiving end of `cp`, in a container and on the host. As
// docker does: directories are merged, other files replaced, and neither takes the place of the other. The addon's Tree
// does it beneath the directory's descriptor and follows no link, whatever the archive or a container does meanwhile.

import { EngineError, errnoOf } from '../../core/errors.ts';
import { showPath, type ByteString, type EntrySink, type TarEntry } from '../../image/layer/entry.ts';
import { normalisePath, parentOf } from '../../image/layer/path.ts';
import { isReservedXattr } from '../../image/layer/xattrs.ts';
import type { Tree } from '../../native/addon.ts';

export interface PlaceRules {
  /**
   * Where an entry goes, relative to the tree; '' is the tree itself, which stays as it is. Called with the normalised
   * path, and with those that hard links name.
   */
  target: (path: ByteString) => ByteString;
  /** Owner of the new file, and whether that is the one it had: else setuid and setgid would give away rights. */
  owner: (entry: TarEntry) => { uid: number; gid: number; kept: boolean };
  isXattrWanted: (name: ByteString) => boolean;
  /** Make device nodes; they are left out otherwise. */
  devices: boolean;
}

const TYPE_BITS = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const SPECIAL_BITS = 0o6000;

export class Placer implements EntrySink {
  readonly #tree: Tree;
  readonly #rules: PlaceRules;
  /** Attributes that wait until nothing is made inside any more. */
  readonly #dirs = new Map<ByteString, TarEntry>();
  #file: { entry: TarEntry; path: ByteString } | undefined;
  #bytes = 0;
  readonly #devices: ByteString[] = [];
  readonly #foreign: ByteString[] = [];

  /** Sets the process's umask to 0: modes are exactly those of the archive. */
  constructor(tree: Tree, rules: PlaceRules) {
    process.umask(0);
    this.#tree = tree;
    this.#rules = rules;
  }

  /** Content written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void {
    this.beginFile(entry);
    this.data(chunk, offset, entry.sizeBytes, 0);
    this.endFile();
  }

  beginFile(entry: TarEntry): void {
    this.#doing(entry, () => {
      const path = this.#placeOf(entry);
      if (path === '')
        throw refused(`cannot overwrite directory "." with non-directory ${showPath(entry.path)}`);
      this.#replacing(path, () => this.#tree.begin(path, this.#modeOf(entry)));
      this.#file = { entry, path };
    });
  }

  data(chunk: Uint8Array, offset: number, length: number, position: number): void {
    const { entry } = this.#file as { entry: TarEntry };
    this.#doing(entry, () =>
      this.#tree.write(chunk, offset, length, entry.extents === undefined ? -1 : position),
    );
    this.#bytes += length;
  }

  endFile(): void {
    const { entry, path } = this.#file as { entry: TarEntry; path: ByteString };
    this.#file = undefined;
    this.#doing(entry, () => {
      const { uid, gid } = this.#rules.owner(entry);
      const size = entry.extents === undefined ? -1 : entry.sizeBytes;
      const kept = this.#tree.finish(size, this.#modeOf(entry), uid, gid, entry.mtimeSec, entry.mtimeNsec);
      this.#afterMaking(entry, path, kept);
    });
  }

  other(entry: TarEntry): void {
    this.#doing(entry, () => {
      const path = this.#placeOf(entry);
      if (entry.type === 'dir') {
        this.#directory(entry, path);
        return;
      }
      if (path === '')
        throw refused(`cannot overwrite directory "." with non-directory ${showPath(entry.path)}`);
      if (entry.type === 'symlink') this.#symlink(entry, path);
      else if (entry.type === 'link') this.#link(entry, path);
      else this.#node(entry, path);
    });
  }

  /** Gives directories their attributes. Returns what could not be done: sentences for the user. */
  finish(): string[] {
    for (const [path, entry] of [...this.#dirs].reverse()) {
      this.#doing(entry, () => {
        const { uid, gid } = this.#rules.owner(entry);
        const kept = this.#tree.setDir(path, entry.mode & 0o7777, uid, gid, entry.mtimeSec, entry.mtimeNsec);
        this.#afterMaking(entry, path, kept);
      });
    }
    const notes: string[] = [];
    const tell = (paths: ByteString[], text: string): void => {
      const [first] = paths;
      if (first !== undefined)
        notes.push(`${paths.length} ${paths.length === 1 ? 'file' : 'files'} ${text} (${showPath(first)})`);
    };
    tell(this.#devices, 'left out: only root may make device nodes');
    tell(this.#foreign, 'without their owner, whose id is not mapped here or may not be given');
    return notes;
  }

  #directory(entry: TarEntry, path: ByteString): void {
    if (path === '') return;
    if (!this.#tree.makeDir(path) && !this.#isDirectory(path))
      throw refused(
        `cannot overwrite non-directory ${showPath(path)} with directory ${showPath(entry.path)}`,
      );
    // The order of making is kept, so that the reverse is deepest first.
    this.#dirs.delete(path);
    this.#dirs.set(path, entry);
  }

  #symlink(entry: TarEntry, path: ByteString): void {
    const { uid, gid } = this.#rules.owner(entry);
    const kept = this.#replacing(path, () =>
      this.#tree.symlink(path, entry.linkPath, uid, gid, entry.mtimeSec, entry.mtimeNsec),
    );
    this.#afterMaking(entry, path, kept);
  }

  #link(entry: TarEntry, path: ByteString): void {
    const target = this.#rules.target(normalisePath(entry.linkPath, 'the target of a hard link,'));
    if (target === path) return;
    this.#replacing(path, () => this.#tree.link(target, path));
  }

  #node(entry: TarEntry, path: ByteString): void {
    const type = entry.type as keyof typeof TYPE_BITS;
    if (type !== 'fifo' && !this.#rules.devices) {
      this.#devices.push(path);
      return;
    }
    const { uid, gid } = this.#rules.owner(entry);
    const { devMajor, devMinor, mtimeSec, mtimeNsec } = entry;
    const mode = this.#modeOf(entry) | TYPE_BITS[type];
    try {
      const kept = this.#replacing(path, () =>
        this.#tree.makeNode(path, mode, devMajor, devMinor, uid, gid, mtimeSec, mtimeNsec),
      );
      this.#afterMaking(entry, path, kept);
    } catch (error) {
      if (type === 'fifo' || errnoOf(error) !== 'EPERM') throw error;
      this.#devices.push(path);
    }
  }

  #placeOf(entry: TarEntry): ByteString {
    const path = this.#rules.target(normalisePath(entry.path));
    // Archives need not list directories before what is in them.
    const missing: ByteString[] = [];
    for (let parent = parentOf(path); parent !== '' && !this.#dirs.has(parent); parent = parentOf(parent)) {
      if (this.#isDirectory(parent)) break;
      missing.push(parent);
    }
    for (const parent of missing.reverse())
      this.#directory({ ...entry, type: 'dir', path: parent, mode: 0o755, xattrs: undefined }, parent);
    return path;
  }

  #isDirectory(path: ByteString): boolean {
    return ((this.#tree.stat(path)?.[0] ?? 0) & S_IFMT) === S_IFDIR;
  }

  /** Whatever has that name goes, unless it is a directory. */
  #replacing<T>(path: ByteString, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    if (this.#isDirectory(path))
      throw refused(`cannot overwrite directory ${showPath(path)} with non-directory`);
    this.#tree.remove(path);
    return make();
  }

  #modeOf(entry: TarEntry): number {
    return this.#rules.owner(entry).kept ? entry.mode : entry.mode & ~SPECIAL_BITS;
  }

  #afterMaking(entry: TarEntry, path: ByteString, ownerKept: boolean): void {
    if (!ownerKept) this.#foreign.push(path);
    for (const [name, value] of entry.xattrs ?? []) {
      if (isReservedXattr(name) || !this.#rules.isXattrWanted(name)) continue;
      try {
        this.#tree.setXattr(path, name, value);
      } catch (error) {
        // This file system or our rights do not allow it; docker passes over it too.
        if (!['EPERM', 'ENOTSUP', 'EINVAL', 'EACCES', 'ENOSPC'].includes(errnoOf(error) ?? '')) throw error;
      }
    }
  }

  #doing(entry: TarEntry, action: () => void): void {
    try {
      action();
    } catch (error) {
      const errno = errnoOf(error);
      if (error instanceof EngineError || errno === undefined) throw error;
      throw new EngineError(
        errno === 'ENOSPC' || errno === 'EDQUOT' ? 'NO_SPACE' : 'IO',
        `${showPath(this.#rules.target(normalisePath(entry.path)))}: ${CAUSES[errno] ?? errno}`,
        { cause: error, exitCode: 1 },
      );
    }
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EBUSY: 'device or resource busy: something is mounted there',
  ELOOP: 'a part of its path is a symbolic link',
  ENOTDIR: 'a part of its path is not a directory',
  ENAMETOOLONG: 'the name is too long',
};

function refused(message: string): EngineError {
  return new EngineError('PATH_INVALID', message, { exitCode: 1 });
}
