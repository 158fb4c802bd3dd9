// A directory tree → tar entries, in the order of their names' bytes. Walks beneath descriptors (native/at.ts), so that
// a container that changes the tree meanwhile cannot lead the walk out of it. What is a whiteout, and what is left out,
// say the rules; diff.ts has those of layers.

import { closeSync, fstatSync, readSync, type BigIntStats } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { timesOf } from '../../core/times.ts';
import { addon } from '../../native/addon.ts';
import * as at from '../../native/at.ts';
import { canRecordXattr } from './encode-entry.ts';
import { showPath, type ByteString, type EntryType, type Extent, type TarEntry } from './entry.ts';
import { joinPath } from './path.ts';
import type { TarWriter } from './tar-writer.ts';
import { emulatedDevice, emulatedOwner, isPortableXattr } from './xattrs.ts';

/** PATH_MAX without its NUL: no tool could unpack what is longer. */
const MAX_PATH_BYTES = 4095;
/**
 * Holes of fewer bytes are written as zeros, which compress well: docker's tar-split, for one, cannot give back sparse
 * entries as they were. The archetype of what is above is /var/log/lastlog with a large uid: a terabyte of nothing.
 */
const WORTHWHILE_HOLE_BYTES = 16n << 20n;

const TYPES: Readonly<Record<number, EntryType | undefined>> = {
  0o100000: 'file',
  0o040000: 'dir',
  0o120000: 'symlink',
  0o020000: 'char',
  0o060000: 'block',
  0o010000: 'fifo',
};

/** A file as the walk found it. `dirFd` is valid during the call alone. */
export interface Found {
  /** Relative to where the walk began. */
  path: ByteString;
  dirFd: number;
  name: ByteString;
  stat: BigIntStats;
  type: EntryType;
}

export interface PackRules {
  /** What to write in place of a file: 'leave-out', entries of the caller's own, or 'as-is'. */
  treat?: (found: Found, xattrs: ReadonlyMap<string, Buffer>) => 'as-is' | 'leave-out' | Replacement;
  /** Directories whose content is not part of it. */
  isClosed?: (path: ByteString) => boolean;
}

export interface Replacement {
  /** Instead of the file; nothing below it is looked at. */
  instead?: TarEntry[];
  /** Between a directory and what is in it. */
  inside?: TarEntry[];
}

export interface Packed {
  entries: number;
  /** Content of files, holes included. */
  sizeBytes: number;
  /** What could not be kept: sentences for the user. */
  notes: string[];
}

export class Packer {
  readonly #out: TarWriter;
  readonly #rules: PackRules;
  /** "dev:inode" of files with several names → the first one. */
  readonly #linked = new Map<string, ByteString>();
  readonly #changed: ByteString[] = [];
  readonly #lostXattrs: ByteString[] = [];
  #entries = 0;
  #sizeBytes = 0;

  constructor(out: TarWriter, rules: PackRules = {}) {
    this.#out = out;
    this.#rules = rules;
  }

  /** Everything in the directory, not the directory itself. `as`: what its path is in the archive, '' for the top. */
  directory(dirFd: number, as: ByteString): void {
    for (const name of at.namesIn(dirFd)) this.file(dirFd, name, joinPath(as, name));
  }

  /** `name` with everything below it. One that is gone by now is passed over. */
  file(dirFd: number, name: ByteString, path: ByteString): void {
    if (path.length > MAX_PATH_BYTES) {
      throw new EngineError(
        'LAYER_INVALID',
        `packing ${showPath(path)}: a path of more than ${MAX_PATH_BYTES} bytes`,
      );
    }
    try {
      this.#file(dirFd, name, path);
    } catch (error) {
      const errno = errnoOf(error);
      // ENOENT, ELOOP, ENOTDIR: removed or replaced between two looks. It was there and is no more: either is true.
      if (errno === undefined || error instanceof EngineError) throw error;
      if (!['ENOENT', 'ELOOP', 'ENOTDIR'].includes(errno)) {
        // What cannot be read is the file's fault; there is no room where the archive goes.
        const code = errno === 'ENOSPC' || errno === 'EDQUOT' ? 'NO_SPACE' : 'IO';
        throw new EngineError(code, `packing ${showPath(path)}: ${errno}`, { cause: error });
      }
      this.#changed.push(path);
    }
  }

