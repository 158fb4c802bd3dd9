// A TarEntry to its header blocks (pure): ustar where that can say it, pax records where it cannot. The same entry always
// gives the same bytes. node-tar's `Header` writes the block; names that are no ASCII go into pax records byte for byte,
// since it would encode them as UTF-8. header.ts is the other direction.

import { Header, type HeaderData } from 'tar';
import type { ByteString, EntryType, Extent, TarEntry } from './entry.ts';
import { BLOCK } from './header.ts';

const TYPE_NAMES = {
  file: 'File',
  dir: 'Directory',
  symlink: 'SymbolicLink',
  link: 'Link',
  char: 'CharacterDevice',
  block: 'BlockDevice',
  fifo: 'FIFO',
} as const satisfies Record<EntryType, string>;

/** What fits the octal fields of ustar: 7 and 11 digits. */
const MAX_ID = 0o7777777;
const MAX_LONG = 0o77777777777;
const NAME_BYTES = 100;

const XATTR_PREFIX = 'SCHILY.xattr.';

export interface EncodedEntry {
  /** Everything in front of the content. */
  head: Buffer;
  /** How many bytes of content follow, padding not counted: holes are not stored. */
  storedBytes: number;
}

/** Directories get a slash at their end, as all tools write them. */
export function encodeEntry(entry: TarEntry): EncodedEntry {
  const name = entry.type === 'dir' ? `${entry.path}/` : entry.path;
  const records = recordsOf(entry, name);
  if (entry.extents === undefined) {
    return {
      head: Buffer.concat([...paxHeader(records), headerBlock(entry, name, entry.sizeBytes)]),
      storedBytes: entry.sizeBytes,
    };
  }
  // GNU tar manual, "Storing Sparse Files", PAX 1.0: the map precedes the data and counts as content.
  const map = sparseMap(entry.extents);
  records.delete('path');
  records.set('GNU.sparse.major', '1').set('GNU.sparse.minor', '0');
  records.set('GNU.sparse.name', name).set('GNU.sparse.realsize', String(entry.sizeBytes));
  const storedBytes = entry.extents.reduce((sum, { length }) => sum + length, 0);
  const size = map.length + storedBytes;
  if (size > MAX_LONG) records.set('size', String(size));
  else records.delete('size');
  const block = headerBlock(entry, 'GNUSparseFile.0/sparse', size);
  return { head: Buffer.concat([...paxHeader(records), block, map]), storedBytes };
}

/** Zeros up to the next block. */
export function paddingOf(bytes: number): number {
  return (BLOCK - (bytes % BLOCK)) % BLOCK;
}

/** Whether a pax record can carry an attribute of this name: it ends at the first "=". */
export function canRecordXattr(name: ByteString): boolean {
  return !/[=\0]/.test(name);
}

function recordsOf(entry: TarEntry, name: ByteString): Map<string, ByteString> {
  const records = new Map<string, ByteString>();
  const { mtimeSec, mtimeNsec } = entry;
  if (needsRecord(name)) records.set('path', name);
  if (needsRecord(entry.linkPath)) records.set('linkpath', entry.linkPath);
  if (entry.containerUid > MAX_ID) records.set('uid', String(entry.containerUid));
  if (entry.containerGid > MAX_ID) records.set('gid', String(entry.containerGid));
  if (entry.type === 'file' && entry.sizeBytes > MAX_LONG) records.set('size', String(entry.sizeBytes));
  if (mtimeNsec !== 0 || mtimeSec < 0 || mtimeSec > MAX_LONG)
    records.set('mtime', formatTime(mtimeSec, mtimeNsec));
  for (const [key, value] of entry.xattrs ?? [])
    records.set(`${XATTR_PREFIX}${key}`, value.toString('latin1'));
  return records;
}

const PLAIN = /^[\x20-\x7e]*$/;

/** 99 bytes at most: some readers want the NUL. */
function needsRecord(text: ByteString): boolean {
  return text.length >= NAME_BYTES || !PLAIN.test(text);
}

/** The reverse of pax.ts, parseTime. */
function formatTime(sec: number, nsec: number): string {
  if (nsec === 0) return String(sec);
  const [whole, fraction] = sec < 0 ? [`-${-sec - 1}`, 1_000_000_000 - nsec] : [String(sec), nsec];
  return `${whole}.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
}

function headerBlock(entry: TarEntry, name: ByteString, size: number): Buffer {
  const { mtimeSec, containerUid, containerGid } = entry;
  return encodeHeader({
    type: TYPE_NAMES[entry.type],
    path: ascii(name),
    linkpath: ascii(entry.linkPath),
    mode: entry.mode & 0o7777,
    uid: containerUid > MAX_ID ? 0 : containerUid,
    gid: containerGid > MAX_ID ? 0 : containerGid,
    size: entry.type !== 'file' || size > MAX_LONG ? 0 : size,
    mtime: new Date(mtimeSec < 0 || mtimeSec > MAX_LONG ? 0 : mtimeSec * 1000),
    devmaj: entry.devMajor,
    devmin: entry.devMinor,
  });
}

function encodeHeader(fields: HeaderData): Buffer {
  const block = Buffer.alloc(BLOCK);
  new Header(fields).encode(block, 0);
  return block;
}

/** For readers without pax alone: a name that says something rather than nothing. */
function ascii(name: ByteString): string {
  return PLAIN.test(name) ? name : name.replace(/[^\x20-\x7e]/g, '_');
}

function paxHeader(records: ReadonlyMap<string, ByteString>): Buffer[] {
  if (records.size === 0) return [];
  const keys = [...records.keys()].sort();
  const data = Buffer.from(keys.map((key) => paxRecord(key, records.get(key) as string)).join(''), 'latin1');
  const block = encodeHeader({
    type: 'ExtendedHeader',
    path: 'PaxHeaders.0/entry',
    linkpath: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: data.length,
    mtime: new Date(0),
    devmaj: 0,
    devmin: 0,
  });
  return [block, data, Buffer.alloc(paddingOf(data.length))];
}

/** "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
function paxRecord(key: string, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function sparseMap(extents: readonly Extent[]): Buffer {
  const numbers = [extents.length, ...extents.flatMap(({ offset, length }) => [offset, length])];
  const text = Buffer.from(`${numbers.join('\n')}\n`);
  return Buffer.concat([text, Buffer.alloc(paddingOf(text.length))]);
}
