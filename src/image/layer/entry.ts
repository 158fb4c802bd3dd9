// One entry of a layer's tar, as the reader hands it to whoever applies it.

/**
 * Names inside a layer are *byte strings*: one UTF-16 unit per byte (`latin1`), since tar names need not be UTF-8. They
 * go to the addon as they are; for people, use `showPath`.
 */
export type ByteString = string;

export type EntryType = 'file' | 'dir' | 'symlink' | 'link' | 'char' | 'block' | 'fifo';

/** A run of data in a sparse file; what lies between is a hole. */
export interface Extent {
  offset: number;
  length: number;
}

export interface TarEntry {
  type: EntryType;
  /** As in the archive: not yet checked, may be absolute or climb. */
  path: ByteString;
  /** Target of a symlink or hard link, '' otherwise. */
  linkPath: ByteString;
  /** Permission bits, 0..0o7777. */
  mode: number;
  containerUid: number;
  containerGid: number;
  /** Floor of the time, so that nsec is 0..999999999 before 1970 too. */
  mtimeSec: number;
  mtimeNsec: number;
  /** Of the file when it is there: with holes. 0 for anything but files. */
  sizeBytes: number;
  devMajor: number;
  devMinor: number;
  /** SCHILY.xattr.* of the pax header. */
  xattrs: ReadonlyMap<ByteString, Buffer> | undefined;
  /** Present for sparse files: where the data belongs, ascending. */
  extents: readonly Extent[] | undefined;
}

/** For entries that we make up: their times mean nothing, and would make each archive a different one. */
export const BLANK_FILE: TarEntry = {
  type: 'file',
  path: '',
  linkPath: '',
  mode: 0o644,
  containerUid: 0,
  containerGid: 0,
  mtimeSec: 0,
  mtimeNsec: 0,
  sizeBytes: 0,
  devMajor: 0,
  devMinor: 0,
  xattrs: undefined,
  extents: undefined,
};

/** What the reader calls, in the archive's order. Data is borrowed: it is overwritten after the call. */
export interface EntrySink {
  /** A file whose data is at hand as a whole: sizeBytes bytes at `offset` of `chunk`. Never sparse. */
  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void;
  /** A file whose data follows in pieces: data…, endFile. */
  beginFile(entry: TarEntry): void;
  /** `position`: where in the file. */
  data(chunk: Uint8Array, offset: number, length: number, position: number): void;
  endFile(): void;
  /** Anything but a file. */
  other(entry: TarEntry): void;
}

/** Names may be a megabyte long; messages may not. */
const MAX_SHOWN = 300;

/** A name for a message: quoted, control characters escaped, bytes that are no UTF-8 kept apart, cut when too long. */
export function showPath(path: ByteString): string {
  const [shown, cut] = path.length <= MAX_SHOWN ? [path, ''] : [path.slice(0, MAX_SHOWN), '…'];
  return `${JSON.stringify(Buffer.from(shown, 'latin1').toString('utf8'))}${cut}`;
}

/** Whether a `Tree.stat` is that of an overlayfs whiteout: character device 0:0. */
export function isWhiteout([mode, , , , major, minor]: readonly number[]): boolean {
  return ((mode ?? 0) & 0o170000) === 0o020000 && major === 0 && minor === 0;
}
