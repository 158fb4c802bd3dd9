// The use cases over the whole store: prune, df, check.

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { pullImage } from '../../../src/image/pull.ts';
import { findImage, type ResolvedImage } from '../../../src/store/images.ts';
import { blobFile, partFile, partsDir, stageDir, tmpDir, treeDir } from '../../../src/store/layout.ts';
import { TreeStage } from '../../../src/store/layers.ts';
import { BlobPart } from '../../../src/store/part.ts';
import { checkStore } from '../../../src/system/check.ts';
import { diskUsage } from '../../../src/system/df.ts';
import { parsePruneFilter } from '../../../src/core/prune-filter.ts';
import { pruneStore } from '../../../src/system/prune.ts';
import { startRegistry, type TestRegistry } from '../../helpers/registry.ts';
import { testClient } from '../../helpers/registry-client.ts';
import { layer, testStore, type TestStore } from '../../helpers/store.ts';
import { storeImage } from '../../helpers/stored-image.ts';

let store: TestStore;
beforeEach(() => {
  store = testStore();
});
afterEach(() => store.remove());

const prune = (more: Partial<Parameters<typeof pruneStore>[1]> = {}) =>
  pruneStore(store, { all: false, filters: [], idMap: undefined, nowMs: Date.parse('2025-01-01'), ...more });

