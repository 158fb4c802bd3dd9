// What goes into a layer comes out of it: for entries (encode, then read), and for whole upper directories with whiteouts,
// opaque directories, links, attributes and odd names (pack, unpack, pack again: the same bytes).

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { packLayer } from '../../src/image/layer/diff.ts';
import { encodeEntry, paddingOf } from '../../src/image/layer/encode-entry.ts';
import type { EntrySink, TarEntry } from '../../src/image/layer/entry.ts';
import { TarReader } from '../../src/image/layer/tar.ts';
import { unpackHere } from '../../src/image/layer/unpack-here.ts';
import { addon } from '../../src/native/addon.ts';

const asRoot = process.getuid?.() === 0;
const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) execFileSync('sh', ['-c', 'chmod -R u+rwX "$0" && rm -rf "$0"', dir]);
});

function directory(name: string): string {
  const dir = mkdtempSync(`${tmpdir()}/skiff-diff-`);
  made.push(dir);
  mkdirSync(`${dir}/${name}`);
  return `${dir}/${name}`;
}

const byteName = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replace(/[\0/]/g, '_'))
  .filter((name) => name !== '.' && name !== '..' && !name.startsWith('.wh.'));
const id = fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 0xfffffffe }));
const time = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 0, max: 2 ** 40 }));

const entry: fc.Arbitrary<TarEntry> = fc.record({
  type: fc.constantFrom('file', 'dir', 'symlink', 'link', 'char', 'block', 'fifo'),
  path: fc.array(byteName, { minLength: 1, maxLength: 30 }).map((names) => names.join('/')),
  linkPath: fc.array(byteName, { minLength: 1, maxLength: 20 }).map((names) => names.join('/')),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  containerUid: id,
  containerGid: id,
  mtimeSec: time,
  mtimeNsec: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
  sizeBytes: fc.integer({ min: 0, max: 3000 }),
  devMajor: fc.integer({ min: 1, max: 0xfff }),
  devMinor: fc.integer({ min: 0, max: 0xfffff }),
  xattrs: fc.option(
    fc
      .dictionary(
        fc.stringMatching(/^user\.[a-z]{1,9}$/),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        { minKeys: 1, maxKeys: 4 },
      )
      .map((all) => new Map(Object.entries(all))),
    { nil: undefined },
  ),
  extents: fc.constant(undefined),
});

class Collector implements EntrySink {
  readonly seen: TarEntry[] = [];
  readonly content: Buffer[] = [];
  wholeFile(one: TarEntry, chunk: Uint8Array, offset: number): void {
    this.beginFile(one);
    this.data(chunk, offset, one.sizeBytes);
  }
  beginFile(one: TarEntry): void {
    this.seen.push(one);
  }
  data(chunk: Uint8Array, offset: number, length: number): void {
    this.content.push(Buffer.from(chunk.subarray(offset, offset + length)));
  }
  endFile(): void {}
  other(one: TarEntry): void {
    this.seen.push(one);
  }
}

test('every entry is read as it was written', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const parts = entries.flatMap((one) => {
        const { head, storedBytes } = encodeEntry({
          ...one,
          sizeBytes: one.type === 'file' ? one.sizeBytes : 0,
        });
        return [head, Buffer.alloc(storedBytes + paddingOf(storedBytes), 7)];
      });
      const sink = new Collector();
      const reader = new TarReader(sink);
      reader.push(Buffer.concat([...parts, Buffer.alloc(1024)]));
      reader.end();
      expect(sink.seen.map(({ path, ...rest }) => ({ ...rest, path: path.replace(/\/$/, '') }))).toEqual(
        entries.map(expected),
      );
    }),
    { numRuns: 300 },
  );
});

/** What a reader leaves out because the type has no such thing. */
function expected(one: TarEntry): TarEntry {
  const isDevice = one.type === 'char' || one.type === 'block';
  return {
    ...one,
    linkPath: one.type === 'symlink' || one.type === 'link' ? one.linkPath : '',
    sizeBytes: one.type === 'file' ? one.sizeBytes : 0,
    devMajor: isDevice ? one.devMajor : 0,
    devMinor: isDevice ? one.devMinor : 0,
  };
}

