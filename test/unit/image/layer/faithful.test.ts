// What comes out equals what GNU tar extracts and what the archive says: types, bytes, modes, owners, times, names, links,
// attributes, holes.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  ftruncateSync,
  writeSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addon } from '../../../../src/native/addon.ts';
import { tar } from '../../../helpers/tar-writer.ts';
import { GID, UID, layer, sandbox, snapshot, unpackBytes } from './sandbox.ts';

const asRoot = UID === 0;

/** path → everything that `find` can say, without the sizes of directories. */
function listing(dir: string): string[] {
  const format = '%P\\0%y\\0%m\\0%U\\0%G\\0%s\\0%T@\\0%l\\0%n\\n';
  const lines = execFileSync('find', ['.', '-mindepth', '1', '-printf', format], {
    cwd: dir,
    encoding: 'latin1',
    maxBuffer: 1 << 26,
  });
  return lines
    .split('\n')
    .map((line) =>
      line
        .split('\0')
        .map((field, i, all) => (i === 5 && all[1] === 'd' ? '' : field))
        .join(' '),
    )
    .sort();
}

/** Packs `source` by GNU tar with these options, and unpacks it by GNU tar and by us. */
async function both(source: string, options: string[]) {
  const { dest } = sandbox();
  const { dest: reference } = sandbox();
  const bytes = execFileSync('tar', [...options, '-cf', '-', '.'], { cwd: source, maxBuffer: 1 << 28 });
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-xpf', '-'], { cwd: reference, input: bytes });
  await unpackBytes(bytes, dest);
  return { dest, reference };
}

function sourceTree(): string {
  const { dest: dir } = sandbox();
  const file = (name: string | Buffer, content: string | Buffer, mode = 0o644) => {
    const path = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name)]);
    writeFileSync(path, content);
    chmodSync(path, mode);
  };
  mkdirSync(join(dir, 'a/b/c'), { recursive: true });
  mkdirSync(join(dir, 'x'.repeat(120), 'y'.repeat(200)), { recursive: true });
  file('a/one', 'one');
  file('a/suid', 'suid', 0o4755);
  file('a/sgid', 'sgid', 0o2755);
  file('a/none', '', asRoot ? 0 : 0o400);
  file('big', Buffer.alloc(3_000_000, 'big file\n'));
  file('block', Buffer.alloc(512, 'b'));
  file('two-blocks', Buffer.alloc(1024, 'b'));
  file(`${'x'.repeat(120)}/${'y'.repeat(200)}/${'z'.repeat(250)}`, 'long');
  file('näme with spaces\nand a newline', 'odd');
  execFileSync('ln', ['-s', '../outside', 'a/up'], { cwd: dir });
  execFileSync('ln', ['-s', 't'.repeat(300), 'a/long-link'], { cwd: dir });
  execFileSync('ln', ['a/one', 'a/b/hard'], { cwd: dir });
  execFileSync('mkfifo', ['-m', '0622', 'a/fifo'], { cwd: dir });
  mkdirSync(join(dir, 'sticky'));
  execFileSync('chmod', ['1777', 'sticky'], { cwd: dir });
  mkdirSync(join(dir, 'setgid'));
  execFileSync('chmod', ['2755', 'setgid'], { cwd: dir });
  file('setgid/inside', 'x');
  utimesSync(join(dir, 'a/one'), -1.5, -1.5);
  utimesSync(join(dir, 'a/b'), 1e9, 1e9 + 0.25);
  return dir;
}

