import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { ensureImage } from '../../../src/image/ensure-image.ts';
import { ensureLayerTrees } from '../../../src/image/ensure-layers.ts';
import { pullImage, type PullOptions } from '../../../src/image/pull.ts';
import { MEDIA_TYPE } from '../../../src/oci/image.ts';
import { findImage, listImages } from '../../../src/store/images.ts';
import { ensureStore } from '../../../src/store/init.ts';
import { blobFile, partFile, treeDir } from '../../../src/store/layout.ts';
import { pseudoRandom, startRegistry, type TestRegistry } from '../../helpers/registry.ts';
import { testClient } from '../../helpers/registry-client.ts';
import { layer, testStore, type TestStore } from '../../helpers/store.ts';

const BIG = pseudoRandom(3_000_000, 'pull');
const BASE = layer({ 'etc/name': 'base\n', 'usr/lib/big': BIG });
const TOP = layer({ 'etc/name': 'top\n', 'opt/file': 'x' });

let registry: TestRegistry;
let store: TestStore;
beforeEach(async () => {
  registry = await startRegistry();
  store = testStore();
});
afterEach(async () => {
  await registry.close();
  store.remove();
});

const name = (tag = 'v1') => `${registry.host}/team/app:${tag}`;
const pull = (text = name(), options: Partial<PullOptions> = {}) =>
  pullImage(store, text, { idMap: undefined, onEvent: store.onEvent, client: testClient(), ...options });
const blobRequests = () => registry.requests.filter(({ path }) => path.includes('/blobs/'));
const requestsFor = (digest: string) => registry.requests.filter(({ path }) => path.endsWith(digest));
const ranges = (digest: string) => requestsFor(digest).map(({ headers }) => headers.range ?? 'all');

/** An image whose config holds the right diff ids. */
function addImage(tag = 'v1', layers = [BASE, TOP], more: Parameters<TestRegistry['addImage']>[2] = {}) {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) };
  const created = '2024-05-06T07:08:09Z';
  return registry.addImage('team/app', tag, {
    ...more,
    layers: layers.map(({ blob }) => ({ blob })),
    config: { created, config: { Cmd: ['sh'], Env: ['A=b'] }, rootfs, ...more.config },
  });
}

