import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon, type Tree } from '../../../src/native/addon.ts';

const ADDON = fileURLToPath(new URL('../../../build/Release/addon.node', import.meta.url));
const native = addon();
const bytes = (text: string): Buffer => Buffer.from(text);

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-addon-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

describe('flock', () => {
  test('conflicts between two descriptions, not within one', () => {
    const open = () => openSync(join(dir, 'lock'), constants.O_RDWR | constants.O_CREAT);
    const [a, b] = [open(), open()];
    expect(native.flock(a, 'shared', true)).toBe(true);
    expect(native.flock(b, 'shared', true)).toBe(true);
    expect(native.flock(a, 'exclusive', true)).toBe(false);
    expect(native.flock(b, 'unlock', true)).toBe(true);
    expect(native.flock(a, 'exclusive', true)).toBe(true);
    expect(native.flock(b, 'shared', true)).toBe(false);
    closeSync(a);
    expect(native.flock(b, 'exclusive', false)).toBe(true);
    closeSync(b);
  });

  test('bad arguments are type errors, a bad descriptor is EBADF', () => {
    const call = native.flock as (...args: unknown[]) => unknown;
    expect(() => call(-1, 'shared', true)).toThrow(TypeError);
    expect(() => call(0, 'mine', true)).toThrow(TypeError);
    expect(() => call()).toThrow(TypeError);
    expect(() => call(1_000_000, 'shared', true)).toThrow(
      expect.objectContaining({ code: 'EBADF', errno: -9, syscall: 'flock' }),
    );
  });
});

describe('readFolders', () => {
  const read = (names: string[], files: string[] = ['a', 'b']) =>
    native.readFolders(bytes(dir), names, 'lock', files);
  const make = (name: string, files: Record<string, string | Uint8Array>): void => {
    mkdirSync(join(dir, name));
    for (const [file, data] of Object.entries(files)) writeFileSync(join(dir, name, file), data);
  };

  test('says of each who is held, and gives the texts that are there', () => {
    make('one', { lock: '', a: 'α', b: '' });
    make('two', { lock: '', b: 'x' });
    make('none', {});
    const fd = openSync(join(dir, 'one/lock'), 'r');
    native.flock(fd, 'exclusive', true);
    expect(read(['two', 'one', 'none', 'gone'])).toEqual(
      [
        [false, undefined, 'x'],
        [true, 'α', ''],
        [false, undefined, undefined],
        [false, undefined, undefined],
      ].flat(),
    );
    native.flock(fd, 'shared', true); // a reader of its files keeps nothing alive
    expect(read(['one'], [])).toEqual([false]);
    closeSync(fd);
    expect(read([])).toEqual([]);
  });

  test('reads a file of any size, and what is no UTF-8 as node:fs does', () => {
    const long = 'é'.repeat(70_000);
    make('one', { a: long, b: Buffer.of(0x61, 0xff, 0x62) });
    make('two', { a: 'x'.repeat(65_536), b: 'short' });
    expect(read(['one', 'two'])).toEqual([false, long, 'a\ufffdb', false, 'x'.repeat(65_536), 'short']);
  });

  test('an error names the path', () => {
    make('one', { lock: '' });
    mkdirSync(join(dir, 'one/a'));
    const path = join(dir, 'one/a');
    expect(() => read(['one'])).toThrow(expect.objectContaining({ code: 'EISDIR', path }));
    make('two', {});
    symlinkSync('a', join(dir, 'two/lock'));
    expect(() => read(['two'])).toThrow(
      expect.objectContaining({ code: 'ELOOP', path: join(dir, 'two/lock') }),
    );
    expect(() => native.readFolders(bytes(join(dir, 'x')), [], 'lock', [])).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
    const call = native.readFolders as (...args: unknown[]) => unknown;
    for (const names of [undefined, 'one', [1], ['a\0b']])
      expect(() => call(bytes(dir), names, 'lock', [])).toThrow(TypeError);
  });
});