describe('the tree equals what GNU tar makes of', () => {
  test.each([
    ['pax', ['--format=pax']],
    ['pax with xattrs', ['--format=pax', '--xattrs']],
    ['gnu', ['--format=gnu']],
  ])('%s', async (_, options) => {
    const source = sourceTree();
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'line\nline', 'a/one'], { cwd: source });
    const { dest, reference } = await both(source, options);
    expect(listing(dest)).toEqual(listing(reference));
    expect(snapshot(dest)).toEqual(snapshot(reference));
    expect(listing(dest).length).toBeGreaterThan(20);
    const note = addon()
      .lgetxattr(Buffer.from(join(dest, 'a/one')), 'user.note')
      ?.toString();
    expect(note).toBe(options.includes('--xattrs') ? 'line\nline' : undefined);
  });

  test('names that are not UTF-8', async () => {
    const { dest: source } = sandbox();
    const name = Buffer.from('f\xff\xe9\x80', 'latin1');
    writeFileSync(Buffer.concat([Buffer.from(`${source}/`), name]), 'x');
    const long = Buffer.concat([Buffer.from(`${source}/`), Buffer.alloc(150, 0xe9)]);
    writeFileSync(long, 'y');
    for (const format of ['pax', 'gnu']) {
      const { dest } = await both(source, [`--format=${format}`]);
      expect(snapshot(dest)).toMatchObject({
        'f\xff\xe9\x80': 'file 644 x',
        ['\xe9'.repeat(150)]: 'file 644 y',
      });
    }
  });

  test.each(['0.0', '0.1', '1.0', 'gnu'])('sparse files, form %s', async (form) => {
    const { dest: source } = sandbox();
    const fd = openSync(join(source, 'sparse'), 'w');
    // More runs than fit into one header block, data at the very end, and one file that ends with a hole.
    for (let i = 0; i < 40; i++) writeSync(fd, `data ${i}`, i * 1_000_000);
    closeSync(fd);
    const tail = openSync(join(source, 'tail'), 'w');
    writeSync(tail, 'start');
    ftruncateSync(tail, 5_000_000);
    closeSync(tail);
    const format = form === 'gnu' ? ['--format=gnu'] : ['--format=pax', `--sparse-version=${form}`];
    const { dest, reference } = await both(source, ['--sparse', ...format]);
    expect(listing(dest)).toEqual(listing(reference));
    expect(snapshot(dest)).toEqual(snapshot(source));
    for (const name of ['sparse', 'tail']) {
      expect(statSync(join(dest, name)).blocks).toBeLessThan(statSync(join(dest, name)).size / 512 / 10);
    }
  });

  test.runIf(asRoot)('owners and devices (root)', async () => {
    const { dest } = sandbox();
    const bytes = tar([
      { path: 'dev', type: 'dir' },
      { path: 'dev/null', type: 'char', device: [1, 3], mode: 0o666, uid: 0, gid: 5 },
      { path: 'dev/loop0', type: 'block', device: [7, 0], mode: 0o660, gid: 6 },
      { path: 'huge', uid: 2_000_000_000, gid: 3_000_000_000, mode: 0o4755, content: 'x' },
      { path: 'link', type: 'symlink', link: 'huge', uid: 12, gid: 13 },
      {
        path: 'cap',
        mode: 0o755,
        content: 'x',
        xattrs: { 'security.capability': Buffer.from('0100000200200000000000000000000000000000', 'hex') },
      },
    ]);
    await unpackBytes(bytes, dest);
    const at = (name: string) => lstatSync(join(dest, name));
    expect([at('dev/null').rdev, at('dev/null').gid, at('dev/null').mode & 0o7777]).toEqual([
      0x103, 5, 0o666,
    ]);
    expect([at('dev/loop0').rdev, at('dev/loop0').isBlockDevice()]).toEqual([0x700, true]);
    expect([at('huge').uid, at('huge').gid, at('huge').mode & 0o7777]).toEqual([2e9, 3e9, 0o4755]);
    expect([at('link').uid, at('link').gid]).toEqual([12, 13]);
    expect(execFileSync('getcap', [join(dest, 'cap')], { encoding: 'utf8' })).toContain('cap_net_raw=ep');
  });

  test.runIf(asRoot)('device numbers of GNU archives (root)', async () => {
    const { dest: source } = sandbox();
    execFileSync('mknod', ['zero', 'c', '1', '5'], { cwd: source });
    const { dest } = await both(source, ['--format=gnu']);
    expect(lstatSync(join(dest, 'zero')).rdev).toBe(0x105);
  });
});

