// A store on a file system of a few megabytes. Mounting one needs root.

import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test, type TestContext } from 'vitest';
import { errnoOf, type EngineError } from '../../../src/core/errors.ts';
import { pullImage } from '../../../src/image/pull.ts';
import { removeImage } from '../../../src/image/rm.ts';
import { findImage, listImages } from '../../../src/store/images.ts';
import { listBlobs } from '../../../src/store/blobs.ts';
import { pruneStore } from '../../../src/system/prune.ts';
import { pseudoRandom, startRegistry, type TestRegistry } from '../../helpers/registry.ts';
import { testClient } from '../../helpers/registry-client.ts';
import { layer, testStore, type TestStore } from '../../helpers/store.ts';

const isRoot = process.getuid?.() === 0;

let registry: TestRegistry;
let disk: string;
let store: TestStore;
beforeEach(async (context: TestContext) => {
  if (!isRoot) return context.skip('mounting a small tmpfs needs root');
  registry = await startRegistry();
  disk = mkdtempSync(`${tmpdir()}/skiff-disk-`);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  store = testStore(disk);
});
afterEach(async () => {
  if (!isRoot) return;
  await registry.close();
  execFileSync('umount', [disk]);
  rmdirSync(disk);
});

function addImage(tag: string, bytes: number, level = 6): void {
  const one = layer(
    { data: level === 0 ? Buffer.alloc(bytes) : pseudoRandom(bytes, tag) },
    level === 0 ? 9 : level,
  );
  const config = { rootfs: { type: 'layers', diff_ids: [one.diffId] } };
  registry.addImage('app', tag, { layers: [{ blob: one.blob }], config });
}

const name = (tag: string) => `${registry.host}/app:${tag}`;
const pull = (tag: string) => pullImage(store, name(tag), { idMap: undefined, client: testClient() });
const prune = () => pruneStore(store, { all: false, filters: [], idMap: undefined, nowMs: Date.now() });

function fill(): string {
  const file = `${disk}/fill`;
  const fd = openSync(file, 'w');
  try {
    for (const size of [65_536, 4096, 1]) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(size));
      } catch (error) {
        if (errnoOf(error) !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(fd);
  }
  return file;
}

test('a layer that cannot fit is refused before it is begun, with both numbers', async () => {
  addImage('big', 6_000_000);
  const error = await pull('big').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'NO_SPACE', hint: expect.stringContaining('skiff system prune') });
  expect((error as EngineError).message).toMatch(/\d{7} bytes are needed in ".*", \d{7} are free/);
  expect(store.leftovers()).toEqual([]);
});

test('a layer whose files do not fit does no damage, and prune gives the room back', async () => {
  addImage('small', 100_000);
  const small = await pull('small');
  addImage('wide', 2_500_000);
  // Download and unpacking race for the room: either may be the one that finds none.
  await expect(pull('wide')).rejects.toMatchObject({ code: 'NO_SPACE' });
  addImage('bomb', 50_000_000, 0);
  await expect(pull('bomb')).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(listImages(store.paths).images.map(({ image }) => image)).toEqual([small]);
  expect(store.leftovers().filter((left) => !left.endsWith('.part'))).toEqual([]);
  await prune();
  expect(store.leftovers()).toEqual([]);
  // Manifest, config and layer of the image that fits.
  expect(listBlobs(store.paths)).toHaveLength(3);
  expect(await pull('small')).toEqual(small);
});

test('rmi and prune work on a disk without a free byte', async () => {
  addImage('one', 500_000);
  addImage('two', 500_000);
  await pull('one');
  await pull('two');
  const file = fill();
  await prune();
  expect(
    (await removeImage(store, name('one'), { force: false, idMap: undefined })).deleted.length,
  ).toBeGreaterThan(0);
  expect(findImage(store.paths, name('one'))).toBeUndefined();
  expect(findImage(store.paths, name('two'))).toBeDefined();
  rmSync(file);
  expect(existsSync(file)).toBe(false);
  await pull('one');
});
