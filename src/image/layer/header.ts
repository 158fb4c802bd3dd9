// One 512-byte header block to a TarEntry. node-tar's `Header` checks the sum and reads type and numbers; names are taken
// as bytes, which it does not do, and so are device numbers, which it reads from POSIX archives alone. Its Parser is not
// used at all: it decodes names as UTF-8, drops pax xattrs and nanoseconds, and skips sparse files.

import { Header } from 'tar';
import { EngineError } from '../../core/errors.ts';
import type { ByteString, EntryType, TarEntry } from './entry.ts';
import { decimal, parseTime, type PaxRecords } from './pax.ts';
import { sparseName, tarNumber } from './sparse.ts';

export const BLOCK = 512;

export type MetaType = 'pax' | 'global' | 'long-path' | 'long-link' | 'label';

export interface RawHeader {
  block: Buffer;
  typeflag: string;
  /** Set for records that describe the next entry. */
  meta: MetaType | undefined;
  /** Whether `sizeBytes` bytes follow. Links, devices and directories have none, whatever the field says (as in Go). */
  hasData: boolean;
  sizeBytes: number;
  decoded: Header;
}

const META: Readonly<Record<string, MetaType>> = {
  x: 'pax',
  X: 'pax',
  g: 'global',
  L: 'long-path',
  N: 'long-path',
  K: 'long-link',
  V: 'label',
};

const TYPES: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  '7': 'file',
  D: 'dir',
  S: 'file',
};

const XATTR_PREFIX = 'SCHILY.xattr.';
/** XATTR_LIST_MAX of limits.h: names of one file, each with its NUL. */
const MAX_XATTR_NAME_BYTES = 65536;

export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.every((byte) => byte === 0);
}

/** Whether an archive may begin with it; one without entries is not meant. */
export function isTarHeader(block: Buffer): boolean {
  if (isZeroBlock(block)) return false;
  try {
    decodeHeader(block);
    return true;
  } catch {
    return false;
  }
}

/** @throws LAYER_INVALID: wrong sum, a size that is none, a type nobody knows. */
export function decodeHeader(block: Buffer): RawHeader {
  let decoded: Header;
  try {
    decoded = new Header(block, 0);
  } catch {
    return invalid('a number in a header is out of range');
  }
  if (!decoded.cksumValid) invalid('wrong checksum of a header');
  const typeflag = String.fromCharCode(block[156] as number);
  const meta = META[typeflag];
  const type = TYPES[typeflag];
  if (meta === undefined && type === undefined) invalid(`entry of unknown type ${JSON.stringify(typeflag)}`);
  // Read here: node-tar forgets the size of what looks like a directory.
  const sizeBytes = tarNumber(block, 124, 12);
  const hasData = meta !== undefined || type === 'file' || typeflag === 'D';
  return { block, typeflag, meta, hasData, sizeBytes, decoded };
}

/** Header, pax records and GNU long names together. @throws LAYER_INVALID */
export function toEntry(
  { block, typeflag, decoded }: RawHeader,
  pax: PaxRecords | undefined,
  longPath: ByteString | undefined,
  longLink: ByteString | undefined,
): TarEntry {
  const values = pax?.values;
  const name = pax === undefined ? undefined : (sparseName(pax) ?? values?.get('path'));
  const path = nonEmpty(name) ?? nonEmpty(longPath) ?? headerPath(block);
  let type = TYPES[typeflag] as EntryType;
  if (type === 'file' && path.endsWith('/')) type = 'dir'; // before POSIX, the slash was the only sign
  const isLink = type === 'link' || type === 'symlink';
  const time = timeOf(values?.get('mtime')) ?? { sec: (decoded.mtime?.getTime() ?? 0) / 1000, nsec: 0 };
  return {
    type,
    path,
    linkPath: isLink
      ? (nonEmpty(values?.get('linkpath')) ?? nonEmpty(longLink) ?? cString(block, 157, 100))
      : '',
    mode: (decoded.mode ?? 0) & 0o7777,
    containerUid: idOf(values?.get('uid'), decoded.uid),
    containerGid: idOf(values?.get('gid'), decoded.gid),
    mtimeSec: Number.isSafeInteger(time.sec) ? time.sec : 0,
    mtimeNsec: time.nsec,
    sizeBytes: 0,
    devMajor: type === 'char' || type === 'block' ? deviceNumber(block, 329) : 0,
    devMinor: type === 'char' || type === 'block' ? deviceNumber(block, 337) : 0,
    xattrs: xattrsOf(values),
    extents: undefined,
  };
}

/** POSIX splits long names in prefix and name; GNU uses that room for something else. */
function headerPath(block: Buffer): ByteString {
  const name = cString(block, 0, 100);
  if (block.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const star = block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = cString(block, 345, star ? 131 : 155);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function cString(block: Buffer, at: number, length: number): ByteString {
  const end = block.indexOf(0, at);
  return block.toString('latin1', at, end < 0 || end > at + length ? at + length : end);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function timeOf(text: string | undefined): { sec: number; nsec: number } | undefined {
  return text === undefined ? undefined : parseTime(text);
}

function idOf(text: string | undefined, inHeader: number | undefined): number {
  const id = text === undefined || text === '' ? (inHeader ?? 0) : decimal(text);
  // 2^32 - 1 means "leave it" to chown(2).
  return Number.isInteger(id) && id >= 0 && id < 0xffffffff ? id : invalid('an owner that is no id');
}

function deviceNumber(block: Buffer, at: number): number {
  const value = tarNumber(block, at, 8);
  return value >= 0 && value <= 0xfffff ? value : invalid('a device number out of range');
}

function xattrsOf(
  values: ReadonlyMap<ByteString, ByteString> | undefined,
): Map<ByteString, Buffer> | undefined {
  if (values === undefined) return undefined;
  let found: Map<ByteString, Buffer> | undefined;
  let nameBytes = 0;
  for (const [key, value] of values) {
    if (!key.startsWith(XATTR_PREFIX)) continue;
    nameBytes += key.length - XATTR_PREFIX.length + 1;
    if (nameBytes > MAX_XATTR_NAME_BYTES) invalid('more attributes of one file than Linux can list (64 KiB)');
    found ??= new Map();
    found.set(key.slice(XATTR_PREFIX.length), Buffer.from(value, 'latin1'));
  }
  return found;
}

function invalid(why: string): never {
  throw new EngineError('LAYER_INVALID', `reading a layer: ${why}`);
}
