// A hostile or odd image must not make us read the host's files, hang, or see what an upper layer hides.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRootFile } from '../../../src/runtime/root-file.ts';

let dir: string;
let opaque: Set<string>;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-root-file-'));
  opaque = new Set();
  for (const tree of ['top', 'middle', 'bottom']) mkdirSync(join(dir, tree, 'etc'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function read(path = '/etc/passwd'): string | undefined {
  const trees = ['top', 'middle', 'bottom'].map((tree) => join(dir, tree));
  return readRootFile({ trees, isOpaque: (hostPath) => opaque.has(hostPath) }, path)?.toString();
}

function put(path: string, text: string): void {
  mkdirSync(join(dir, path, '..'), { recursive: true });
  writeFileSync(join(dir, path), text);
}

test('the topmost layer wins, lower ones show through', () => {
  put('bottom/etc/passwd', 'bottom');
  expect(read()).toBe('bottom');
  put('middle/etc/passwd', 'middle');
  expect(read()).toBe('middle');
});

test('absolute, relative and chained links resolve inside the image', () => {
  put('bottom/usr/lib/passwd', 'inside');
  symlinkSync('/link', join(dir, 'top/etc/passwd'));
  symlinkSync('../../../usr/lib/passwd', join(dir, 'middle/link'));
  expect(read()).toBe('inside');
});

test('a link to a file of the host finds nothing', () => {
  put('host-secret', 'secret');
  for (const target of [
    join(dir, 'host-secret'),
    '../../host-secret',
    '/proc/self/environ',
    '/etc/hostname',
  ]) {
    symlinkSync(target, join(dir, 'top/etc/passwd'));
    expect(read()).toBeUndefined();
    rmSync(join(dir, 'top/etc/passwd'));
  }
});

test('a directory that is a link resolves inside, too', () => {
  rmSync(join(dir, 'top/etc'), { recursive: true });
  symlinkSync('/other', join(dir, 'top/etc'));
  put('bottom/etc/passwd', 'hidden by the link');
  put('bottom/other/passwd', 'other');
  expect(read()).toBe('other');
});

test('link loops end', () => {
  symlinkSync('passwd', join(dir, 'top/etc/passwd'));
  expect(read()).toBeUndefined();
});

test('an opaque directory hides those below', () => {
  put('bottom/etc/passwd', 'bottom');
  opaque.add(join(dir, 'middle/etc'));
  expect(read()).toBeUndefined();
  opaque.clear();
  opaque.add(join(dir, 'middle'));
  expect(read()).toBeUndefined();
  rmSync(join(dir, 'middle/etc'), { recursive: true });
  expect(read()).toBeUndefined();
});

test('a file hides a directory below, and a directory a file', () => {
  put('bottom/etc/passwd/x', 'x');
  put('top/etc/passwd', 'file');
  expect(read()).toBe('file');
  expect(read('/etc/passwd/x')).toBeUndefined();
  rmSync(join(dir, 'top/etc/passwd'));
  put('top/etc/passwd/y', 'y');
  expect(read()).toBeUndefined();
  expect(read('/etc/passwd/x')).toBe('x');
});

test('a fifo is neither waited for nor read', () => {
  execFileSync('mkfifo', [join(dir, 'top/etc/passwd')]);
  expect(read()).toBeUndefined();
});

test('directories and missing files are nothing', () => {
  expect(read('/etc')).toBeUndefined();
  expect(read('/nope/passwd')).toBeUndefined();
});
