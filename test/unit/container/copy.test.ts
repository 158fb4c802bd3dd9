// The pure and the careful parts of cp: how ends are read, where a copy goes, how a path is resolved in a hostile root.

import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { parseCopyEnd } from '../../../src/container/files/copy-end.ts';
import type { CopySource } from '../../../src/container/files/requests.ts';
import { assertsDirectory, resolveInRoot } from '../../../src/container/files/resolve.ts';
import { targetOf } from '../../../src/container/files/target.ts';

describe('parseCopyEnd', () => {
  test.each([
    ['web:/etc/passwd', { kind: 'container', reference: 'web', path: '/etc/passwd' }],
    ['web:rel/a:b', { kind: 'container', reference: 'web', path: 'rel/a:b' }],
    ['web:', { kind: 'container', reference: 'web', path: '/' }],
    ['./a:b', { kind: 'host', path: './a:b' }],
    ['../a:b', { kind: 'host', path: '../a:b' }],
    ['/a:b', { kind: 'host', path: '/a:b' }],
    [':x', { kind: 'host', path: ':x' }],
    ['plain', { kind: 'host', path: 'plain' }],
    ['-', { kind: 'stream' }],
  ])('%s', (text, end) => {
    expect(parseCopyEnd(text)).toEqual(end);
  });
});

test.each([
  ['a/', true],
  ['a/.', true],
  ['.', true],
  ['..', true],
  ['a/..', true],
  ['', true],
  ['/', true],
  ['a', false],
  ['a.', false],
  ['a/..b', false],
  ['.a', false],
])('assertsDirectory %s', (path, expected) => {
  expect(assertsDirectory(path)).toBe(expected);
});

describe('targetOf', () => {
  const source = (kind: 'file' | 'dir' | 'content'): CopySource => ({ kind, name: 'src' });
  const there = (is: 'dir' | 'other' | 'missing', path = '/to/dst') => ({ path, name: 'dst', is });

  test.each([
    ['file', 'dir', true, 'src', 'src/x'],
    ['dir', 'dir', true, 'src', 'src/x'],
    ['content', 'dir', true, '', 'x'],
    ['file', 'other', false, 'dst', 'dst/x'],
    ['file', 'missing', false, 'dst', 'dst/x'],
    ['dir', 'missing', false, 'dst', 'dst/x'],
    ['content', 'missing', false, 'dst', 'dst/x'],
  ] as const)('%s to %s', (kind, is, inside, itself, below) => {
    const target = targetOf(source(kind), there(is));
    expect([target.inside, target.map('source'), target.map('source/x')]).toEqual([inside, itself, below]);
  });

  test.each([
    ['dir', 'other', '/to/dst', /cannot copy directory/],
    ['content', 'other', '/to/dst', /cannot copy directory/],
    ['file', 'missing', '/to/dst/', /no such directory/],
  ] as const)('%s to %s %s is refused', (kind, is, path, message) => {
    expect(() => targetOf(source(kind), there(is, path))).toThrow(message);
  });

  test('a stream keeps its names and needs a directory', () => {
    expect(targetOf({ kind: 'stream' }, there('dir')).map('a/b')).toBe('a/b');
    expect(() => targetOf({ kind: 'stream' }, there('missing'))).toThrow(/must be a directory/);
    expect(() => targetOf({ kind: 'stream' }, there('other'))).toThrow(/must be a directory/);
  });
});

describe('resolveInRoot', () => {
  const made: string[] = [];
  afterEach(() => {
    for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
  });

  /** root/ with links of all kinds, and secret beside it. */
  function root(): number {
    const outside = mkdtempSync(`${tmpdir()}/skiff-resolve-`);
    made.push(outside);
    writeFileSync(`${outside}/secret`, '');
    const dir = `${outside}/root`;
    mkdirSync(`${dir}/a/b`, { recursive: true });
    writeFileSync(`${dir}/a/file`, '');
    writeFileSync(`${dir}/secret`, 'of the container');
    symlinkSync('../../..', `${dir}/a/up`);
    symlinkSync('/', `${dir}/a/top`);
    symlinkSync(`${outside}/secret`, `${dir}/a/host`);
    symlinkSync('b', `${dir}/a/dir`);
    symlinkSync('loop', `${dir}/loop`);
    symlinkSync('/a/gone', `${dir}/dangling`);
    return openSync(dir, 'r');
  }

  function resolve(path: string, follow = true): [name: string, size: number | undefined, kind: string] {
    const fd = root();
    try {
      const found = resolveInRoot(fd, path, { follow });
      found.close();
      const { stat } = found;
      const kind =
        stat === undefined ? 'none' : stat.isDirectory() ? 'dir' : stat.isSymbolicLink() ? 'link' : 'file';
      return [found.name, kind === 'file' ? Number(stat?.size) : undefined, kind];
    } finally {
      closeSync(fd);
    }
  }

  test.each([
    ['/a/file', true, ['file', 0, 'file']],
    ['a//./file', true, ['file', 0, 'file']],
    ['../../secret', true, ['secret', 16, 'file']],
    ['/a/up/secret', true, ['secret', 16, 'file']],
    ['/a/top/a/top/secret', true, ['secret', 16, 'file']],
    ['/a/up', false, ['up', undefined, 'link']],
    ['/a/up/', false, ['.', undefined, 'dir']],
    ['/a/dir', true, ['.', undefined, 'dir']],
    ['/a/dir/..', true, ['.', undefined, 'dir']],
    ['/', true, ['.', undefined, 'dir']],
    ['/a/new', true, ['new', undefined, 'none']],
    ['/dangling', true, ['gone', undefined, 'none']],
    ['/dangling', false, ['dangling', undefined, 'link']],
  ])('%s, following %s', (path, follow, expected) => {
    expect(resolve(path, follow)).toEqual(expected);
  });

  test.each([
    ['/a/host', /no such file/],
    ['/no/such', /no such file/],
    ['/a/file/x', /not a directory/],
    ['/a/file/', /not a directory/],
    ['/loop', /too many levels/],
  ])('%s is refused', (path, message) => {
    expect(() => resolve(path)).toThrow(message);
  });
});