describe('one layer', () => {
  test.each([1, 7, 511, 512, 513, 4096, 70_000])('is the same in chunks of %d bytes', async (chunkBytes) => {
    const content = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7) % 251));
    const bytes = layer([
      { path: 'dir/', type: 'dir', mode: 0o750 },
      { path: 'dir/small', content: 'small' },
      { path: `dir/${'n'.repeat(180)}`, content, mtime: 1234.5 },
      { path: 'empty' },
      { path: 'link', type: 'symlink', link: 'l'.repeat(200) },
    ]);
    const { dest } = sandbox();
    const { dest: whole } = sandbox();
    const result = await unpackBytes(bytes, dest, chunkBytes);
    expect(result).toEqual(await unpackBytes(bytes, whole, bytes.length));
    expect(snapshot(dest)).toEqual(snapshot(whole));
    expect(readFileSync(join(dest, `dir/${'n'.repeat(180)}`)).equals(content)).toBe(true);
  });

  test('the later of two entries wins', async () => {
    const { dest } = sandbox();
    await unpackBytes(
      layer([
        { path: 'f', content: 'first' },
        { path: 'f', content: 'second', mode: 0o600 },
        { path: 'd', type: 'dir', mode: 0o700 },
        { path: 'd/kept', content: 'x' },
        { path: 'd', type: 'dir', mode: 0o750 },
        { path: 'was-file', content: 'x' },
        { path: 'was-file', type: 'dir' },
      ]),
      dest,
    );
    expect(snapshot(dest)).toEqual({
      '': 'dir 755',
      f: 'file 600 second',
      d: 'dir 750',
      'd/kept': 'file 644 x',
      'was-file': 'dir 755',
    });
  });

  test('whiteouts hide lower layers, not what this one has', async () => {
    const { dest } = sandbox();
    await unpackBytes(
      layer([
        { path: 'a/.wh.gone' },
        { path: 'a/new', content: 'x' },
        { path: 'a/.wh.new' },
        { path: 'b', type: 'dir' },
        { path: '.wh.b' },
        { path: '.wh.c' },
        { path: 'c/file', content: 'x' },
        { path: 'o/.wh..wh..opq' },
        { path: 'o/file', content: 'x' },
        { path: '.wh.back' },
        { path: 'back', content: 'x' },
      ]),
      dest,
    );
    expect(snapshot(dest)).toMatchObject({
      'a/gone': 'whiteout',
      'a/new': 'file 644 x',
      b: 'dir 755',
      'c/file': 'file 644 x',
      back: 'file 644 x',
    });
    const opaque = ['a', 'b', 'c', 'o'].filter((dir) =>
      addon().lgetxattr(Buffer.from(join(dest, dir)), 'user.overlay.opaque'),
    );
    expect(opaque).toEqual(['b', 'c', 'o']);
  });

  test('times of directories survive what is put into them', async () => {
    const { dest } = sandbox();
    const since = { mtime: 1_000_000_000.123456789 };
    await unpackBytes(
      layer([
        { path: 'd', type: 'dir', pax: { mtime: '-1000000000.5' } },
        { path: 'd/f', content: 'x', ...since },
      ]),
      dest,
    );
    expect(lstatSync(join(dest, 'd'), { bigint: true }).mtimeNs).toBe(-1_000_000_000_500_000_000n);
  });

  test('times keep their nanoseconds', async () => {
    const { dest } = sandbox();
    await unpackBytes(layer([{ path: 'f', pax: { mtime: '1700000000.123456789' } }]), dest);
    expect(lstatSync(join(dest, 'f'), { bigint: true }).mtimeNs).toBe(1_700_000_000_123_456_789n);
  });

  test('global pax headers are ignored', async () => {
    const { dest } = sandbox();
    const bytes = tar([{ path: 'x', pax: { path: 'y', mode: '0' }, content: 'x', uid: UID, gid: GID }]);
    bytes[156] = 'g'.charCodeAt(0);
    bytes.fill(' ', 148, 156);
    const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    await unpackBytes(bytes, dest);
    expect(snapshot(dest)).toEqual({ '': 'dir 755', x: 'file 644 x' });
  });

  test('an empty layer is an empty directory', async () => {
    const { dest } = sandbox();
    expect(await unpackBytes(layer([]), dest)).toMatchObject({ entries: 0, unlisted: [''] });
    expect(snapshot(dest)).toEqual({ '': 'dir 755' });
  });

  test.each([
    ['cut in a header', (b: Buffer) => b.subarray(0, 700)],
    ['cut in the content', (b: Buffer) => b.subarray(0, 512 + 100)],
    ['a wrong checksum', (b: Buffer) => Buffer.concat([Buffer.from('y'), b.subarray(1)])],
    ['text', () => Buffer.from('this is no archive\n'.repeat(100))],
  ])('%s is refused', async (_, damage) => {
    const { dest } = sandbox();
    const bytes = damage(
      layer([
        { path: 'x', content: 'x'.repeat(400) },
        { path: 'y', content: 'y' },
      ]),
    );
    await expect(unpackBytes(bytes, dest)).rejects.toMatchObject({ code: 'LAYER_INVALID' });
  });
});
