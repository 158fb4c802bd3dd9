import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CACHE_CONFIG_TYPE } from '../../../../src/builder/cache-transfer/document.ts';
import { DirectoryTarget } from '../../../../src/builder/cache-transfer/target.ts';
import { digestOf, hexOf, type Digest } from '../../../../src/core/digest.ts';
import { MEDIA_TYPE, type Descriptor, type Index, type Manifest } from '../../../../src/oci/image.ts';

let dir: string;
beforeEach(() => {
  dir = `${mkdtempSync(`${tmpdir()}/skiff-target-`)}/cache`;
});
afterEach(() => rmSync(dir.replace(/\/cache$/, ''), { recursive: true }));

const signal = new AbortController().signal;
const blobs = (): string[] => readdirSync(`${dir}/blobs/sha256`).sort();

function source(text: string, digest: Digest = digestOf(text)) {
  let reads = 0;
  return {
    reads: () => reads,
    descriptor: { digest, size: text.length },

    async *open() {
      reads++;
      yield Buffer.from(text);
    },
  };
}

function manifestOf(...texts: string[]): Manifest {
  const of = (mediaType: string, text: string): Descriptor => ({
    mediaType,
    digest: digestOf(text),
    size: text.length,
  });
  const [config = '', ...layers] = texts;
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: of(CACHE_CONFIG_TYPE, config),
    layers: layers.map((text) => of(MEDIA_TYPE.layerGzip, text)),
  };
}

async function publish(...texts: string[]): Promise<boolean> {
  const target = await DirectoryTarget.open(dir, signal);
  try {
    for (const text of texts) await target.put(source(text));
    return await target.publish(manifestOf(...texts));
  } finally {
    target.close();
  }
}

test('what is there is not read again, and what nobody has any more goes', async () => {
  expect(await publish('config', 'one', 'two')).toBe(true);
  expect(await publish('config', 'one', 'two')).toBe(false);
  expect(blobs()).toHaveLength(4);
  const target = await DirectoryTarget.open(dir, signal);
  const one = source('one');
  expect(await target.put(one)).toBe('present');
  expect(one.reads()).toBe(0);
  target.close();
  expect(await publish('config', 'three')).toBe(true);
  expect(blobs()).toHaveLength(3);
  expect(blobs()).toContain(hexOf(digestOf('three')));
});

test('entries of others stay, and so do their blobs', async () => {
  mkdirSync(`${dir}/blobs/sha256`, { recursive: true });
  const other = { mediaType: MEDIA_TYPE.manifest, digest: digestOf('x'), size: 1 };
  writeFileSync(`${dir}/blobs/sha256/${hexOf(other.digest)}`, 'x');
  writeFileSync(`${dir}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [other] }));
  await publish('config', 'one');
  await publish('config', 'two');
  const index = JSON.parse(readFileSync(`${dir}/index.json`, 'utf8')) as Index;
  expect(index.manifests).toHaveLength(2);
  expect(index.manifests[0]).toEqual(other);
  expect(blobs()).toContain(hexOf(other.digest));
});

test('bytes that are not what was announced leave nothing', async () => {
  const target = await DirectoryTarget.open(dir, signal);
  await expect(target.put(source('one', digestOf('two')))).rejects.toThrow(
    expect.objectContaining({ code: 'DIGEST_MISMATCH' }),
  );
  expect(blobs()).toEqual([]);
  target.close();
});

test('a directory with an index that is none is left as it is', async () => {
  mkdirSync(dir);
  writeFileSync(`${dir}/index.json`, 'mine');
  await expect(DirectoryTarget.open(dir, signal)).rejects.toThrow(/index\.json": it is not JSON/);
  expect(readFileSync(`${dir}/index.json`, 'utf8')).toBe('mine');
  expect(existsSync(`${dir}/oci-layout`)).toBe(false);
});

test('a file in the way is named, without the advice for a store', async () => {
  writeFileSync(dir, '');
  await expect(DirectoryTarget.open(dir, signal)).rejects.toThrow(
    expect.objectContaining({
      code: 'IO',
      hint: undefined,
      message: expect.stringMatching(/^exporting the cache to "/) as string,
    }),
  );
});
