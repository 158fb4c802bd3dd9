// Writes tar entries for test images exactly as told, hostile ones included: no check, no normalisation. POSIX pax
// format (ustar headers, `x` records for what does not fit), so that GNU tar and umoci read it as we do.

export interface TarEntry {
  path: string | Uint8Array;
  type?: 'file' | 'dir' | 'symlink' | 'link' | 'char' | 'block' | 'fifo';
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds; a fraction becomes a pax record. */
  mtime?: number;
  content?: Uint8Array | string;
  /** Target of a symlink or name of the file a hard link points to. */
  link?: string | Uint8Array;
  device?: [major: number, minor: number];
  xattrs?: Record<string, Uint8Array | string>;
  /** Further pax records; they win over the header. */
  pax?: Record<string, string>;
  /** Says another size than `content` has. */
  lieAboutSize?: number;
}

const TYPE_FLAG = { file: '0', link: '1', symlink: '2', char: '3', block: '4', dir: '5', fifo: '6' };
const DEFAULT_MODE = {
  file: 0o644,
  link: 0o644,
  symlink: 0o777,
  char: 0o666,
  block: 0o660,
  dir: 0o755,
  fifo: 0o644,
};
export const DEFAULT_MTIME = 1_700_000_000;

/** A whole archive with its two closing blocks. */
export function tar(entries: Iterable<TarEntry>): Buffer {
  return Buffer.concat([...tarParts(entries), Buffer.alloc(1024)]);
}

/** The same piece by piece, without the closing blocks. */
export function* tarParts(entries: Iterable<TarEntry>): Generator<Buffer> {
  for (const entry of entries) {
    const type = entry.type ?? 'file';
    const path = bytes(entry.path);
    const link = bytes(entry.link ?? '');
    const content = bytes(entry.content ?? '');
    const mtime = entry.mtime ?? DEFAULT_MTIME;
    const uid = entry.uid ?? 0;
    const gid = entry.gid ?? 0;
    const records: [string, Uint8Array][] = [];
    if (path.length > 100) records.push(['path', path]);
    if (link.length > 100) records.push(['linkpath', link]);
    if (!Number.isInteger(mtime)) records.push(['mtime', bytes(String(mtime))]);
    if (uid > 0o7777777) records.push(['uid', bytes(String(uid))]);
    if (gid > 0o7777777) records.push(['gid', bytes(String(gid))]);
    for (const [name, value] of Object.entries(entry.xattrs ?? {})) {
      records.push([`SCHILY.xattr.${name}`, bytes(value)]);
    }
    for (const [key, value] of Object.entries(entry.pax ?? {})) records.push([key, bytes(value)]);
    if (records.length > 0) {
      const data = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
      yield header({
        path: Buffer.from('pax'),
        flag: 'x',
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: data.length,
        mtime,
      });
      yield padded(data);
    }
    yield header({
      path,
      flag: TYPE_FLAG[type],
      mode: entry.mode ?? DEFAULT_MODE[type],
      uid: Math.min(uid, 0o7777777),
      gid: Math.min(gid, 0o7777777),
      size: entry.lieAboutSize ?? (type === 'file' ? content.length : 0),
      mtime,
      link,
      device: entry.device,
    });
    if (type === 'file') yield padded(content);
  }
}

function header(h: {
  path: Buffer;
  flag: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  link?: Buffer;
  device?: [number, number] | undefined;
}): Buffer {
  const block = Buffer.alloc(512);
  h.path.copy(block, 0, 0, Math.min(100, h.path.length));
  octal(block, 100, 8, h.mode);
  octal(block, 108, 8, h.uid);
  octal(block, 116, 8, h.gid);
  octal(block, 124, 12, h.size);
  octal(block, 136, 12, Math.floor(h.mtime));
  block.write(h.flag, 156, 'latin1');
  h.link?.copy(block, 157, 0, Math.min(100, h.link.length));
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, h.device?.[0] ?? 0);
  octal(block, 337, 8, h.device?.[1] ?? 0);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, offset: number, width: number, value: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
}

/** "LENGTH key=value\n", where LENGTH counts itself. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function padded(data: Buffer): Buffer {
  return data.length % 512 === 0 ? data : Buffer.concat([data, Buffer.alloc(512 - (data.length % 512))]);
}

function bytes(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
}
