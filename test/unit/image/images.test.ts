import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectImage } from '../../../src/image/inspect.ts';
import { imageExists } from '../../../src/image/get.ts';
import { listImageRows } from '../../../src/image/list.ts';
import { matchesPattern } from '../../../src/image/match.ts';
import { pruneImages, removeImage } from '../../../src/image/rm.ts';
import { tagImage } from '../../../src/image/tag.ts';
import { listBlobs } from '../../../src/store/blobs.ts';
import { findImage, type ResolvedImage } from '../../../src/store/images.ts';
import { gcLockFile, containerDir } from '../../../src/store/layout.ts';
import { hasTree } from '../../../src/store/layers.ts';
import { lock } from '../../../src/store/lock.ts';
import { testStore, type TestStore } from '../../helpers/store.ts';
import { compareWithSchema, IMAGE_SCHEMA } from '../container/inspect/inspect.cases.ts';
import { storeImage } from '../../helpers/stored-image.ts';

let store: TestStore;
beforeEach(() => {
  store = testStore();
});
afterEach(() => store.remove());

const app = (tag: string, more: Partial<Parameters<typeof storeImage>[1]> = {}) =>
  storeImage(store, { reference: `docker.io/library/app:${tag}`, layers: [tag], ...more });
const remove = (text: string, force = false) => removeImage(store, text, { force, idMap: undefined });
const rows = (filters: string[] = [], name?: string) =>
  listImageRows(store, { filters, name }).map((row) => `${row.repository}:${row.tag}`);

function container(id: string, image: ResolvedImage) {
  const dir = containerDir(store.paths, id);
  mkdirSync(dir, { recursive: true });
  const { imageId, manifestDigest, layers } = image;
  const config = {
    name: `name-${id}`,
    image: { id: imageId, manifestDigest },
    mapKey: 'host',
    rootfs: { kind: 'layers', chainIds: layers.map(({ chainId }) => chainId) },
  };
  writeFileSync(`${dir}/config.json`, JSON.stringify(config));
  writeFileSync(`${dir}/lock`, '');
  return `${dir}/lock`;
}