describe('a pull', () => {
  test('stores blobs, trees, a record and a name', async () => {
    const remote = addImage();
    const image = await pull();
    expect(image).toMatchObject({
      reference: name(),
      imageId: remote.config.digest,
      manifestDigest: remote.manifest.digest,
      platform: { os: 'linux', architecture: 'amd64' },
      config: { Cmd: ['sh'], Env: ['A=b'] },
    });
    expect(image.sizeBytes).toBe(BIG.length + 'base\n'.length + 'top\n'.length + 1);
    const trees = await ensureLayerTrees(store, image, undefined);
    expect(trees.map((tree) => readFileSync(`${tree}/etc/name`, 'utf8'))).toEqual(['base\n', 'top\n']);
    expect(readFileSync(`${trees[0] as string}/usr/lib/big`).equals(BIG)).toBe(true);
    for (const blob of [remote.manifest, remote.config, ...remote.layers]) {
      expect(digestOf(readFileSync(blobFile(store.paths, blob.digest)))).toBe(blob.digest);
    }
    expect(findImage(store.paths, name())).toEqual(image);
    expect(store.leftovers()).toEqual([]);
    expect(store.events.at(-1)).toMatchObject({ type: 'end', changed: true, imageId: remote.config.digest });
  });

  test('of what is there asks for the digest alone', async () => {
    addImage();
    const first = await pull();
    registry.requests.length = 0;
    expect(await pull()).toEqual(first);
    expect(registry.log()).toEqual(['HEAD /v2/team/app/manifests/v1']);
    expect(store.events.at(-1)).toMatchObject({ type: 'end', changed: false });
  });

  test('by a digest that is there asks nobody', async () => {
    const { manifest } = addImage();
    const byDigest = `${registry.host}/team/app@${manifest.digest}`;
    const first = await pull(byDigest);
    expect(first.reference).toBe(byDigest);
    registry.requests.length = 0;
    expect(await pull(`${registry.host}/team/app:any@${manifest.digest}`)).toEqual(first);
    expect(registry.log()).toEqual([]);
  });

  test('fetches only the layers that are missing', async () => {
    addImage('v1', [BASE]);
    await pull();
    registry.requests.length = 0;
    const remote = addImage('v2');
    await pull(name('v2'));
    expect(blobRequests().map(({ path }) => path.split('/').at(-1))).toEqual([
      remote.config.digest,
      remote.layers[1]?.digest,
    ]);
  });

  test('leaves the image that had the name without one', async () => {
    addImage('v1', [BASE]);
    const old = await pull();
    addImage('v1', [TOP]);
    const now = await pull();
    expect(findImage(store.paths, name())?.imageId).toBe(now.imageId);
    const names = listImages(store.paths).images.map(({ image }) => [image.reference, image.imageId]);
    expect(names).toEqual([
      ['', old.imageId],
      [name(), now.imageId],
    ]);
  });

  test('takes repeated and empty layers', async () => {
    const empty = layer({});
    const remote = addImage('v1', [empty, BASE, empty, BASE]);
    const image = await pull();
    expect(image.layers).toHaveLength(4);
    expect(new Set(image.layers.map(({ chainId }) => chainId)).size).toBe(4);
    expect(requestsFor(remote.layers[1]?.digest ?? '')).toHaveLength(1);
    expect(requestsFor(remote.layers[0]?.digest ?? '')).toHaveLength(1);
    expect(store.leftovers()).toEqual([]);
  });

  test('of an image without layers', async () => {
    const image = await (addImage('v1', []), pull());
    expect(image).toMatchObject({ layers: [], sizeBytes: 0 });
  });

  test('of docker schema 2', async () => {
    addImage('v1', [BASE], { docker: true });
    expect((await pull()).layers[0]?.blob.mediaType).toBe(MEDIA_TYPE.dockerLayerGzip);
  });

  test('reads a manifest whose config has another number of layers', async () => {
    addImage('v1', [BASE], { config: { rootfs: { type: 'layers', diff_ids: [] } } });
    await expect(pull()).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });
});

describe('platforms', () => {
  const linux = (architecture: string, variant?: string) => ({
    os: 'linux',
    architecture,
    ...(variant === undefined ? {} : { variant }),
  });

  function addIndex() {
    const platforms = [linux('s390x'), linux('amd64'), linux('arm', 'v7'), linux('arm64')];
    const images = platforms.map((platform) => ({
      manifest: addImage(`only-${platform.architecture}`, [TOP], { platform }).manifest,
      platform,
    }));
    const attestation = {
      manifest: { ...(images[0] as (typeof images)[0]).manifest },
      platform: { os: 'unknown', architecture: 'unknown' },
    };
    return registry.addIndex('team/app', 'multi', [attestation, ...images]);
  }

  test('of an index: the one that is asked for', async () => {
    const index = addIndex();
    const image = await pull(name('multi'), { platform: linux('arm', 'v7') });
    expect(image.platform).toEqual(linux('arm', 'v7'));
    const [entry] = listImages(store.paths).images;
    expect(entry?.entry.annotations?.['io.skiff.image.repo-digests']).toBe(
      `${registry.host}/team/app@${index.digest}`,
    );
  });

  test('that an index has not: says what there is', async () => {
    addIndex();
    await expect(pull(name('multi'), { platform: linux('riscv64') })).rejects.toMatchObject({
      code: 'PLATFORM_NOT_FOUND',
      message: expect.stringMatching(
        /linux\/riscv64; there is linux\/s390x, linux\/amd64, linux\/arm\/v7, linux\/arm64$/,
      ),
    });
  });

  test('of a single image: refused when asked for another, else a warning', async () => {
    addImage('v1', [TOP], { platform: linux('s390x') });
    await expect(pull(name(), { platform: linux('arm64') })).rejects.toMatchObject({
      code: 'PLATFORM_NOT_FOUND',
    });
    await pull();
    expect(store.warnings).toEqual([expect.stringMatching(/linux\/s390x, not for this machine/)]);
  });
});

