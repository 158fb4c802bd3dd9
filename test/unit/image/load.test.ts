import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { loadImages } from '../../../src/image/load.ts';
import { MEDIA_TYPE } from '../../../src/oci/image.ts';
import { listBlobs } from '../../../src/store/blobs.ts';
import { findImage, listImages } from '../../../src/store/images.ts';
import { treeDir } from '../../../src/store/layout.ts';
import { pseudoRandom } from '../../helpers/registry.ts';
import { layer, testStore, type TestStore } from '../../helpers/store.ts';
import { tar, type TarEntry } from '../../helpers/tar-writer.ts';

let store: TestStore;
beforeEach(() => {
  store = testStore();
});
afterEach(() => store.remove());

const load = (bytes: Uint8Array, chunkBytes = 65_536) => {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
    bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
  return loadImages(store, { stream: Readable.from(chunks) }, { idMap: undefined });
};

const PLAIN = tar([
  { path: 'etc/name', content: 'loaded\n', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
]);
const CONFIG = Buffer.from(
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(PLAIN)] },
  }),
);

function dockerArchive(over: Partial<Record<string, unknown>> = {}, more: TarEntry[] = []): Buffer {
  const item = {
    Config: 'config.json',
    RepoTags: ['app:1', 'reg.test/app:2'],
    Layers: ['abc/layer.tar'],
    ...over,
  };
  return tar([
    { path: 'config.json', content: CONFIG },
    { path: 'abc/', type: 'dir' },
    { path: 'abc/layer.tar', content: PLAIN },
    { path: 'abc/VERSION', content: '1.0' },
    ...more,
    { path: 'manifest.json', content: JSON.stringify([item]) },
  ]);
}

describe('a docker archive', () => {
  test.each([
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
  ])('%s', async (_name, compress) => {
    const [loaded] = await load(compress(dockerArchive()), 1000);
    expect(loaded?.references).toEqual(['docker.io/library/app:1', 'reg.test/app:2']);
    const image = findImage(store.paths, 'app:1');
    expect(image).toMatchObject({ imageId: digestOf(CONFIG), config: { Cmd: ['sh'] } });
    expect(image?.layers[0]?.blob).toMatchObject({ digest: digestOf(PLAIN), mediaType: MEDIA_TYPE.layerTar });
    expect(readFileSync(`${treeDir(store.paths, 'host', digestOf(PLAIN))}/etc/name`, 'utf8')).toBe(
      'loaded\n',
    );
    // Config, layer and manifest; VERSION and manifest.json are forgotten.
    expect(listBlobs(store.paths)).toHaveLength(3);
    expect(store.leftovers()).toEqual([]);
  });

  test('gives the same manifest each time', async () => {
    const [first] = await load(dockerArchive());
    const [second] = await load(gzipSync(dockerArchive()));
    expect(second?.image.manifestDigest).toBe(first?.image.manifestDigest);
    expect(listImages(store.paths).images).toHaveLength(2);
  });

  test('whose layers are compressed', async () => {
    const { blob, diffId } = layer({ a: 'b' });
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [diffId] },
    });
    const manifest = JSON.stringify([{ Config: 'c', RepoTags: null, Layers: ['l'] }]);
    const [loaded] = await load(
      tar([
        { path: 'c', content: config },
        { path: 'l', content: blob },
        { path: 'manifest.json', content: manifest },
      ]),
    );
    expect(loaded?.references).toEqual([]);
    expect(loaded?.image.layers[0]?.blob.mediaType).toBe(MEDIA_TYPE.layerGzip);
    expect(listImages(store.paths).images.map(({ image }) => image.reference)).toEqual(['']);
  });

  test('whose layers are links to each other', async () => {
    const archive = dockerArchive({ Layers: ['def/layer.tar'] }, [
      { path: 'def/layer.tar', type: 'symlink', link: '../abc/layer.tar' },
    ]);
    expect((await load(archive))[0]?.image.layers[0]?.diffId).toBe(digestOf(PLAIN));
  });
});