describe('images', () => {
  beforeEach(async () => {
    await app('old', { created: '2020-01-01T00:00:00Z', config: { Labels: { stage: 'test', empty: '' } } });
    await app('new', {
      created: '2024-01-01T00:00:00Z',
      repoDigest: `docker.io/library/app@sha256:${'2'.repeat(64)}`,
    });
    await storeImage(store, { reference: 'reg.test:5000/team/tool:v1', layers: ['t'], created: 'nonsense' });
    await storeImage(store, {
      reference: 'docker.io/library/gone:1',
      layers: ['g'],
      created: '2022-01-01T00:00:00Z',
    });
    await storeImage(store, {
      reference: 'docker.io/library/gone:1',
      layers: ['h'],
      created: '2023-01-01T00:00:00Z',
    });
  });

  test.each([
    [[], ['app:new', 'gone:1', '<none>:<none>', 'app:old', 'reg.test:5000/team/tool:v1']],
    [['dangling=true'], ['<none>:<none>']],
    [['dangling=false', 'reference=gone'], ['gone:1']],
    [['label=stage'], ['app:old']],
    [['label=stage=test'], ['app:old']],
    [['label=stage=prod'], []],
    [['label=empty='], ['app:old']],
    [
      ['before=gone:1', 'dangling=false'],
      ['app:old', 'reg.test:5000/team/tool:v1'],
    ],
    [
      ['since=app:old', 'dangling=false'],
      ['app:new', 'gone:1'],
    ],
    [['reference=app:*'], ['app:new', 'app:old']],
    [['reference=*/team/*'], ['reg.test:5000/team/tool:v1']],
    [['reference=docker.io/library/gone'], ['gone:1']],
  ])('with filters %j', (filters, expected) => expect(rows(filters)).toEqual(expected));

  test.each([
    ['app', ['app:new', 'app:old']],
    ['app:old', ['app:old']],
    ['a*', ['app:new', 'app:old']],
    ['nothing', []],
  ])('named %s', (name, expected) => expect(rows([], name)).toEqual(expected));

  test.each(['nonsense=1', 'dangling', 'dangling=maybe', 'reference=[', 'before=missing:1'])(
    'refuses the filter %s',
    (filter) => {
      expect(() => rows([filter])).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/USAGE|IMAGE_NOT_FOUND/) }),
      );
    },
  );

  test('one row for an image with several manifests; without a name it is dangling once', async () => {
    await app('two', { annotations: { from: 'one archive' } });
    const image = await app('two', { annotations: { from: 'another' } });
    expect(rows([`id=${image.imageId}`])).toEqual(['app:two']);
    expect(rows([`id=${image.imageId}`, 'dangling=true'])).toEqual([]);
    await app('two', { layers: ['other'] });
    expect(rows([`id=${image.imageId}`])).toEqual(['<none>:<none>']);
  });

  test('shows the digest of the registry', () => {
    const [row] = listImageRows(store, { filters: [], name: 'app:new', digests: true });
    expect(row?.digest).toBe(`sha256:${'2'.repeat(64)}`);
  });

  test("inspects to every field of docker's API reference, with its type", () => {
    for (const name of ['app:old', 'app:new', 'reg.test:5000/team/tool:v1'])
      expect(compareWithSchema(inspectImage(store.paths, name), IMAGE_SCHEMA)).toEqual({
        wrong: [],
        seen: 52,
      });
  });

  test('inspects', () => {
    const image = findImage(store.paths, 'app:old');
    expect(inspectImage(store.paths, 'app:old')).toMatchObject({
      Id: image?.imageId,
      RepoTags: ['app:old'],
      RepoDigests: [],
      Created: '2020-01-01T00:00:00Z',
      Architecture: 'amd64',
      Os: 'linux',
      Size: 3,
      RootFS: { Type: 'layers', Layers: image?.layers.map(({ diffId }) => diffId) },
      Config: { Labels: { stage: 'test' }, Cmd: null, Env: [] },
    });
    expect(imageExists(store.paths, 'app:old')).toBe(true);
    expect(imageExists(store.paths, 'app:older')).toBe(false);
    expect(imageExists(store.paths, 'not a name')).toBe(false);
  });
});

