import { describe, expect, test } from 'vitest';
import { cleanPath } from '../../../src/runtime/mount-path.ts';
import { parseMount, parseTmpfs, parseVolume } from '../../../src/runtime/mount-spec.ts';
import { BAD_MOUNTS, BAD_TMPFS, BAD_VOLUMES, MOUNTS, TMPFS, VOLUMES } from './mount-spec.cases.ts';

describe('-v', () => {
  test.each(VOLUMES)('%s', (text, mount, notes) => {
    const parsed = parseVolume(text, '/work');
    expect(parsed.mount).toEqual(mount);
    expect(parsed.notes).toHaveLength(notes ?? 0);
  });
  test.each(BAD_VOLUMES)('%s is refused', (text, message) => {
    expect(() => parseVolume(text, '/work')).toThrow(message);
  });
});

describe('--mount', () => {
  test.each(MOUNTS)('%s', (text, mount) => {
    expect(parseMount(text, '/work').mount).toEqual(mount);
  });
  test.each(BAD_MOUNTS)('%s is refused', (text, message) => {
    expect(() => parseMount(text, '/work')).toThrow(message);
  });
});

describe('--tmpfs', () => {
  test.each(TMPFS)('%s', (text, mount) => {
    expect(parseTmpfs(text)).toEqual(mount);
  });
  test.each(BAD_TMPFS)('%s is refused', (text, message) => {
    expect(() => parseTmpfs(text)).toThrow(message);
  });
});

test('cleanPath', () => {
  expect(['/', '//a/', '/a/../..', '/a/./b'].map(cleanPath)).toEqual(['/', '/a', '/', '/a/b']);
});