describe('a broken download', () => {
  test('is mended, and fetches no byte twice', async () => {
    const { layers } = addImage('v1', [BASE]);
    const digest = layers[0]?.digest ?? '';
    registry.fault({ path: new RegExp(digest), times: 1, fault: { kind: 'reset', afterBytes: 1_000_000 } });
    await pull();
    const [first, second] = ranges(digest);
    expect(first).toBe('all');
    expect(second).toMatch(/^bytes=\d+-$/);
    expect(store.leftovers()).toEqual([]);
  });

  test.each(['truncate', 'reset', 'stall'] as const)(
    'for good (%s) leaves a part that the next pull goes on with',
    async (kind) => {
      const { layers } = addImage('v1', [BASE]);
      const blob = layers[0];
      if (blob === undefined) throw new Error('no layer');
      registry.fault({ path: new RegExp(blob.digest), times: 1, fault: { kind, afterBytes: 1_000_000 } });
      registry.fault({ path: new RegExp(blob.digest), times: 50, fault: { kind, afterBytes: 0 } });
      await expect(pull(name(), { client: testClient({ options: { retries: 2 } }) })).rejects.toMatchObject({
        code: 'NETWORK_FAILED',
      });
      const have = statSync(partFile(store.paths, blob.digest)).size;
      expect(have).toBeGreaterThan(0);
      expect(findImage(store.paths, name())).toBeUndefined();
      expect(have).toBeLessThan(blob.size);
      await registry.close();
      registry = await startRegistry();
      addImage('v1', [BASE]);
      await pull();
      expect(ranges(blob.digest)).toEqual([`bytes=${have}-`]);
      expect(store.leftovers()).toEqual([]);
    },
  );

  test('that was left by another run is resumed at its end', async () => {
    const { layers } = addImage('v1', [BASE]);
    const digest = layers[0]?.digest ?? ('' as never);
    ensureStore(store.paths);
    writeFileSync(partFile(store.paths, digest), BASE.blob.subarray(0, 1_234_567));
    const image = await pull();
    expect(ranges(digest)).toEqual(['bytes=1234567-']);
    expect(existsSync(treeDir(store.paths, 'host', image.layers[0]?.chainId ?? digest))).toBe(true);
    expect(store.leftovers()).toEqual([]);
  });

  test('whose part is complete needs no request', async () => {
    const { layers } = addImage('v1', [BASE]);
    const digest = layers[0]?.digest ?? ('' as never);
    ensureStore(store.paths);
    writeFileSync(partFile(store.paths, digest), BASE.blob);
    await pull();
    expect(requestsFor(digest)).toEqual([]);
  });

  test('whose part is garbage starts again, unpacking too', async () => {
    const { layers } = addImage('v1', [BASE]);
    const digest = layers[0]?.digest ?? ('' as never);
    ensureStore(store.paths);
    const garbage = Buffer.from(BASE.blob.subarray(0, 1_000_000));
    garbage.fill(0, 500_000);
    writeFileSync(partFile(store.paths, digest), garbage);
    const image = await pull();
    expect(ranges(digest)).toEqual(['bytes=1000000-', 'all']);
    const [tree] = await ensureLayerTrees(store, image, undefined);
    expect(readFileSync(`${tree as string}/usr/lib/big`).equals(BIG)).toBe(true);
    expect(store.leftovers()).toEqual([]);
  });

  test('of a registry that asks to wait is waited for', async () => {
    const { layers } = addImage('v1', [TOP]);
    const fault = { kind: 'status', status: 429, headers: { 'retry-after': '7' } } as const;
    registry.fault({ path: new RegExp(layers[0]?.digest ?? ''), times: 1, fault });
    const client = testClient();
    await pull(name(), { client });
    expect(client.waits).toHaveLength(1);
    expect(client.waits[0]).toBeGreaterThanOrEqual(7000);
  });
});