describe('rmi', () => {
  test('of the last name deletes what only that image has', async () => {
    const one = await app('1', { layers: ['base', 'one'] });
    const two = await app('2', { layers: ['base', 'two'] });
    const removed = await remove('app:1');
    expect(removed.untagged).toEqual(['app:1']);
    expect(removed.deleted).toEqual([one.imageId, one.layers[1]?.chainId]);
    expect(findImage(store.paths, 'app:1')).toBeUndefined();
    expect(findImage(store.paths, 'app:2')).toEqual(two);
    expect(two.layers.every(({ chainId }) => hasTree(store.paths, 'host', chainId))).toBe(true);
    expect(listBlobs(store.paths)).toHaveLength(4);
  });

  test('of one name of several only takes it away', async () => {
    const image = await app('1');
    await tagImage(store.paths, 'app:1', ['other:1', 'other:2']);
    expect(await remove('app:1')).toEqual({ untagged: ['app:1'], deleted: [], bytes: 0 });
    expect(findImage(store.paths, 'other:1')?.imageId).toBe(image.imageId);
  });

  test('by id takes all names of one repository, of several only with force', async () => {
    const image = await app('1');
    await tagImage(store.paths, 'app:1', ['app:2']);
    await tagImage(store.paths, 'app:1', ['other:1']);
    await expect(remove(image.imageId.slice(7, 19))).rejects.toMatchObject({
      code: 'IMAGE_IN_USE',
      exitCode: 2,
    });
    await remove('other:1');
    expect((await remove(image.imageId.slice(7, 19))).untagged.sort()).toEqual(['app:1', 'app:2']);
    expect(listBlobs(store.paths)).toEqual([]);
  });

  test('of the last name takes every manifest of the image', async () => {
    await app('1', { annotations: { from: 'one archive' } });
    await app('1', { annotations: { from: 'another' } });
    expect((await remove('app:1')).untagged).toEqual(['app:1']);
    expect(rows()).toEqual([]);
    expect(listBlobs(store.paths)).toEqual([]);
  });

  test('of everything takes names of several repositories', async () => {
    const image = await app('1');
    await tagImage(store.paths, 'app:1', ['other:1']);
    const options = { force: false, everyName: true, idMap: undefined };
    expect((await removeImage(store, image.imageId, options)).untagged).toEqual(['app:1', 'other:1']);
  });

  test('of what is missing is exit status 1', async () => {
    await expect(remove('nothing')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND', exitCode: 1 });
  });

  test('of what a container uses names it; with force its layers stay', async () => {
    const image = await app('1');
    const lockFile = container('c'.repeat(64), image);
    await expect(remove('app:1')).rejects.toMatchObject({
      code: 'IMAGE_IN_USE',
      exitCode: 2,
      message: expect.stringContaining('name-ccc'),
    });
    const held = await lock(lockFile, 'exclusive');
    await expect(remove('app:1', true)).rejects.toMatchObject({
      code: 'IMAGE_IN_USE',
      message: expect.stringContaining('running'),
    });
    held.release();
    await remove('app:1', true);
    expect(findImage(store.paths, 'app:1')).toBeUndefined();
    expect(hasTree(store.paths, 'host', image.layers[0]?.chainId ?? image.imageId)).toBe(true);
  });

  test('deletes nothing while something is being added', async () => {
    const image = await app('1');
    const held = await lock(gcLockFile(store.paths), 'shared');
    await remove('app:1');
    held.release();
    expect(findImage(store.paths, 'app:1')).toBeUndefined();
    expect(hasTree(store.paths, 'host', image.layers[0]?.chainId ?? image.imageId)).toBe(true);
    expect(store.warnings).toEqual([expect.stringContaining('system prune')]);
  });
});

describe('prune', () => {
  test('takes images without a name, with all those without a container', async () => {
    await app('1', { layers: ['was'] });
    await app('1', { layers: ['is'] });
    const used = await app('used');
    container('d'.repeat(64), used);
    await pruneImages(store, { all: false, idMap: undefined });
    expect(rows().sort()).toEqual(['app:1', 'app:used']);
    await pruneImages(store, { all: true, idMap: undefined });
    expect(rows()).toEqual(['app:used']);
  });
});

describe('tag', () => {
  test('moves a name', async () => {
    await app('1');
    const two = await app('2');
    await tagImage(store.paths, 'app:2', ['app:1']);
    expect(findImage(store.paths, 'app:1')?.imageId).toBe(two.imageId);
    expect(rows(['dangling=true'])).toHaveLength(1);
  });

  test.each([
    ['app:1', `x@sha256:${'1'.repeat(64)}`, 'REFERENCE_INVALID'],
    ['app:1', 'Bad Name', 'REFERENCE_INVALID'],
    ['nothing', 'x', 'IMAGE_NOT_FOUND'],
  ])('of %s as %s: %s', async (source, target, code) => {
    await app('1');
    await expect(tagImage(store.paths, source, ['good:1', target])).rejects.toMatchObject({ code });
    expect(rows()).toEqual(['app:1']);
  });
});

test.each([
  ['*', 'abc', true],
  ['*', 'a/b', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['a[b-d]e', 'ace', true],
  ['a[^b]c', 'abc', false],
  ['a\\*', 'a*', true],
  ['a.c', 'abc', false],
  ['a+(x)', 'a+(x)', true],
])('pattern %s and %s: %s', (pattern, name, matches) => expect(matchesPattern(pattern, name)).toBe(matches));
