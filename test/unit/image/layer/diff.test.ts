// Which entries an upper directory becomes: whiteouts, opaque directories, what is left out, and what other tools read.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { findChanges } from '../../../../src/image/layer/changes.ts';
import { packLayer, type UpperDirectory } from '../../../../src/image/layer/diff.ts';
import type { Packed } from '../../../../src/image/layer/pack.ts';
import { addon } from '../../../../src/native/addon.ts';
import { GID, sandbox, snapshot, UID, unpackBytes } from './sandbox.ts';

interface Pair extends UpperDirectory {
  lower: string;
}

function pair(extra: Partial<UpperDirectory> = {}): Pair {
  const { dest: upper } = sandbox();
  const { dest: lower } = sandbox();
  return { upper, lower, lowerTrees: [lower], mountPoints: [], volumes: [], ...extra };
}

function pack(source: UpperDirectory): { bytes: Buffer } & Packed {
  const chunks: Buffer[] = [];
  const packed = packLayer(source, (chunk) => chunks.push(Buffer.from(chunk)));
  return { bytes: Buffer.concat(chunks), ...packed };
}

/** As GNU tar lists them. */
function names(bytes: Buffer): string[] {
  return execFileSync('tar', ['-tf', '-'], { input: bytes, encoding: 'utf8' }).split('\n').slice(0, -1);
}

function whiteout(dir: string, name: string): void {
  const fd = openSync(dir, 'r');
  const tree = new (addon().Tree)(fd);
  tree.makeNode(name, 0o020000, 0, 0, UID, GID, 0, 0);
  tree.close();
  closeSync(fd);
}

const opaque = (path: string): void =>
  addon().lsetxattr(Buffer.from(path), 'user.overlay.opaque', Buffer.from('y'));

function changes(source: UpperDirectory): string[] {
  const found: string[] = [];
  findChanges(source, ({ kind, path }) => found.push(`${kind} ${path}`));
  return found.sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));
}

/** `lower` has a/f, a/g, d/x, keep; `upper` changes them. */
function changed(): Pair {
  const both = pair();
  for (const dir of ['a', 'd', 'same']) mkdirSync(`${both.lower}/${dir}`);
  for (const file of ['a/f', 'a/g', 'd/x', 'd/y', 'keep']) writeFileSync(`${both.lower}/${file}`, 'old');
  mkdirSync(`${both.upper}/a`);
  whiteout(`${both.upper}/a`, 'f');
  writeFileSync(`${both.upper}/a/g`, 'newer');
  mkdirSync(`${both.upper}/d`);
  opaque(`${both.upper}/d`);
  writeFileSync(`${both.upper}/d/y`, 'newer');
  mkdirSync(`${both.upper}/new`);
  opaque(`${both.upper}/new`);
  writeFileSync(`${both.upper}/new/file`, '');
  mkdirSync(`${both.upper}/same`);
  whiteout(both.upper, 'never-was');
  return both;
}

describe('whiteouts and opaque directories', () => {
  test('become .wh. files, sorted; a new directory hides nothing', () => {
    const { bytes, notes } = pack(changed());
    expect(names(bytes)).toEqual([
      'a/',
      'a/.wh.f',
      'a/g',
      'd/',
      'd/.wh..wh..opq',
      'd/y',
      '.wh.never-was',
      'new/',
      'new/file',
      'same/',
    ]);
    expect(notes).toEqual([]);
  });

  test('diff: what docker shows, directories only where something in them changed', () => {
    expect(changes(changed())).toEqual([
      'C /a',
      'D /a/f',
      'C /a/g',
      'C /d',
      'D /d/x',
      'C /d/y',
      'A /new',
      'A /new/file',
    ]);
  });

  test('diff: a mode of a directory, a file in place of a directory, an untouched copy', () => {
    const both = pair();
    for (const dir of ['mode', 'replaced']) mkdirSync(`${both.lower}/${dir}`);
    for (const root of [both.lower, both.upper])
      execFileSync('sh', ['-c', `echo same > ${root}/copy; touch -d @1000000000.5 ${root}/copy`]);
    mkdirSync(`${both.upper}/mode`, 0o700);
    writeFileSync(`${both.upper}/replaced`, '');
    expect(changes(both)).toEqual(['C /mode', 'C /replaced']);
    chmodSync(`${both.upper}/copy`, 0o600);
    expect(changes(both)).toEqual(['C /copy', 'C /mode', 'C /replaced']);
  });
});