describe('wrong content', () => {
  test('with another digest is refused, and the part removed', async () => {
    const { layers } = addImage('v1', [BASE, TOP]);
    const digest = layers[0]?.digest ?? ('' as never);
    const lie = Buffer.from(BASE.blob);
    lie.writeUInt8(lie.readUInt8(lie.length - 1) ^ 1, lie.length - 1);
    registry.blobs.set(digest, lie);
    await expect(pull()).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringContaining(digest),
    });
    expect(existsSync(partFile(store.paths, digest))).toBe(false);
    expect(existsSync(blobFile(store.paths, digest))).toBe(false);
    registry.blobs.set(digest, BASE.blob);
    await pull();
    expect(store.leftovers()).toEqual([]);
  });

  test.each([-1, 1])('of another size (%i) is refused', async (difference) => {
    const remote = addImage('v1', [BASE]);
    const [blob] = remote.layers;
    if (blob === undefined) throw new Error('no layer');
    const lying = { ...blob, size: blob.size + difference };
    addImage('v1', [BASE], { manifest: { layers: [lying] } });
    await expect(pull()).rejects.toMatchObject({
      code: expect.stringMatching(/^(SIZE|DIGEST)_MISMATCH$|^NETWORK_FAILED$/),
    });
    expect(existsSync(blobFile(store.paths, blob.digest))).toBe(false);
    expect(findImage(store.paths, name())).toBeUndefined();
  });

  test('with another diff id is refused; the blob stays', async () => {
    const { layers } = addImage('v1', [{ blob: BASE.blob, diffId: TOP.diffId }]);
    const digest = layers[0]?.digest ?? ('' as never);
    await expect(pull()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(existsSync(blobFile(store.paths, digest))).toBe(true);
    expect(store.leftovers()).toEqual([]);
    await expect(pull()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(requestsFor(digest)).toHaveLength(1);
  });

  test('that is no tar keeps the layers that are done below it', async () => {
    const noise = { blob: pseudoRandom(100_000), diffId: digestOf('x') };
    addImage('v1', [TOP, BASE, noise]);
    await expect(pull()).rejects.toMatchObject({ code: 'LAYER_INVALID' });
    expect(existsSync(treeDir(store.paths, 'host', TOP.diffId))).toBe(true);
    expect(existsSync(blobFile(store.paths, digestOf(noise.blob)))).toBe(true);
    expect(store.leftovers().filter((name) => name !== `${digestOf(BASE.blob).slice(7)}.part`)).toEqual([]);
  });
});

describe('what is in the store', () => {
  test('without its tree is unpacked again, without a request for the blob', async () => {
    addImage('v1', [BASE, TOP]);
    const image = await pull();
    const top = treeDir(store.paths, 'host', image.layers[1]?.chainId ?? BASE.diffId);
    rmSync(top, { recursive: true });
    registry.requests.length = 0;
    await pull();
    expect(readFileSync(`${top}/etc/name`, 'utf8')).toBe('top\n');
    expect(blobRequests()).toEqual([]);
    rmSync(top, { recursive: true });
    await ensureLayerTrees(store, image, undefined);
    expect(readFileSync(`${top}/etc/name`, 'utf8')).toBe('top\n');
  });

  test.each(['cut off', 'changed'])('and has rotted (%s) is fetched again', async (how) => {
    addImage('v1', [BASE]);
    const image = await pull();
    const digest = image.layers[0]?.blob.digest ?? BASE.diffId;
    rmSync(treeDir(store.paths, 'host', BASE.diffId), { recursive: true });
    if (how === 'changed') writeFileSync(blobFile(store.paths, digest), Buffer.alloc(BASE.blob.length, 1));
    else truncateSync(blobFile(store.paths, digest), 1000);
    registry.requests.length = 0;
    await pull();
    expect(requestsFor(digest)).toHaveLength(1);
    expect(digestOf(readFileSync(blobFile(store.paths, digest)))).toBe(digest);
  });
});

