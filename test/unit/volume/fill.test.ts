// Filling a volume: what is left when it is cut off at any point, and who finishes it.

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureStore } from '../../../src/store/init.ts';
import { dropPart, fillHere, fillStateOf, sweepParts, type CopyInto } from '../../../src/volume/fill.ts';
import { tryHoldVolume } from '../../../src/volume/hold.ts';
import { createVolume, dataDir, type Volume } from '../../../src/volume/records.ts';
import { testStore, type TestStore } from '../../helpers/store.ts';

let store: TestStore;
let volume: Volume;
let data: string;
beforeEach(() => {
  store = testStore();
  ensureStore(store.paths);
  volume = createVolume(store.paths, { name: 'vol', labels: {}, options: {} }).volume;
  data = dataDir(volume);
});
afterEach(() => store.remove());

const OWN: [number, number] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const MTIME = 1_500_000_000;

/** Two files and a folder with one; mode 0711 and a time of long ago. */
const copy: CopyInto = (tree, into) => {
  const text = Buffer.from('image');
  tree.writeFile(`${into}/one`, 0o640, ...OWN, 1, 0, text, 0, text.length);
  tree.writeFile(`${into}/two`, 0o640, ...OWN, 1, 0, text, 0, text.length);
  tree.makeDir(`${into}/dir`);
  tree.writeFile(`${into}/dir/file`, 0o640, ...OWN, 1, 0, text, 0, text.length);
  tree.setDir(`${into}/dir`, 0o755, ...OWN, 1, 0);
  tree.setDir(into, 0o711, ...OWN, MTIME, 0);
};

function expectFilled(): void {
  expect(readdirSync(data).sort()).toEqual(['dir', 'one', 'two']);
  expect(readdirSync(`${data}/dir`)).toEqual(['file']);
  expect(readdirSync(volume.dir).sort()).toEqual(['_data', 'lock', 'volume.json']);
  expect(lstatSync(data).mode & 0o7777).toBe(0o711);
  expect(fillStateOf(volume)).toBe('used');
}

test('an empty volume gets everything, and its directory the attributes', () => {
  expect(fillStateOf(volume)).toBe('empty');
  fillHere(volume.dir, copy, true);
  expectFilled();
  expect(lstatSync(data).mtimeMs).toBe(MTIME * 1000);
});

test('one with something in it is left alone', () => {
  writeFileSync(`${data}/own`, 'own');
  expect(fillStateOf(volume)).toBe('used');
  fillHere(volume.dir, copy, false);
  expect(readdirSync(data)).toEqual(['own']);
  expect(lstatSync(data).mode & 0o7777).toBe(0o755);
});

test('killed while copying: nothing of it counts, the next one copies anew', async () => {
  mkdirSync(`${volume.dir}/fill.part/dir`, { recursive: true });
  writeFileSync(`${volume.dir}/fill.part/half`, 'ha');
  chmodSync(`${volume.dir}/fill.part`, 0o700);
  expect(fillStateOf(volume)).toBe('unfinished');
  fillHere(volume.dir, copy, false);
  expectFilled();
  mkdirSync(`${volume.dir}/fill.part`);
  await dropPart(volume, undefined);
  expectFilled();
});

test('killed while copying, and the next one does not copy: empty again', async () => {
  mkdirSync(`${volume.dir}/fill.part/dir`, { recursive: true });
  await dropPart(volume, undefined);
  fillHere(volume.dir, undefined, false);
  expect(fillStateOf(volume)).toBe('empty');
});

test('killed while copying, and no next one: prune deletes it, unless somebody is at it', async () => {
  mkdirSync(`${volume.dir}/fill.part`);
  writeFileSync(`${volume.dir}/fill.part/half`, 'ha');
  const held = tryHoldVolume(volume);
  if (held === undefined || held === 'busy') throw new Error('not held');
  expect(await sweepParts(store.paths, undefined)).toBe(0);
  expect(existsSync(`${volume.dir}/fill.part/half`)).toBe(true);
  held.release();
  expect(await sweepParts(store.paths, undefined)).toBeGreaterThan(0);
  expect(readdirSync(volume.dir).sort()).toEqual(['_data', 'lock', 'volume.json']);
});

test('killed while moving: finished by the next one, even one that would not copy', () => {
  // As after the first of three renames.
  writeFileSync(`${data}/one`, 'image');
  mkdirSync(`${volume.dir}/fill/dir`, { recursive: true });
  writeFileSync(`${volume.dir}/fill/dir/file`, 'image');
  writeFileSync(`${volume.dir}/fill/two`, 'image');
  chmodSync(`${volume.dir}/fill`, 0o711);
  expect(fillStateOf(volume)).toBe('unfinished');
  fillHere(volume.dir, undefined, false);
  expectFilled();
});

test('what a running container has put there meanwhile stays as it is', () => {
  fillHere(
    volume.dir,
    (tree, into) => {
      copy(tree, into);
      writeFileSync(`${data}/one`, "the container's");
    },
    false,
  );
  expectFilled();
  expect(readFileSync(`${data}/one`, 'utf8')).toBe("the container's");
});

test('an error while copying leaves an empty volume', () => {
  const fail: CopyInto = (tree, into) => {
    copy(tree, into);
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  };
  expect(() => fillHere(volume.dir, fail, true)).toThrow('full');
  expect(readdirSync(data)).toEqual([]);
  expect(existsSync(`${volume.dir}/fill`)).toBe(false);
  utimesSync(data, 0, 0);
  fillHere(volume.dir, copy, false);
  expectFilled();
});