describe('prune', () => {
  test('of a store that does not exist makes none', async () => {
    store.remove();
    expect(await prune()).toMatchObject({ bytes: 0 });
    expect(existsSync(store.paths.graphRoot)).toBe(false);
  });

  test('removes what killed processes left, and keeps what is in work', async () => {
    const image = await storeImage(store, { reference: 'docker.io/library/app:1', layers: ['a'] });
    const { paths } = store;
    const inWork = digestOf('in work');
    const dead = digestOf('dead');
    writeFileSync(partFile(paths, dead), Buffer.alloc(100_000, 1));
    mkdirSync(`${stageDir(paths, 'host', dead)}/sub`, { recursive: true });
    mkdirSync(`${paths.graphRoot}/layers/host/.trash-0123456789ab/sub`, { recursive: true });
    mkdirSync(`${tmpDir(paths)}/removed-${'a'.repeat(64)}/upper`, { recursive: true });
    writeFileSync(blobFile(paths, digestOf('loose')), 'loose');
    for (const dir of ['', '/oci', '/images', '/tmp'])
      writeFileSync(`${paths.graphRoot}${dir}/.x.json.999999999.1.tmp`, 'x');
    writeFileSync(`${paths.graphRoot}/oci/.index.json.${process.pid}.7.tmp`, 'ours');
    const part = await BlobPart.open(paths, { digest: inWork, size: 10 });
    const stage = await TreeStage.open(paths, undefined, inWork);
    const { bytes, loose } = await prune();
    expect(bytes).toBeGreaterThan(100_000);
    expect(loose).toEqual([digestOf('loose')]);
    expect(readdirSync(partsDir(paths))).toEqual([`${inWork.slice(7)}.part`]);
    expect(store.leftovers().sort()).toEqual(
      [
        `${inWork.slice(7)}.lock`,
        `${inWork.slice(7)}.part`,
        `${inWork.slice(7)}.part`,
        `.index.json.${process.pid}.7.tmp`,
      ].sort(),
    );
    expect(readdirSync(tmpDir(paths))).toEqual(['blobs']);
    expect(findImage(paths, 'app:1')).toEqual(image);
    part?.close();
    await stage?.discard();
  });

  test('removes a container whose files are deeper than any path reaches', async () => {
    await storeImage(store, { reference: 'docker.io/library/app:1', layers: ['a'] });
    const dir = `${tmpDir(store.paths)}/removed-${'b'.repeat(64)}`;
    const name = 'd'.repeat(200);
    mkdirSync(`${dir}/${name}`, { recursive: true });
    for (let depth = 1; depth < 40; depth++) {
      mkdirSync(`${dir}/outer`);
      renameSync(`${dir}/${name}`, `${dir}/outer/${name}`);
      renameSync(`${dir}/outer`, `${dir}/${name}`);
    }
    try {
      expect((await prune()).bytes).toBeGreaterThan(0);
      expect(existsSync(dir)).toBe(false);
    } finally {
      execFileSync('rm', ['-rf', dir]);
    }
  });

  test.each<[string, boolean]>([
    ['until=2024-06-01', true],
    ['until=2023-01-01', false],
    ['until=24h', true],
    ['until=100000h', false],
    ['until=1704067201', true],
    ['label=keep', true],
    ['label=keep=no', true],
    ['label=other', false],
    ['label!=keep', false],
    ['label!=keep=yes', true],
  ])('by %s', (filter, goes) => {
    const labels: Record<string, string> = { keep: 'no' };
    const hasLabel = (text: string) => {
      const [key = '', value] = text.split('=');
      return key in labels && (value === undefined || labels[key] === value);
    };
    const thing = { createdMs: Date.parse('2024-01-01'), hasLabel };
    expect(parsePruneFilter(filter, Date.parse('2025-01-01'))(thing)).toBe(goes);
  });

  test.each(['until=soon', 'name=x', 'label', 'until='])('refuses the filter %s', (filter) => {
    expect(() => parsePruneFilter(filter, 0)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

test('df says what du says, and what prune will free', async () => {
  await storeImage(store, { reference: 'docker.io/library/app:1', layers: ['a'.repeat(50_000), 'b'] });
  await storeImage(store, {
    reference: 'docker.io/library/app:2',
    layers: ['a'.repeat(50_000), 'c'.repeat(9000)],
  });
  writeFileSync(partFile(store.paths, digestOf('dead')), Buffer.alloc(100_000, 1));
  const rows = diskUsage(store.paths);
  const total = rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const du = (path: string) =>
    Number(execFileSync('du', ['-s', '--block-size=1', path]).toString().split('\t')[0]);
  // The folders around it are no row's: graphRoot, containers, names, tmp and tmp/blobs.
  const folders = ['', '/containers', '/names', '/tmp', '/tmp/blobs'].map((path) =>
    statSync(`${store.paths.graphRoot}${path}`),
  );
  const own = folders.reduce((sum, { blocks }) => sum + blocks * 512, 0);
  expect(du(store.paths.graphRoot)).toBe(total + own);
  expect(rows.map(({ type, total: count, active }) => [type, count, active])).toEqual([
    ['Images', 2, 0],
    ['Containers', 0, 0],
    ['Local Volumes', 0, 0],
    ['Build Cache', 0, 0],
    ['Temporary Files', 1, 0],
  ]);
  const promised = rows.reduce((sum, { reclaimableBytes }) => sum + reclaimableBytes, 0);
  const before = du(store.paths.graphRoot);
  const { bytes } = await prune({ all: true });
  expect(before - du(store.paths.graphRoot)).toBeGreaterThanOrEqual(promised);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(before);
});

describe('check', () => {
  const BASE = layer({ 'etc/name': 'base\n' });
  const TOP = layer({ 'opt/file': 'x'.repeat(100_000) });
  let registry: TestRegistry;
  let image: ResolvedImage;
  beforeEach(async () => {
    registry = await startRegistry();
    const layers = [BASE, TOP];
    const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) };
    registry.addImage('app', 'v1', { layers: layers.map(({ blob }) => ({ blob })), config: { rootfs } });
    image = await pullImage(store, `${registry.host}/app:v1`, { idMap: undefined, client: testClient() });
    registry.requests.length = 0;
  });
  afterEach(() => registry.close());

  const check = (repair = false, quick = false) =>
    checkStore(store, { quick, repair, idMap: undefined, client: testClient() });

  test('of a store that is well', async () => {
    expect(await check(true)).toEqual([
      { name: `${registry.host}/app:v1`, problems: [], repaired: undefined },
    ]);
    expect(registry.log()).toEqual([]);
  });

  const layerDigest = () => image.layers[1]?.blob.digest ?? image.imageId;
  test.each<[string, () => void, string, () => string[]]>([
    [
      'a layer that is gone',
      () => rmSync(blobFile(store.paths, layerDigest())),
      'blob-missing',
      () => [layerDigest()],
    ],
    [
      'a layer that is cut off',
      () => truncateSync(blobFile(store.paths, layerDigest()), 10),
      'blob-damaged',
      () => [layerDigest()],
    ],
    [
      'a layer that has changed',
      () => writeFileSync(blobFile(store.paths, layerDigest()), Buffer.alloc(TOP.blob.length, 7)),
      'blob-damaged',
      () => [layerDigest()],
    ],
    [
      'a config that has changed',
      () => writeFileSync(blobFile(store.paths, image.imageId), '{}'),
      'blob-damaged',
      () => [image.imageId],
    ],
    [
      'a manifest that is gone',
      () => rmSync(blobFile(store.paths, image.manifestDigest)),
      'blob-missing',
      () => [image.manifestDigest],
    ],
    [
      'a tree that is gone',
      () => rmSync(treeDir(store.paths, 'host', BASE.diffId), { recursive: true }),
      'tree-missing',
      () => [],
    ],
  ])('finds %s, and fetches only that', async (_what, damage, kind, fetched) => {
    damage();
    const [found] = await check();
    expect(found?.problems.map((problem) => problem.kind)).toEqual([kind]);
    expect(registry.log()).toEqual([]);
    const [mended] = await check(true);
    expect(mended?.repaired).toBe(true);
    expect(registry.requests.map(({ path }) => path.split('/').at(-1))).toEqual(fetched());
    expect((await check())[0]?.problems).toEqual([]);
    for (const digest of [
      image.manifestDigest,
      image.imageId,
      ...image.layers.map(({ blob }) => blob.digest),
    ]) {
      expect(digestOf(readFileSync(blobFile(store.paths, digest)))).toBe(digest);
    }
    expect(readFileSync(`${treeDir(store.paths, 'host', BASE.diffId)}/etc/name`, 'utf8')).toBe('base\n');
  });

  test('says what it cannot mend', async () => {
    await storeImage(store, { reference: 'docker.io/library/own:1', layers: ['o'] });
    rmSync(blobFile(store.paths, digestOf('o')));
    const found = (await check(true)).find(({ name }) => name === 'own:1');
    expect(found).toMatchObject({ repaired: false, error: { code: 'STORE_INVALID' } });
  });

  test('quick does not read layers', async () => {
    writeFileSync(blobFile(store.paths, layerDigest()), Buffer.alloc(TOP.blob.length, 7));
    expect((await check(false, true))[0]?.problems).toEqual([]);
  });
});