describe('pulls at the same time', () => {
  test('make one download of each blob', async () => {
    const remote = addImage();
    const images = await Promise.all(Array.from({ length: 6 }, () => pull()));
    expect(new Set(images.map(({ imageId }) => imageId)).size).toBe(1);
    for (const { digest } of remote.layers) expect(requestsFor(digest)).toHaveLength(1);
    expect(store.leftovers()).toEqual([]);
  });

  test('of images that share a layer unpack it once and do not block each other', async () => {
    addImage('a', [BASE, TOP]);
    addImage('b', [BASE, layer({ other: '1' })]);
    addImage('c', [TOP, BASE]);
    const images = await Promise.all(['a', 'b', 'c', 'a', 'c'].map((tag) => pull(name(tag))));
    expect(images).toHaveLength(5);
    expect(requestsFor(digestOf(BASE.blob))).toHaveLength(1);
    expect(store.leftovers()).toEqual([]);
  });

  test('of which the first fails: the second takes over', async () => {
    const { layers } = addImage('v1', [BASE]);
    const digest = layers[0]?.digest ?? '';
    registry.fault({ path: new RegExp(digest), times: 1, fault: { kind: 'truncate', afterBytes: 100_000 } });
    const results = await Promise.allSettled([
      pull(name(), { client: testClient({ options: { retries: 0 } }) }),
      pull(name(), { client: testClient({ options: { retries: 0 } }) }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ranges(digest)).toEqual(['all', 'bytes=100000-']);
  });
});

describe('a cancelled pull', () => {
  test('stops, keeps the part, and leaves no tree', async () => {
    const { layers } = addImage('v1', [BASE]);
    const digest = layers[0]?.digest ?? ('' as never);
    registry.fault({ path: new RegExp(digest), fault: { kind: 'stall', afterBytes: 200_000 } });
    const cancel = new AbortController();
    const client = testClient({
      signal: cancel.signal,
      timeouts: { connectMs: 2000, headersMs: 5000, stallMs: 60_000 },
    });
    const running = pullImage({ ...store, signal: cancel.signal }, name(), {
      idMap: undefined,
      client,
      onEvent: (event) => {
        if (event.type === 'layer' && event.state === 'downloading' && event.doneBytes > 0) cancel.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(store.leftovers()).toEqual([expect.stringMatching(/\.part$/)]);
  });
});

describe('--pull', () => {
  const ensure = (policy: 'always' | 'missing' | 'never' | 'newer', text = name()) =>
    ensureImage(store, text, policy, { idMap: undefined });

  test('never opens no socket', async () => {
    addImage();
    await expect(ensure('never')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    expect(registry.log()).toEqual([]);
  });

  test('missing pulls once, always asks again', async () => {
    const { config } = addImage('v1', [TOP]);
    expect((await ensure('missing')).imageId).toBe(config.digest);
    registry.requests.length = 0;
    await ensure('missing');
    expect(registry.log()).toEqual([]);
    await ensure('always');
    expect(registry.log()).toEqual(['HEAD /v2/team/app/manifests/v1']);
  });

  test('newer uses the local image when the registry is out of reach, always does not', async () => {
    addImage('v1', [TOP]);
    const image = await ensure('missing');
    registry.fault({ path: /manifests/, fault: { kind: 'status', status: 403 } });
    expect(await ensure('newer')).toEqual(image);
    expect(store.warnings).toEqual([expect.stringMatching(/^using the local image/)]);
    await expect(ensure('always')).rejects.toMatchObject({ code: expect.any(String) });
  });

  test('of an id is local', async () => {
    addImage('v1', [TOP]);
    const image = await ensure('missing');
    registry.requests.length = 0;
    expect((await ensure('always', image.imageId)).imageId).toBe(image.imageId);
    expect((await ensure('always', image.imageId.slice(7, 19))).imageId).toBe(image.imageId);
    await expect(ensure('missing', 'f'.repeat(64))).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    expect(registry.log()).toEqual([]);
  });
});