describe('a hostile docker archive', () => {
  const outside = `/tmp/skiff-outside-${process.pid}`;

  test.each<[string, Partial<Record<string, unknown>>, TarEntry[]]>([
    ['a layer outside the archive', { Layers: ['../../../../etc/passwd'] }, []],
    ['a layer by an absolute path', { Layers: ['/etc/passwd'] }, []],
    ['a link that leaves', { Layers: ['x'] }, [{ path: 'x', type: 'symlink', link: '/etc/passwd' }]],
    ['a link to itself', { Layers: ['x'] }, [{ path: 'x', type: 'symlink', link: 'x' }]],
    [
      'two links in a ring',
      { Layers: ['x'] },
      [
        { path: 'x', type: 'link', link: 'y' },
        { path: 'y', type: 'link', link: 'x' },
      ],
    ],
    ['a missing config', { Config: 'nothing' }, []],
    ['a config that is no JSON', { Config: 'abc/layer.tar' }, []],
    ['no config', { Config: undefined }, []],
    ['tags that are no list', { RepoTags: 'app' }, []],
    ['layers that are no names', { Layers: [1] }, []],
    ['more layers than the config says', { Layers: ['abc/layer.tar', 'abc/layer.tar'] }, []],
  ])('with %s', async (_name, over, more) => {
    await expect(load(dockerArchive(over, more))).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    expect(listImages(store.paths).images).toEqual([]);
    expect(listBlobs(store.paths)).toEqual([]);
    expect(store.leftovers()).toEqual([]);
  });

  test('with a layer that is not what the config says', async () => {
    const archive = dockerArchive({ Layers: ['other'] }, [
      { path: 'other', content: tar([{ path: 'evil', content: 'x' }]) },
    ]);
    await expect(load(archive)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(listImages(store.paths).images).toEqual([]);
    expect(store.leftovers()).toEqual([]);
  });

  test('whose entries climb out writes nothing there', async () => {
    const evil: TarEntry[] = [`../../../../..${outside}`, outside].map((path) => ({ path, content: 'evil' }));
    await load(dockerArchive({}, evil)).catch(() => undefined);
    expect(() => readFileSync(outside)).toThrow(/ENOENT/);
  });

  test('with a name that is none keeps the image, says so', async () => {
    const [loaded] = await load(dockerArchive({ RepoTags: ['NOT A NAME', 'good:1'] }));
    expect(loaded?.references).toEqual(['docker.io/library/good:1']);
    expect(store.warnings).toEqual([expect.stringContaining('without its name')]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['zeroes', Buffer.alloc(10_240)],
    ['noise', pseudoRandom(10_240)],
    ['a tar of files', tar([{ path: 'etc/passwd', content: 'root' }])],
    ['half an archive', dockerArchive().subarray(0, 3000)],
    ['half a gzip', gzipSync(dockerArchive()).subarray(0, 300)],
  ])('that is %s', async (_name, bytes) => {
    await expect(load(bytes)).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    expect(listBlobs(store.paths)).toEqual([]);
    expect(store.leftovers()).toEqual([]);
  });
});

test('the tar of a root file system is refused at its first file, with the way out', async () => {
  const files = ['./etc/passwd', './usr/bin/env'].map((path): TarEntry => ({ path, content: path }));
  await expect(load(tar(files))).rejects.toMatchObject({
    code: 'IMAGE_INVALID',
    message: expect.stringContaining('it holds "./etc/passwd", as a root file system does') as string,
    hint: expect.stringContaining('skiff import') as string,
  });
  expect(listBlobs(store.paths)).toEqual([]);
});

describe('an OCI layout', () => {
  const { blob, diffId } = layer({ 'etc/name': 'oci\n' });
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } }),
  );
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: descriptor(MEDIA_TYPE.config, config),
      layers: [descriptor(MEDIA_TYPE.layerGzip, blob)],
    }),
  );
  const path = (bytes: Uint8Array) => `blobs/sha256/${digestOf(bytes).slice(7)}`;

  function files(
    annotations: Record<string, string> | undefined,
    replace: Record<string, Uint8Array | undefined> = {},
  ) {
    const index = {
      schemaVersion: 2,
      manifests: [{ ...descriptor(MEDIA_TYPE.manifest, manifest), annotations }],
    };
    const all: Record<string, Uint8Array | undefined> = {
      'oci-layout': Buffer.from('{"imageLayoutVersion":"1.0.0"}'),
      'index.json': Buffer.from(JSON.stringify(index)),
      [path(manifest)]: manifest,
      [path(config)]: config,
      [path(blob)]: blob,
      ...replace,
    };
    return Object.entries(all).flatMap(([name, content]) =>
      content === undefined ? [] : [{ path: name, content }],
    );
  }

  function folder(entries: { path: string; content: Uint8Array }[]): string {
    const dir = `${store.paths.graphRoot}-layout`;
    mkdirSync(`${dir}/blobs/sha256`, { recursive: true });
    for (const entry of entries) writeFileSync(`${dir}/${entry.path}`, entry.content);
    return dir;
  }
  afterEach(() => execFileSync('rm', ['-rf', `${store.paths.graphRoot}-layout`]));

  test.each([
    [{ 'org.opencontainers.image.ref.name': 'docker.io/library/app:3' }, ['docker.io/library/app:3']],
    [{ 'org.opencontainers.image.ref.name': 'app' }, ['docker.io/library/app:latest']],
    [{ 'org.opencontainers.image.ref.name': 'latest' }, []],
    [{ 'org.opencontainers.image.ref.name': 'v1.2' }, []],
    [
      { 'org.opencontainers.image.ref.name': '1', 'io.containerd.image.name': 'docker.io/team/app:1' },
      ['docker.io/team/app:1'],
    ],
    [undefined, []],
  ])('in a tar, with annotations %j', async (annotations, references) => {
    const [loaded] = await load(tar(files(annotations)));
    expect(loaded?.references).toEqual(references);
    expect(loaded?.image).toMatchObject({ imageId: digestOf(config), manifestDigest: digestOf(manifest) });
    expect(listBlobs(store.paths)).toHaveLength(3);
    expect(store.leftovers()).toEqual([]);
  });

  test('in a folder', async () => {
    const dir = folder(files({ 'org.opencontainers.image.ref.name': 'app:4' }));
    const [loaded] = await loadImages(store, { path: dir }, { idMap: undefined });
    expect(loaded?.references).toEqual(['docker.io/library/app:4']);
    expect(readFileSync(`${treeDir(store.paths, 'host', diffId)}/etc/name`, 'utf8')).toBe('oci\n');
  });

  test.each<[string, Record<string, Uint8Array | undefined>, string]>([
    ['without index.json', { 'index.json': undefined }, 'IMAGE_INVALID'],
    ['with a torn index.json', { 'index.json': Buffer.from('{"manif') }, 'IMAGE_INVALID'],
    ['without images', { 'index.json': Buffer.from('{"schemaVersion":2,"manifests":[]}') }, 'IMAGE_INVALID'],
    ['without the manifest', { [path(manifest)]: undefined }, 'IMAGE_INVALID'],
    ['with another manifest', { [path(manifest)]: Buffer.from('{}') }, 'DIGEST_MISMATCH'],
    ['without the config', { [path(config)]: undefined }, 'IMAGE_INVALID'],
    ['with another config', { [path(config)]: Buffer.from('{}') }, 'DIGEST_MISMATCH'],
    ['without the layer', { [path(blob)]: undefined }, 'IMAGE_INVALID'],
    ['with another layer', { [path(blob)]: pseudoRandom(blob.length) }, 'DIGEST_MISMATCH'],
    ['with half the layer', { [path(blob)]: blob.subarray(0, 20) }, '(DIGEST|SIZE)_MISMATCH'],
  ])('%s is refused, in a tar and in a folder', async (_name, replace, code) => {
    const entries = files({ 'org.opencontainers.image.ref.name': 'app:5' }, replace);
    const refusal = { code: expect.stringMatching(`^${code}$`) };
    await expect(load(tar(entries))).rejects.toMatchObject(refusal);
    await expect(loadImages(store, { path: folder(entries) }, { idMap: undefined })).rejects.toMatchObject(
      refusal,
    );
    expect(findImage(store.paths, 'app:5')).toBeUndefined();
  });

  test('one that breaks off takes nothing away that another load has found meanwhile', async () => {
    const bytes = tar(files({ 'org.opencontainers.image.ref.name': 'app:6' }));
    const signals: (() => void)[] = [];
    const storedByFirst = new Promise<void>((resolve) => signals.push(resolve));
    const secondIsDone = new Promise<void>((resolve) => signals.push(resolve));
    async function* brokenOff(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, bytes.length - 1024); // without the end of the archive
      signals[0]?.();
      await secondIsDone;
      yield Buffer.alloc(1024, 'x');
    }
    const first = loadImages(store, { stream: Readable.from(brokenOff()) }, { idMap: undefined });
    const failure = expect(first).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    await storedByFirst;
    await load(bytes);
    signals[1]?.();
    await failure;
    expect(listBlobs(store.paths)).toHaveLength(3);
    expect(findImage(store.paths, 'app:6')).toBeDefined();
  });

  test('an empty folder, and a file that is missing', async () => {
    const dir = folder([]);
    await expect(loadImages(store, { path: dir }, { idMap: undefined })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
    });
    await expect(loadImages(store, { path: `${dir}/none` }, { idMap: undefined })).rejects.toMatchObject({
      code: 'IO',
    });
  });
});