describe('what is left out', () => {
  test('empty mount points of skiff, but nothing that holds something', () => {
    const mountPoints = ['/proc', '/dev', '/etc/hosts', '/etc/resolv.conf', '/run/x'];
    const both = pair({ mountPoints });
    for (const dir of ['proc', 'dev', 'etc', 'run', 'run/x']) mkdirSync(`${both.upper}/${dir}`);
    for (const file of ['etc/hosts', 'etc/resolv.conf']) writeFileSync(`${both.upper}/${file}`, '');
    expect(names(pack(both).bytes)).toEqual([]);
    expect(changes(both)).toEqual([]);
    writeFileSync(`${both.upper}/etc/resolv.conf`, 'nameserver 1.1.1.1\n');
    writeFileSync(`${both.upper}/dev/file`, '');
    expect(names(pack(both).bytes)).toEqual(['dev/', 'dev/file', 'etc/', 'etc/resolv.conf']);
    expect(changes(both)).toEqual(['A /dev', 'A /dev/file', 'A /etc', 'A /etc/resolv.conf']);
  });

  test('the content of volumes', () => {
    const both = pair({ volumes: ['/var/data'] });
    mkdirSync(`${both.upper}/var/data/deep`, { recursive: true });
    writeFileSync(`${both.upper}/var/data/deep/secret`, 'x');
    expect(names(pack(both).bytes)).toEqual(['var/', 'var/data/']);
    expect(changes(both)).toEqual(['A /var', 'A /var/data']);
  });

  test('sockets, silently; names that mean whiteouts, with a note', async () => {
    const both = pair();
    const server = createServer().listen(`${both.upper}/socket`);
    await new Promise((resolve) => server.once('listening', resolve));
    writeFileSync(`${both.upper}/.wh.forged`, '');
    writeFileSync(`${both.upper}/file`, '');
    const { bytes, notes } = pack(both);
    server.close();
    expect(names(bytes)).toEqual(['file']);
    expect(notes).toEqual([expect.stringContaining('".wh.forged"')]);
  });

  test("overlayfs's and skiff's attributes; other user attributes stay", () => {
    const both = pair();
    writeFileSync(`${both.upper}/file`, 'x');
    for (const name of ['user.overlay.origin', 'user.overlay.impure', 'user.skiff.other', 'user.mine'])
      addon().lsetxattr(Buffer.from(`${both.upper}/file`), name, Buffer.from('v'));
    const records = pack(both)
      .bytes.toString('latin1')
      .match(/SCHILY\.xattr\.[a-z.]+/g);
    expect(records).toEqual(['SCHILY.xattr.user.mine']);
  });
});

test('owners and devices that a single id could only note are given back', () => {
  const both = pair();
  const note = (path: string, name: string, value: string): void =>
    addon().lsetxattr(Buffer.from(`${both.upper}/${path}`), `user.skiff.${name}`, Buffer.from(value));
  writeFileSync(`${both.upper}/null`, '');
  note('null', 'device', 'c:1:3');
  writeFileSync(`${both.upper}/owned`, 'x');
  note('owned', 'owner', '33:3000000:0644');
  writeFileSync(`${both.upper}/forged`, 'x');
  note('forged', 'owner', '4294967295:0:0644');
  const text = execFileSync('tar', ['--numeric-owner', '-tvf', '-'], {
    input: pack(both).bytes,
    encoding: 'utf8',
  });
  expect(text).toMatch(/^c.* 1,3 .* null$/m);
  // The note counts only while the file belongs to root, who stood in for the owner.
  expect(text).toMatch(UID === 0 ? / 33\/3000000 .* owned$/m : new RegExp(` ${UID}/${GID} .* owned$`, 'm'));
  expect(text).toMatch(new RegExp(` ${UID}/${GID} .* forged$`, 'm'));
});

test('GNU tar extracts what was packed: odd names, links, times, a large hole', async () => {
  const both = pair();
  const { upper } = both;
  const long = 'n'.repeat(200);
  mkdirSync(`${upper}/${long}/${long}`, { recursive: true });
  writeFileSync(`${upper}/${long}/${long}/${long}`, 'deep');
  writeFileSync(Buffer.from(`${upper}/\xff\xfe name\n`, 'latin1'), 'no UTF-8');
  writeFileSync(`${upper}/ünï`, 'UTF-8');
  symlinkSync(`${long}/${long}/${long}`, `${upper}/link`);
  linkSync(`${upper}/ünï`, `${upper}/zz`);
  execFileSync('touch', ['-d', '@-1.25', `${upper}/zz`]);
  const fd = openSync(`${upper}/sparse`, 'w');
  writeSync(fd, 'middle', 300 << 20);
  ftruncateSync(fd, 2 ** 33);
  closeSync(fd);
  const { bytes } = pack(both);
  expect(bytes.length).toBeLessThan(1 << 20);
  const { dest: reference } = sandbox();
  execFileSync('tar', ['-xpf', '-'], { cwd: reference, input: bytes, stdio: ['pipe', 'pipe', 'ignore'] });
  const { dest } = sandbox();
  await unpackBytes(bytes, dest);
  for (const dir of [reference, dest]) {
    const sparse = statSync(`${dir}/sparse`);
    expect([sparse.size, sparse.blocks < 1000]).toEqual([2 ** 33, true]);
    expect(statSync(`${dir}/zz`, { bigint: true }).mtimeNs).toBe(-1_250_000_000n);
    expect(statSync(`${dir}/zz`).ino).toBe(statSync(`${dir}/ünï`).ino);
    execFileSync('rm', [`${dir}/sparse`]);
  }
  execFileSync('rm', [`${upper}/sparse`]);
  expect(snapshot(reference)).toEqual(snapshot(upper));
  expect(snapshot(dest)).toEqual(snapshot(upper));
});
