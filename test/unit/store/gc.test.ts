import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../../../src/native/addon.ts';
import { sweepWork } from '../../../src/store/gc.ts';
import { tmpDir } from '../../../src/store/layout.ts';
import { testStore, type TestStore } from '../../helpers/store.ts';

let store: TestStore;
let dir: string;

beforeEach(() => {
  store = testStore();
  dir = `${tmpDir(store.paths)}/build-0123456789ab`;
  mkdirSync(dir, { recursive: true });
});
afterEach(() => store.remove());

describe('the folder of a build', () => {
  const sweep = () => sweepWork(store.paths, undefined);

  test('that lives, stays', async () => {
    const lock = openSync(`${dir}/lock`, 'wx+');
    addon().flock(lock, 'exclusive', false);
    mkdirSync(`${dir}/upper-0`);
    await sweep();
    expect(existsSync(`${dir}/upper-0`)).toBe(true);
    closeSync(lock);
  });

  test('that was killed, goes', async () => {
    writeFileSync(`${dir}/lock`, '');
    mkdirSync(`${dir}/upper-0`);
    await sweep();
    expect(existsSync(dir)).toBe(false);
  });

  test('that has just begun and has no lock yet, goes before anything is in it', async () => {
    await sweep();
    expect(existsSync(dir)).toBe(false);
    expect(() => openSync(`${dir}/lock`, 'wx+')).toThrow('ENOENT');
  });

  test('that was on its way out when it was killed, goes', async () => {
    mkdirSync(`${dir}/upper-0`);
    await sweep();
    expect(existsSync(dir)).toBe(false);
  });
});