type Node =
  | { kind: 'file'; content: Buffer; mode: number; owner: number; xattr: boolean }
  | { kind: 'dir'; mode: number; owner: number; opaque: boolean; children: [string, Node][] }
  | { kind: 'symlink'; target: string }
  | { kind: 'whiteout' }
  | { kind: 'fifo' }
  | { kind: 'again' };

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('file' as const),
      content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
      mode: fc.constantFrom(0o644, 0o4755, 0o600, 0o000),
      owner: fc.integer({ min: 0, max: 3_000_000 }),
      xattr: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('symlink' as const), target: byteName }),
    fc.record({ kind: fc.constant('whiteout' as const) }),
    fc.record({ kind: fc.constant('fifo' as const) }),
    fc.record({ kind: fc.constant('again' as const) }),
    fc.record({
      kind: fc.constant('dir' as const),
      mode: fc.constantFrom(0o755, 0o1777, 0o700),
      owner: fc.integer({ min: 0, max: 65_535 }),
      opaque: fc.boolean(),
      children: fc.uniqueArray(fc.tuple(byteName, tie('node')), { maxLength: 6, selector: ([name]) => name }),
    }),
  ),
}));
const trees = fc.uniqueArray(fc.tuple(byteName, node), { maxLength: 8, selector: ([name]) => name });

/** Makes `children` in `dir`, and in `lower` a directory below each of its directories: something for opaque ones to hide. */
function build(dir: Buffer, lower: Buffer, children: readonly [string, Node][], files: Buffer[]): void {
  for (const [name, one] of children) {
    const path = Buffer.concat([dir, Buffer.from(`/${name}`, 'latin1')]);
    if (one.kind === 'file') {
      writeFileSync(path, one.content);
      if (one.xattr) addon().lsetxattr(path, 'user.note', Buffer.from([0, 255, 10, 61]));
      if (asRoot) lchownSync(path, one.owner, one.owner + 1);
      chmodSync(path, one.mode);
      files.push(path);
    } else if (one.kind === 'symlink') symlinkSync(Buffer.from(one.target, 'latin1'), path);
    else if (one.kind === 'fifo') makeNode(dir, name, 0o010640);
    else if (one.kind === 'whiteout') makeNode(dir, name, 0o020000);
    else if (one.kind === 'again') {
      const first = files[0];
      if (first !== undefined) linkSync(first, path);
    } else {
      const below = Buffer.concat([lower, Buffer.from(`/${name}`, 'latin1')]);
      mkdirSync(path);
      mkdirSync(below);
      if (one.opaque) addon().lsetxattr(path, 'user.overlay.opaque', Buffer.from('y'));
      build(path, below, one.children, files);
      if (asRoot) lchownSync(path, one.owner, one.owner);
      chmodSync(path, one.mode);
    }
    // A whiteout's time is not part of a layer.
    if (one.kind !== 'again')
      lutimesSync(
        path,
        one.kind === 'whiteout' ? 0 : 1_600_000_000.25,
        one.kind === 'whiteout' ? 0 : 1_600_000_000.25,
      );
  }
}

function makeNode(dir: Buffer, name: string, mode: number): void {
  const fd = openSync(dir, 'r');
  const tree = new (addon().Tree)(fd);
  tree.makeNode(name, mode, 0, 0, process.getuid?.() ?? 0, process.getgid?.() ?? 0, 0, 0);
  tree.close();
  closeSync(fd);
}

function pack(upper: string, lower: string): Buffer {
  const chunks: Buffer[] = [];
  const { notes } = packLayer({ upper, lowerTrees: [lower], mountPoints: [], volumes: [] }, (chunk) =>
    chunks.push(Buffer.from(chunk)),
  );
  expect(notes).toEqual([]);
  return Buffer.concat(chunks);
}

/** Everything `find` can tell, sorted. */
function listing(dir: string): string[] {
  const format = String.raw`%P\0%y\0%m\0%U\0%G\0%T@\0%l\0%n\0%D\1`;
  const text = execFileSync('find', ['.', '-mindepth', '1', '-printf', format], {
    cwd: dir,
    encoding: 'latin1',
  });
  return text
    .split('\u0001')
    .map((line) => line.split('\0').slice(0, -1).join(' '))
    .sort();
}

test('an upper directory is unpacked as it was, and packs to the same bytes again', async () => {
  process.umask(0o022);
  await fc.assert(
    fc.asyncProperty(trees, async (children) => {
      const [upper, lower, dest] = [directory('upper'), directory('lower'), directory('dest')];
      build(Buffer.from(upper), Buffer.from(lower), children, []);
      const first = pack(upper, lower);
      expect(pack(upper, lower).equals(first)).toBe(true);
      await unpackHere(Readable.from([first]), undefined, dest);
      expect(withoutWhiteoutLinks(listing(dest))).toEqual(withoutWhiteoutLinks(listing(upper)));
      expect(pack(dest, lower).equals(first)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

/** overlayfs links its whiteouts to one another; their modes and numbers of names mean nothing. */
function withoutWhiteoutLinks(lines: string[]): string[] {
  return lines.map((line) => line.replace(/ c \d+ .*$/, ' whiteout'));
}
