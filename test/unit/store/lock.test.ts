import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isFree, tryLock, tryLockFd } from '../../../src/store/lock.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/skiff-lock-`);
  file = `${dir}/lock`;
  writeFileSync(file, '');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a file is free without a holder, a missing one always', () => {
  expect(isFree(file)).toBe(true);
  expect(isFree(`${dir}/none`)).toBe(true);
});

test('one that is held exclusively is not free', () => {
  const held = tryLock(file, 'exclusive');
  expect(isFree(file)).toBe(false);
  held?.release();
  expect(isFree(file)).toBe(true);
});

test('somebody who asks at the same time is not taken for the holder', () => {
  const other = tryLockFd(openSync(file, 'r'), 'shared'); // what isFree holds for an instant
  expect(isFree(file)).toBe(true);
  other?.release();
});

test('asking leaves no lock behind', () => {
  const fd = openSync(file, 'r');
  try {
    expect(isFree(file)).toBe(true);
    expect(tryLock(file, 'exclusive')).toBeDefined();
  } finally {
    closeSync(fd);
  }
});