  /** Ends the archive. */
  finish(): Packed {
    this.#out.end();
    const notes: string[] = [];
    const tell = (what: ByteString[], text: string): void => {
      if (what.length > 0)
        notes.push(
          `${what.length} ${what.length === 1 ? 'file' : 'files'} ${text} (${showPath(what[0] as string)})`,
        );
    };
    tell(this.#changed, 'changed while being read');
    tell(this.#lostXattrs, 'lost attributes whose names no archive can hold');
    return { entries: this.#entries, sizeBytes: this.#sizeBytes, notes };
  }

  #file(dirFd: number, name: ByteString, path: ByteString): void {
    const stat = at.statAt(dirFd, name);
    if (stat === undefined) return;
    const type = TYPES[Number(stat.mode) & 0o170000];
    if (type === undefined) return; // a socket: means nothing without the process that listens
    const all = type === 'symlink' ? new Map<string, Buffer>() : at.xattrsAt(dirFd, name);
    const treatment = this.#rules.treat?.({ path, dirFd, name, stat, type }, all) ?? 'as-is';
    if (treatment === 'leave-out') return;
    if (treatment !== 'as-is' && treatment.instead !== undefined) {
      for (const entry of treatment.instead) this.#write(entry);
      return;
    }
    const entry = this.#entryOf(path, type, stat, all);
    if (type === 'dir') {
      this.#write(entry);
      if (treatment !== 'as-is') for (const one of treatment.inside ?? []) this.#write(one);
      if (this.#rules.isClosed?.(path) !== true) this.#below(dirFd, name, path);
      return;
    }
    const first = stat.nlink > 1n ? this.#firstName(stat, path) : undefined;
    if (first !== undefined) this.#write({ ...entry, type: 'link', linkPath: first, xattrs: undefined });
    else if (entry.type === 'file') this.#content(dirFd, name, entry, stat);
    else this.#write(type === 'symlink' ? { ...entry, linkPath: at.readlinkAt(dirFd, name) } : entry);
  }

  #below(dirFd: number, name: ByteString, path: ByteString): void {
    const fd = at.openDirAt(dirFd, name);
    try {
      this.directory(fd, path);
    } finally {
      closeSync(fd);
    }
  }

  #firstName({ dev, ino }: BigIntStats, path: ByteString): ByteString | undefined {
    const key = `${dev}:${ino}`;
    const first = this.#linked.get(key);
    if (first === undefined) this.#linked.set(key, path);
    return first;
  }

  #content(dirFd: number, name: ByteString, entry: TarEntry, seen: BigIntStats): void {
    const fd = at.openFileAt(dirFd, name);
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (!stat.isFile() || stat.ino !== seen.ino || stat.dev !== seen.dev) {
        this.#changed.push(entry.path);
        return;
      }
      const sizeBytes = Number(stat.size);
      const read = (buffer: Buffer, offset: number, length: number, position: number): number =>
        readSync(fd, buffer, offset, length, position);
      if (!this.#write({ ...entry, sizeBytes, extents: extentsOf(fd, stat) }, read))
        this.#changed.push(entry.path);
      this.#sizeBytes += sizeBytes;
    } finally {
      closeSync(fd);
    }
  }

  #entryOf(
    path: ByteString,
    found: EntryType,
    stat: BigIntStats,
    all: ReadonlyMap<string, Buffer>,
  ): TarEntry {
    const { uid, gid } = emulatedOwner(stat, all);
    const device = found === 'file' && stat.size === 0n ? emulatedDevice(all) : undefined;
    const isDevice = found === 'char' || found === 'block';
    return {
      type: device?.type ?? found,
      path,
      linkPath: '',
      mode: Number(stat.mode) & 0o7777,
      containerUid: uid,
      containerGid: gid,
      ...timesOf(stat),
      sizeBytes: 0,
      devMajor: device?.major ?? (isDevice ? majorOf(stat.rdev) : 0),
      devMinor: device?.minor ?? (isDevice ? minorOf(stat.rdev) : 0),
      xattrs: this.#xattrs(path, all),
      extents: undefined,
    };
  }

  #xattrs(path: ByteString, all: ReadonlyMap<string, Buffer>): Map<ByteString, Buffer> | undefined {
    const kept = [...all].filter(([name]) => isPortableXattr(name));
    if (kept.some(([name]) => !canRecordXattr(name))) this.#lostXattrs.push(path);
    const recordable = kept.filter(([name]) => canRecordXattr(name));
    return recordable.length === 0 ? undefined : new Map(recordable);
  }

  #write(
    entry: TarEntry,
    read?: (buffer: Buffer, offset: number, length: number, position: number) => number,
  ): boolean {
    this.#entries++;
    return this.#out.entry(entry, read);
  }
}

function extentsOf(fd: number, { size, blocks }: BigIntStats): Extent[] | undefined {
  if (size - blocks * 512n < WORTHWHILE_HOLE_BYTES) return undefined;
  const flat = addon().dataExtents(fd, Number(size));
  if (flat === undefined) return undefined;
  const extents: Extent[] = [];
  for (let i = 0; i < flat.length; i += 2)
    extents.push({ offset: flat[i] as number, length: flat[i + 1] as number });
  // GNU tar takes the size from the last run of data, so that a hole at the end needs an empty one after it.
  const last = extents.at(-1);
  if (last === undefined || last.offset + last.length < size)
    extents.push({ offset: Number(size), length: 0 });
  return extents;
}

/** makedev(3) of Linux, backwards. */
export function majorOf(rdev: bigint): number {
  return Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn & 0xffffffffn));
}

export function minorOf(rdev: bigint): number {
  return Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n));
}