test('renameNoReplace never replaces', () => {
  writeFileSync(join(dir, 'a'), 'a');
  writeFileSync(join(dir, 'b'), 'b');
  expect(native.renameNoReplace(bytes(join(dir, 'a')), bytes(join(dir, 'b')))).toBe(false);
  expect(readFileSync(join(dir, 'b'), 'utf8')).toBe('b');
  expect(native.renameNoReplace(bytes(join(dir, 'a')), bytes(join(dir, 'c')))).toBe(true);
  expect(existsSync(join(dir, 'a'))).toBe(false);
  const missing = () => native.renameNoReplace(bytes(join(dir, 'a')), bytes(join(dir, 'd')));
  expect(missing).toThrow(expect.objectContaining({ code: 'ENOENT', path: join(dir, 'a') }));
  expect(() => native.renameNoReplace(bytes('a\0b'), bytes('c'))).toThrow(TypeError);
});

test('extended attributes of any bytes, of links themselves', () => {
  const file = bytes(join(dir, 'f'));
  writeFileSync(join(dir, 'f'), '');
  symlinkSync('f', join(dir, 'l'));
  const value = Buffer.from([0, 255, 10, 61]);
  native.lsetxattr(file, 'user.any', value);
  native.lsetxattr(file, 'user.empty', Buffer.alloc(0));
  native.lsetxattr(file, 'user.long', Buffer.alloc(2000, 7));
  expect(native.lgetxattr(file, 'user.any')).toEqual(value);
  expect(native.lgetxattr(file, 'user.empty')).toEqual(Buffer.alloc(0));
  expect(native.lgetxattr(file, 'user.long')).toEqual(Buffer.alloc(2000, 7));
  expect(native.lgetxattr(file, 'user.none')).toBeUndefined();
  expect(native.llistxattr(file).sort()).toEqual(['user.any', 'user.empty', 'user.long']);
  expect(native.lgetxattr(bytes(join(dir, 'l')), 'user.any')).toBeUndefined();
  expect(() => native.lgetxattr(bytes(join(dir, 'none')), 'user.any')).toThrow(
    expect.objectContaining({ code: 'ENOENT' }),
  );
});

