import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { putBlob } from '../../../src/store/blobs.ts';
import { findImage, listImages } from '../../../src/store/images.ts';
import { ensureStore } from '../../../src/store/init.ts';
import { blobFile, imageFile, indexFile, ociLayoutFile } from '../../../src/store/layout.ts';
import { testStore, type TestStore } from '../../helpers/store.ts';
import { storeImage } from '../../helpers/stored-image.ts';

const NAME = 'docker.io/library/app:1';

let store: TestStore;
beforeEach(() => {
  store = testStore();
});
afterEach(() => store.remove());

describe('finding', () => {
  test('nothing in a store that does not exist, and making none', () => {
    store.remove();
    expect(findImage(store.paths, 'app')).toBeUndefined();
    expect(findImage(store.paths, 'abc123')).toBeUndefined();
    expect(listImages(store.paths)).toEqual({ images: [], damaged: [] });
    expect(existsSync(store.paths.graphRoot)).toBe(false);
  });

  test('by every way to name it', async () => {
    const image = await storeImage(store, {
      reference: NAME,
      layers: ['x'],
      repoDigest: `docker.io/library/app@sha256:${'1'.repeat(64)}`,
    });
    const id = image.imageId.slice(7);
    const ways = [
      'app:1',
      NAME,
      'library/app:1',
      id,
      image.imageId,
      id.slice(0, 12),
      `sha256:${id.slice(0, 12)}`,
    ];
    ways.push(
      `app@sha256:${'1'.repeat(64)}`,
      `app@${image.manifestDigest}`,
      `app:whatever@${image.manifestDigest}`,
    );
    for (const way of ways) expect(findImage(store.paths, way), way).toEqual(image);
    for (const way of ['app', 'app:2', 'other.test/app:1', 'f'.repeat(64), `other@${image.manifestDigest}`]) {
      expect(findImage(store.paths, way), way).toBeUndefined();
    }
  });

  test('a name that looks like an id before an id', async () => {
    const image = await storeImage(store, { reference: 'docker.io/library/abc:latest', layers: [] });
    expect(findImage(store.paths, 'abc')).toEqual(image);
  });

  test('refuses a prefix of several ids', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 17; i++) {
      ids.push(
        (
          await storeImage(store, { reference: `docker.io/library/app:${i}`, layers: [String(i)] })
        ).imageId.slice(7),
      );
    }
    const firsts = ids.map((id) => id[0] as string);
    const twice = firsts.find((first, i) => firsts.indexOf(first) !== i) ?? '';
    expect(() => findImage(store.paths, `sha256:${twice}`)).toThrow(/fits \d+ images/);
  });

  test('refuses what is no name', () => {
    expect(() => findImage(store.paths, 'app:bad tag')).toThrow(
      expect.objectContaining({ code: 'REFERENCE_INVALID' }),
    );
  });
});

describe('a record', () => {
  test.each([
    ['missing', undefined],
    ['torn', '{"version":1,"image":{"refer'],
    ['of another version', JSON.stringify({ version: 99, image: {} })],
    ['empty', ''],
    ['of another name', undefined, 'swap'],
  ])('that is %s is made anew', async (_what, text, swap?: string) => {
    const image = await storeImage(store, { reference: NAME, layers: ['x'] });
    const file = imageFile(store.paths, NAME);
    if (swap !== undefined) {
      await storeImage(store, { reference: 'docker.io/library/other:1', layers: ['y'] });
      writeFileSync(file, readFileSync(imageFile(store.paths, 'docker.io/library/other:1')));
    } else if (text === undefined) rmSync(file);
    else writeFileSync(file, text);
    expect(findImage(store.paths, 'app:1')).toEqual(image);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ image: { reference: NAME } });
  });

  test('is rebuilt in memory where it cannot be written', async () => {
    const image = await storeImage(store, { reference: NAME, layers: ['x'] });
    rmSync(imageFile(store.paths, NAME));
    const dir = `${store.paths.graphRoot}/images`;
    rmSync(dir, { recursive: true });
    writeFileSync(dir, 'in the way');
    expect(() => findImage(store.paths, 'app:1')).toThrow(expect.objectContaining({ code: 'IO' }));
    rmSync(dir);
    mkdirSync(dir);
    chmodSync(dir, 0o755);
    expect(findImage(store.paths, 'app:1')).toEqual(image);
  });
});

describe('damage', () => {
  test('of one image does not hide the others', async () => {
    const image = await storeImage(store, { reference: NAME, layers: ['x'] });
    const other = await storeImage(store, { reference: 'docker.io/library/other:1', layers: ['y'] });
    writeFileSync(blobFile(store.paths, image.manifestDigest), 'damaged');
    rmSync(imageFile(store.paths, NAME));
    const { images, damaged } = listImages(store.paths);
    expect(images.map((one) => one.image)).toEqual([other]);
    expect(damaged.map(({ error }) => error.code)).toEqual(['STORE_INVALID']);
    expect(() => findImage(store.paths, 'app:1')).toThrow(
      expect.objectContaining({
        code: 'STORE_INVALID',
        hint: expect.stringContaining('system check --repair'),
      }),
    );
  });

  test('of index.json is said', async () => {
    await storeImage(store, { reference: NAME, layers: [] });
    writeFileSync(indexFile(store.paths), '{"schemaVersion":2,"manif');
    expect(() => listImages(store.paths)).toThrow(expect.objectContaining({ code: 'STORE_INVALID' }));
  });

  test('of a blob is replaced when the same is stored again', () => {
    ensureStore(store.paths);
    const digest = putBlob(store.paths, Buffer.from('content'));
    writeFileSync(blobFile(store.paths, digest), 'contemt');
    expect(putBlob(store.paths, Buffer.from('content'))).toBe(digest);
    expect(readFileSync(blobFile(store.paths, digest), 'utf8')).toBe('content');
  });
});

describe('a store', () => {
  test('is an OCI layout', () => {
    ensureStore(store.paths);
    expect(JSON.parse(readFileSync(ociLayoutFile(store.paths), 'utf8'))).toEqual({
      imageLayoutVersion: '1.0.0',
    });
    expect(readdirSync(store.paths.graphRoot).sort()).toEqual([
      'containers',
      'images',
      'layers',
      'names',
      'oci',
      'tmp',
    ]);
  });

  test.each(['{"imageLayoutVersion":"2.0.0"}', 'something else'])(
    'of another kind is left alone: %s',
    (text) => {
      mkdirSync(`${store.paths.graphRoot}/oci`);
      writeFileSync(ociLayoutFile(store.paths), text);
      expect(() => ensureStore(store.paths)).toThrow(expect.objectContaining({ code: 'STORE_INVALID' }));
      expect(readFileSync(ociLayoutFile(store.paths), 'utf8')).toBe(text);
    },
  );

  test('takes layouts that other tools wrote', () => {
    ensureStore(store.paths);
    writeFileSync(ociLayoutFile(store.paths), '{"imageLayoutVersion": "1.0.0"}');
    ensureStore(store.paths);
  });
});
