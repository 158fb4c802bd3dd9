// A directory of the host as a tree to copy from: the build context. Read beneath one descriptor (native Tree), never
// through a link; directories are looked at when they are asked for, once.

import { closeSync, constants, fstatSync, openSync, type BigIntStats } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import type { ByteString } from '../../image/layer/entry.ts';
import { baseOf, joinPath, parentOf } from '../../image/layer/path.ts';
import { addon, TREE_LIST_FIELDS, type Tree } from '../../native/addon.ts';
import type { IgnoreMatcher } from './ignore.ts';
import { toText } from './text.ts';
import type { FileType, SourceTree, TreeFile } from './types.ts';

export interface Ignoring {
  matcher: IgnoreMatcher;
  /** As the user knows it: `.dockerignore`. */
  fileName: string;
}

const TYPES: Readonly<Record<number, FileType>> = {
  0o100000: 'file',
  0o040000: 'dir',
  0o120000: 'symlink',
  0o010000: 'fifo',
  0o020000: 'char',
  0o060000: 'block',
  0o140000: 'socket',
};

const BILLION = 1_000_000_000n;

export class DirectoryTree implements SourceTree {
  readonly kind = 'context';
  readonly files: Tree;
  readonly #ignoring: Ignoring | undefined;
  readonly #root: TreeFile;
  readonly #directories = new Map<ByteString, Map<ByteString, TreeFile>>();

  /** @param path of the host. @throws USAGE when it is no directory, IO */
  constructor(path: string, ignoring?: Ignoring) {
    const fd = openContext(path);
    try {
      const { mode } = fstatSync(fd);
      this.#root = directoryFile(mode & 0o7777);
      this.files = new (addon().Tree)(fd, true);
    } finally {
      closeSync(fd);
    }
    this.#ignoring = ignoring;
  }

  find(path: ByteString): TreeFile | undefined {
    if (path === '') return this.#root;
    try {
      return this.#directory(parentOf(path)).get(baseOf(path));
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  list(path: ByteString): ByteString[] {
    return [...this.#directory(path).keys()];
  }

  readlink(path: ByteString): ByteString {
    return this.files.readlink(path);
  }

  open(path: ByteString): number {
    return this.files.open(path);
  }

  ignoredBy(path: ByteString): string | undefined {
    if (this.#ignoring === undefined || this.find(path) !== undefined) return undefined;
    try {
      return this.files.stat(path) === undefined ? undefined : this.#ignoring.fileName;
    } catch {
      return undefined; // a hint, no more
    }
  }

  close(): void {
    this.files.close();
  }

  #directory(path: ByteString): Map<ByteString, TreeFile> {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const files = this.#read(path);
    // Not before what is in it is known, so that nothing remembers half a directory.
    this.#directories.set(path, files);
    return files;
  }

  #read(path: ByteString): Map<ByteString, TreeFile> {
    const [joined, fields] = this.files.list(path);
    const names = joined === '' ? [] : joined.split('/');
    const order = names.map((name, i) => ({ name, i })).sort((a, b) => (a.name < b.name ? -1 : 1));
    const files = new Map<ByteString, TreeFile>();
    for (const { name, i } of order) {
      const file = fileOf(fields, i * TREE_LIST_FIELDS.length);
      if (this.#shows(joinPath(path, name), file)) files.set(name, file);
    }
    return files;
  }

  #shows(path: ByteString, { type }: TreeFile): boolean {
    if (this.#ignoring === undefined) return true;
    const text = toText(path);
    const { matcher } = this.#ignoring;
    if (!matcher.ignores(text)) return true;
    if (type !== 'dir' || !matcher.mayReinclude(text)) return false;
    if (this.#directory(path).size === 0) return false;
    return true;
  }
}

function openContext(path: string): number {
  try {
    return openSync(encodeBytes(path), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const errno = errnoOf(error);
    const known: Readonly<Record<string, string>> = {
      ENOENT: 'it does not exist',
      ENOTDIR: 'it is no directory',
      EACCES: 'permission denied',
    };
    throw new EngineError(
      'USAGE',
      `unable to prepare context: path ${JSON.stringify(path)}: ${known[errno ?? ''] ?? errno ?? 'cannot be opened'}`,
      { exitCode: 1, cause: error },
    );
  }
}

/** As TreeFile.stamp of a context: inode, size, mtime, and last ctime. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  const time = (ns: bigint): string => {
    const nsec = ((ns % BILLION) + BILLION) % BILLION;
    return `${(ns - nsec) / BILLION}.${nsec}`;
  };
  return `${dev}:${ino >> 32n}.${ino & 0xffffffffn}:${size}:${time(mtimeNs)}:${time(ctimeNs)}`;
}

/** Nothing is there: missing, or a part of the way is no directory. */
export function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '');
}

/** Fields in the order of TREE_LIST_FIELDS. Whoever has files on the host becomes root, as in docker. */
function fileOf(fields: Float64Array, at: number): TreeFile {
  const field = (i: number): number => fields[at + i] as number;
  const mode = field(0);
  const type = TYPES[mode & 0o170000] ?? 'socket';
  const sizeBytes = type === 'file' ? field(3) : 0;
  return {
    type,
    mode: mode & 0o7777,
    containerUid: 0,
    containerGid: 0,
    sizeBytes,
    identity: undefined,
    stamp:
      type === 'file'
        ? `${field(6)}:${field(7)}.${field(8)}:${sizeBytes}:${field(9)}.${field(10)}:${field(11)}.${field(12)}`
        : '',
    mtimeSec: field(9),
    mtimeNsec: field(10),
    devMajor: 0,
    devMinor: 0,
    xattrs: undefined,
  };
}

function directoryFile(mode: number): TreeFile {
  return {
    type: 'dir',
    mode,
    containerUid: 0,
    containerGid: 0,
    sizeBytes: 0,
    identity: undefined,
    stamp: '',
    mtimeSec: 0,
    mtimeNsec: 0,
    devMajor: 0,
    devMinor: 0,
    xattrs: undefined,
  };
}