test('space of the file system', () => {
  const fd = openSync(dir, 'r');
  native.syncfs(fd);
  const { sizeBytes, availableBytes } = native.fstatfs(fd);
  closeSync(fd);
  const [count = 0, size = 0] = execFileSync('stat', ['-f', '-c', '%b %S', dir], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  expect(sizeBytes).toBe(count * size);
  expect(native.statfs(bytes(dir)).sizeBytes).toBe(sizeBytes);
  expect(availableBytes).toBeLessThan(sizeBytes);
});

test('processes by descriptor', async () => {
  const child = spawn('sleep', ['100']);
  const pidfd = native.pidfdOpen(child.pid as number) as number;
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  expect(native.pidfdSendSignal(pidfd, 15, false)).toBe(true);
  expect(await ended).toBe('SIGTERM');
  expect(native.pidfdSendSignal(pidfd, 15, true)).toBe(false);
  closeSync(pidfd);
  expect(native.pidfdOpen(child.pid as number)).toBeUndefined();
});

describe('openInRoot', () => {
  let root = -1;
  beforeEach(() => {
    writeFileSync(join(dir, 'outside'), 'outside');
    for (const name of ['root', 'root/etc', 'root/etc/sub']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'root/etc/file'), 'inside');
    writeFileSync(join(dir, 'root/outside'), 'the one in the root');
    root = openSync(join(dir, 'root'), constants.O_RDONLY | constants.O_DIRECTORY);
  });
  afterEach(() => closeSync(root));

  function read(path: string): string | undefined {
    const fd = native.openInRoot(root, bytes(path));
    if (fd === undefined) return undefined;
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  }

  test.each<[path: string, text: string | undefined]>([
    ['/etc/file', 'inside'],
    ['etc/file', 'inside'],
    ['/etc/sub/../file', 'inside'],
    ['/../../../outside', 'the one in the root'],
    ['/etc/nothing', undefined],
    ['/etc/file/below', undefined],
    [`/${'x'.repeat(300)}`, undefined],
  ])('%s', (path, text) => {
    expect(read(path)).toBe(text);
  });

  test.each<[target: string, text: string | undefined]>([
    ['/etc/file', 'inside'],
    ['../../../../outside', 'the one in the root'],
    ['/outside', 'the one in the root'],
    ['link', undefined], // itself
    ['/nowhere', undefined],
  ])('a link to %s', (target, text) => {
    symlinkSync(target, join(dir, 'root/etc/link'));
    expect(read('/etc/link')).toBe(text);
  });

  test('a magic link of procfs leads nowhere', () => {
    const proc = openSync('/proc', constants.O_RDONLY | constants.O_DIRECTORY);
    expect(native.openInRoot(proc, bytes('/self/root/etc/hostname'))).toBeUndefined();
    expect(native.openInRoot(proc, bytes('/self/exe'))).toBeUndefined();
    closeSync(proc);
  });

  test('a fifo does not wait for a writer', () => {
    execFileSync('mkfifo', [join(dir, 'root/etc/fifo')]);
    expect(read('/etc/fifo')).toBe('');
  });

  test('the descriptor is close-on-exec, and bad arguments are type errors', () => {
    const fd = native.openInRoot(root, bytes('/etc/file')) ?? -1;
    expect(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')).toMatch(/^flags:\t02\d{6}$/m);
    closeSync(fd);
    const call = native.openInRoot as (...args: unknown[]) => unknown;
    expect(() => call(-1, bytes('/'))).toThrow(TypeError);
    expect(() => call(root, '/')).toThrow(TypeError);
    expect(() => call(root, bytes('a\0b'))).toThrow(TypeError);
  });
});

describe('memfds', () => {
  test('hold what they were given and can be changed by nobody', () => {
    const fd = native.sealedMemfd(bytes('the plan'));
    const content = Buffer.alloc(20);
    expect(content.toString('utf8', 0, readSync(fd, content))).toBe('the plan');
    // Opened anew for writing, as a container would do through /proc/PID/exe (CVE-2019-5736).
    const again = openSync(`/proc/self/fd/${fd}`, constants.O_RDWR);
    const { status } = spawnSync(
      'dd',
      ['if=/dev/zero', 'of=/proc/self/fd/3', 'count=1', 'bs=1', 'conv=notrunc'],
      { stdio: ['ignore', 'ignore', 'ignore', again] },
    );
    expect(status).not.toBe(0);
    expect(lstatSync(`/proc/self/fd/${fd}`).isSymbolicLink()).toBe(true);
    closeSync(again);
    closeSync(fd);
  });

  test('hold the helper, which runs from there', () => {
    const fd = native.helperImage();
    const { status, stderr } = spawnSync(`/proc/self/fd/${fd}`, [], { encoding: 'utf8' });
    expect(status).toBe(125);
    expect(stderr).toContain('not meant to be called by hand');
    closeSync(fd);
  });
});

describe('launch', () => {
  /** Runs `script` in a node of its own; what it prints and how it ends. */
  function node(script: string) {
    const load = `const native = { exports: {} }; process.dlopen(native, ${JSON.stringify(ADDON)});`;
    const program = `${load} const { launch } = native.exports; ${script}`;
    return spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  }

  test('replaces this very process by the helper', () => {
    const { status, stderr } = node(
      `launch([Buffer.from('skiff')], [], Buffer.from('plan'), []); console.log('still here')`,
    );
    expect(stderr).toContain('not meant to be called by hand');
    expect(status).toBe(125);
  });

  test('hands over a plan, which the helper reads and refuses when it is none', () => {
    const { status, stderr, stdout } = node(
      `process.stdout.write(String(process.pid)); launch([Buffer.from('skiff'), Buffer.from('run')], [], Buffer.from('no plan'), [])`,
    );
    expect(stdout).toMatch(/^[0-9]+$/);
    expect(stderr).toMatch(/plan/);
    expect(status).toBe(125);
  });

  test.each([
    ['no argv', `launch([], [], Buffer.alloc(0), [])`],
    ['strings', `launch(['skiff'], [], Buffer.alloc(0), [])`],
    ['a NUL', `launch([Buffer.from('a\\0b')], [], Buffer.alloc(0), [])`],
    ['no plan', `launch([Buffer.from('skiff')], [], 'plan', [])`],
    ['no descriptors', `launch([Buffer.from('skiff')], [], Buffer.alloc(0))`],
    ['a closed descriptor', `launch([Buffer.from('skiff')], [], Buffer.alloc(0), [99])`],
  ])('throws for %s', (_, call) => {
    const { status, stdout } = node(
      `try { ${call} } catch (error) { console.log(error.code ?? error.name) }`,
    );
    expect([status, stdout.trim()]).toEqual([0, expect.stringMatching(/^(TypeError|EBADF)$/)]);
  });
});

describe('Tree', () => {
  let tree: Tree;
  beforeEach(() => {
    mkdirSync(join(dir, 'root/real'), { recursive: true });
    writeFileSync(join(dir, 'canary'), 'alive');
    symlinkSync('real', join(dir, 'root/link'));
    symlinkSync('..', join(dir, 'root/up'));
    const fd = openSync(join(dir, 'root'), 'r');
    tree = new native.Tree(fd);
    closeSync(fd);
  });
  afterEach(() => {
    tree.close();
    expect(readFileSync(join(dir, 'canary'), 'utf8')).toBe('alive');
  });

  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const write = (path: string) => tree.writeFile(path, 0o644, uid, gid, 0, 0, bytes('evil'), 0, 4);

  // Whatever TypeScript asks for: not out of the root, and through no link.
  test.each([
    '..',
    '../canary',
    'real/../../canary',
    '/etc/passwd',
    'up/canary',
    'link/f',
    '',
    '.',
    'real/.',
    'a//b',
    '/',
    'real/',
  ])('refuses to write %j', (path) => {
    expect(() => write(path)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^E(XDEV|LOOP|NOTDIR|NOENT|ISDIR|EXIST)$/) }),
    );
    for (const call of [
      () => tree.begin(path, 0o644),
      () => tree.makeNode(path, 0o010644, 0, 0, uid, gid, 0, 0),
      () => tree.symlink(path, 'x', uid, gid, 0, 0),
      () => tree.link(path, 'real/copy'),
      () => tree.link('real/none', path),
      () => tree.rename('real', path),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: expect.stringMatching(/^E/) }));
    }
  });

  test.each(['up/canary', 'link', '..', 'up'])('sets no directory attributes through %j', (path) => {
    expect(() => tree.setDir(path, 0, uid, gid, 0, 0)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^E/) }),
    );
  });

  test('removes a link, not what it names; a missing thing; a tree without rights', () => {
    tree.remove('up');
    tree.remove('missing');
    expect(existsSync(join(dir, 'root/up'))).toBe(false);
    mkdirSync(join(dir, 'root/real/a/b'), { recursive: true });
    execFileSync('chmod', ['0', join(dir, 'root/real/a')]);
    tree.remove('real');
    expect(existsSync(join(dir, 'root/real'))).toBe(false);
  });

  test('reads stat and links; nothing is undefined', () => {
    expect(tree.stat('real')?.slice(0, 3)).toEqual([lstatSync(join(dir, 'root/real')).mode, uid, gid]);
    expect(tree.stat('link')?.[0]).toBe(lstatSync(join(dir, 'root/link')).mode);
    expect(tree.stat('none')).toBeUndefined();
    expect(tree.stat('none/below')).toBeUndefined();
    expect(tree.readlink('link')).toBe('real');
  });

  test('slices outside of their buffer are refused', () => {
    expect(() => tree.writeFile('f', 0o644, uid, gid, 0, 0, bytes('abc'), 1, 3)).toThrow(TypeError);
    expect(() => tree.writeFile('f', 0o644, uid, gid, 0, 0, bytes('abc'), -1, 1)).toThrow(TypeError);
    expect(existsSync(join(dir, 'root/f'))).toBe(false);
  });

  test('is of no use after close', () => {
    tree.close();
    expect(() => write('f')).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });

  test('names are bytes', () => {
    tree.writeFile('\xff\xe9', 0o644, uid, gid, 0, 0, bytes('x'), 0, 1);
    expect(existsSync(Buffer.concat([bytes(`${dir}/root/`), Buffer.from([0xff, 0xe9])]))).toBe(true);
  });
});
