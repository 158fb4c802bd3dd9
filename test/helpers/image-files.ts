// The files of an image from the tars of its layers: read by code that shares nothing with what wrote them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

interface ImageFile {
  type: string;
  mode: number;
  uid: number;
  gid: number;
  link: string;
  content: Buffer;
  xattrs: string;
}

/** By absolute path. */
export type ImageFiles = ReadonlyMap<string, ImageFile>;

export interface ReadImage {
  config: Record<string, unknown>;
  history: { created_by?: string }[];
  layers: string[];
  files: ImageFiles;
}

const known = new Map<string, [string, ImageFile][]>();

/** manifest: of an image whose blobs `pathOf` names by their digests. */
export function readImage(manifest: string, pathOf: (digest: string) => string): ReadImage {
  const { config, layers } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  const text = readFileSync(pathOf(config.digest), 'utf8');
  const image = JSON.parse(text) as {
    config?: Record<string, unknown>;
    history?: { created_by?: string }[];
    rootfs: { diff_ids: string[] };
  };
  const files = new Map<string, ImageFile>();
  for (const { digest } of layers) {
    let entries = known.get(digest);
    if (entries === undefined) {
      entries = readTar(readFileSync(pathOf(digest)));
      known.set(digest, entries);
    }
    applyLayer(files, entries);
  }
  return {
    config: image.config ?? {},
    history: image.history ?? [],
    layers: image.rootfs.diff_ids,
    files,
  };
}

/** One line for each file that `base` has not, or has otherwise. */
export function describeFiles(files: ImageFiles, base: ImageFiles): string[] {
  const lines: [string, string][] = [];
  for (const [path, file] of files) {
    const line = describe(path, file);
    const before = base.get(path);
    if (before === undefined || describe(path, before) !== line) lines.push([path, line]);
  }
  for (const path of base.keys()) if (!files.has(path)) lines.push([path, `- ${path}`]);
  return lines.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
}

function describe(path: string, { type, mode, uid, gid, link, content, xattrs }: ImageFile): string {
  if (type === 'h') return `h ${path} == ${link}`;
  const start = `${type} ${mode.toString(8)} ${uid}:${gid} ${path}`;
  const tail = xattrs === '' ? '' : ` {${xattrs}}`;
  if (type === 'l') return `${start} -> ${link}${tail}`;
  if (type === 'd' || content.length === 0) return start + tail;
  const text = content.toString('utf8');
  const shown =
    content.length <= 60 && !text.includes('\0') && !text.includes('\ufffd')
      ? JSON.stringify(text).slice(1, -1)
      : `${content.length} bytes ${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
  return `${start} = ${shown}${tail}`;
}

/** Whiteouts first, as the image specification says: they mean what is below. */
function applyLayer(files: Map<string, ImageFile>, entries: [string, ImageFile][]): void {
  const below = (path: string): string[] => [...files.keys()].filter((one) => one.startsWith(`${path}/`));
  for (const [path] of entries) {
    const [, dir = '', name = ''] = /^(.*)\/\.wh\.([^/]+)$/.exec(path) ?? [];
    if (name === '') continue;
    const gone = name === '.wh..opq' ? below(dir) : [`${dir}/${name}`, ...below(`${dir}/${name}`)];
    for (const one of gone) files.delete(one);
  }
  for (const [path, file] of entries) {
    if (/\/\.wh\.[^/]+$/.test(path) || path === '/') continue;
    if (file.type !== 'd' && files.get(path)?.type === 'd') for (const one of below(path)) files.delete(one);
    files.set(path, file);
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '': 'f',
  0: 'f',
  1: 'h',
  2: 'l',
  3: 'c',
  4: 'b',
  5: 'd',
  6: 'p',
};

function readTar(blob: Buffer): [string, ImageFile][] {
  const tar = blob.readUInt16BE(0) === 0x1f8b ? gunzipSync(blob) : blob;
  const entries: [string, ImageFile][] = [];
  let pax = new Map<string, string>();
  for (let at = 0; at + 512 <= tar.length;) {
    const text = (from: number, size: number): string =>
      tar.toString('utf8', at + from, at + from + size).replace(/\0[^]*$/, '');
    if (text(0, 1) === '') break;
    const number = (from: number, size: number): number => parseInt(text(from, size).trim() || '0', 8);
    const flag = text(156, 1);
    const size = Number(pax.get('size') ?? number(124, 12));
    const content = tar.subarray(at + 512, at + 512 + size);
    const prefix = text(345, 155);
    const absolute = (path: string): string => `/${path.replace(/^(\.?\/)+|\/+$/g, '')}`.replace('/./', '/');
    if (flag === 'x') pax = paxRecords(content);
    else if (flag !== 'g') {
      const path = pax.get('path') ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`);
      const link = pax.get('linkpath') ?? text(157, 100);
      const type = TYPES[flag] ?? flag;
      const xattrs = [...pax].filter(([key]) => key.startsWith('SCHILY.xattr.'));
      entries.push([
        absolute(path === '.' ? '/' : path),
        {
          type,
          mode: number(100, 8) & 0o7777,
          uid: Number(pax.get('uid') ?? number(108, 8)),
          gid: Number(pax.get('gid') ?? number(116, 8)),
          link: type === 'h' ? absolute(link) : link,
          content: type === 'f' ? content : Buffer.alloc(0),
          xattrs: xattrs.map(([key, value]) => `${key.slice(13)}=${value}`).join(','),
        },
      ]);
      pax = new Map();
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

function paxRecords(content: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(' ', at);
    const length = Number(content.toString('utf8', at, space));
    const record = content.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}
