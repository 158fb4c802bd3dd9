import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseReference } from '../../../src/core/reference.ts';
import type { Descriptor } from '../../../src/oci/image.ts';
import { pseudoRandom, startRegistry } from '../../helpers/registry.ts';
import type { Fault, TestRegistry } from '../../helpers/registry.ts';
import { collect, testClient } from '../../helpers/registry-client.ts';

const CONTENT = pseudoRandom(3_000_000);

let registry: TestRegistry;
let blob: Descriptor;
beforeEach(async () => {
  registry = await startRegistry();
  blob = registry.addBlob(CONTENT);
});
afterEach(() => registry.close());

const ref = () => parseReference(`${registry.host}/team/app:v1`);
const ranges = () => registry.requests.map(({ headers }) => headers.range ?? 'all');

describe('a blob', () => {
  test.each([0, 1, 1_000_000, CONTENT.length - 1])('from byte %i on', async (offset) => {
    const { body, rangeHonoured } = await testClient().fetchBlob(ref(), blob, { offset });
    expect(rangeHonoured).toBe(true);
    expect((await collect(body)).equals(CONTENT.subarray(offset))).toBe(true);
    expect(ranges()).toEqual([offset === 0 ? 'all' : `bytes=${offset}-`]);
  });

  test('that is here already needs no request', async () => {
    const { body } = await testClient().fetchBlob(ref(), blob, { offset: CONTENT.length });
    expect(await collect(body)).toHaveLength(0);
    expect(registry.requests).toEqual([]);
  });

  test('of which more is here than there is', async () => {
    await expect(testClient().fetchBlob(ref(), blob, { offset: CONTENT.length + 1 })).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
  });

  test('of no bytes', async () => {
    const empty = registry.addBlob(Buffer.alloc(0));
    expect(await collect((await testClient().fetchBlob(ref(), empty)).body)).toHaveLength(0);
  });

  test('from a registry without ranges: the known part is skipped', async () => {
    const plain = await startRegistry({ noRanges: true });
    plain.addBlob(CONTENT);
    const own = parseReference(`${plain.host}/app:v1`);
    const { body, rangeHonoured } = await testClient().fetchBlob(own, blob, { offset: 1_234_567 });
    expect(rangeHonoured).toBe(false);
    expect((await collect(body)).equals(CONTENT.subarray(1_234_567))).toBe(true);
    await plain.close();
  });

  test('without Content-Length', async () => {
    registry.fault({ path: /blobs/, fault: { kind: 'chunked' } });
    expect((await collect((await testClient().fetchBlob(ref(), blob)).body)).equals(CONTENT)).toBe(true);
  });
});

describe('a blob that breaks off goes on where it stopped', () => {
  const cuts: [string, Fault][] = [
    ['truncated', { kind: 'truncate', afterBytes: 1_000_000 }],
    ['reset', { kind: 'reset', afterBytes: 1_000_000 }],
    ['stalled', { kind: 'stall', afterBytes: 1_000_000 }],
    ['ended early without Content-Length', { kind: 'chunked', bytes: 1_000_000 }],
  ];
  test.each(cuts)('%s', async (_what, fault) => {
    registry.fault({ path: /blobs/, times: 1, fault });
    const client = testClient();
    const { body } = await client.fetchBlob(ref(), blob);
    expect((await collect(body)).equals(CONTENT)).toBe(true);
    expect(ranges()[0]).toBe('all');
    expect(ranges()[1]).toMatch(/^bytes=\d+-$/);
    expect(client.waits).toHaveLength(1);
  });

  test.each(cuts)('%s, again and again, as long as something comes', async (_what, fault) => {
    const small =
      'afterBytes' in fault
        ? { ...fault, afterBytes: 400_000 }
        : { kind: 'chunked' as const, bytes: 400_000 };
    registry.fault({ path: /blobs/, times: 7, fault: small });
    const { body } = await testClient().fetchBlob(ref(), blob);
    expect((await collect(body)).equals(CONTENT)).toBe(true);
    expect(registry.requests.length).toBeGreaterThan(5);
  });

  test('also from a registry without ranges', async () => {
    const plain = await startRegistry({ noRanges: true });
    plain.addBlob(CONTENT);
    plain.fault({ path: /blobs/, times: 2, fault: { kind: 'truncate', afterBytes: 2_000_000 } });
    const { body } = await testClient().fetchBlob(parseReference(`${plain.host}/app:v1`), blob);
    expect((await collect(body)).equals(CONTENT)).toBe(true);
    await plain.close();
  });

  test('but not for ever: without progress it ends with the reason', async () => {
    registry.fault({ path: /blobs/, times: 1, fault: { kind: 'truncate', afterBytes: 1000 } });
    registry.fault({ path: /blobs/, fault: { kind: 'truncate', afterBytes: 0 } });
    const client = testClient({ options: { retries: 2 } });
    const { body } = await client.fetchBlob(ref(), blob);
    await expect(collect(body)).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      kind: 'reset',
      message: expect.stringMatching(
        /: blob sha256:[0-9a-f]{64}: "127.0.0.1:\d+" closed the connection( after 0 of \d+ bytes| \(ECONNRESET\))$/,
      ),
    });
  });
});

test('a registry that restarts in the middle of a blob is waited for', async () => {
  registry.fault({ path: /blobs/, times: 1, fault: { kind: 'truncate', afterBytes: 1_000_000 } });
  const { port } = registry;
  let restarts = 0;
  const client = testClient({
    sleep: async () => {
      restarts++;
      if (restarts === 1) await registry.close();
      if (restarts !== 3) return;
      registry = await startRegistry({ port });
      registry.addBlob(CONTENT);
    },
  });
  const { body } = await client.fetchBlob(ref(), blob);
  expect((await collect(body)).equals(CONTENT)).toBe(true);
  expect(restarts).toBe(3);
});

describe('a registry that lies', () => {
  test.each<[string, Fault]>([
    ['about the length, too short', { kind: 'replace', body: CONTENT.subarray(1) }],
    ['about the length, too long', { kind: 'replace', body: Buffer.concat([CONTENT, CONTENT]) }],
  ])('%s', async (_what, fault) => {
    registry.fault({ path: /blobs/, fault });
    await expect(testClient().fetchBlob(ref(), blob)).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
  });

  test('by sending on and on', async () => {
    registry.fault({
      path: /blobs/,
      fault: {
        kind: 'handle',
        handle: (_request, response) => {
          response.writeHead(200);
          const more = (): void => {
            while (response.write(CONTENT));
            response.once('drain', more);
          };
          more();
        },
      },
    });
    const { body } = await testClient().fetchBlob(ref(), blob);
    let seen = 0;
    const reading = (async () => {
      for await (const chunk of body) seen += chunk.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: 'SIZE_MISMATCH' });
    expect(seen).toBeLessThanOrEqual(blob.size);
  });

  test.each([
    ['a range that starts before', `bytes 0-${CONTENT.length - 1}/${CONTENT.length}`, 0],
    ['a range that starts behind', `bytes 5000-${CONTENT.length - 1}/${CONTENT.length}`, 5000],
  ])('206 with %s what was asked', async (_what, contentRange, start) => {
    registry.fault({
      path: /blobs/,
      times: 1,
      fault: {
        kind: 'handle',
        handle: (_request, response) => {
          const part = CONTENT.subarray(start);
          response.writeHead(206, { 'content-range': contentRange, 'content-length': part.length });
          response.end(part);
        },
      },
    });
    const { body } = await testClient().fetchBlob(ref(), blob, { offset: 1000 });
    expect((await collect(body)).equals(CONTENT.subarray(1000))).toBe(true);
  });

  test('206 of another size', async () => {
    const headers = { 'content-range': 'bytes 1000-1999/2000' };
    registry.fault({ path: /blobs/, fault: { kind: 'headers', headers } });
    await expect(testClient().fetchBlob(ref(), { ...blob }, { offset: 1000 })).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
  });

  test('416 where there is more: the whole blob is asked for', async () => {
    registry.fault({ path: /blobs/, times: 1, fault: { kind: 'status', status: 416 } });
    const { body, rangeHonoured } = await testClient().fetchBlob(ref(), blob, { offset: 1000 });
    expect(rangeHonoured).toBe(false);
    expect((await collect(body)).equals(CONTENT.subarray(1000))).toBe(true);
  });

  test('a small document is checked against its digest', async () => {
    const config = registry.addBlob(Buffer.from('{"os":"linux"}'));
    expect(Buffer.from(await testClient().fetchBlobBytes(ref(), config)).toString()).toBe('{"os":"linux"}');
    registry.blobs.set(config.digest, Buffer.from('{"os":"minux"}'));
    await expect(testClient().fetchBlobBytes(ref(), config)).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      expected: config.digest,
    });
    await expect(testClient().fetchBlobBytes(ref(), { ...config, size: 2 ** 40 })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
    });
  });
});

test('a slow reader is not a stall', async () => {
  const { body } = await testClient({ timeouts: { stallMs: 100 } }).fetchBlob(ref(), blob);
  let size = 0;
  let pauses = 2;
  for await (const chunk of body) {
    size += chunk.length;
    if (pauses-- > 0) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(size).toBe(CONTENT.length);
  expect(registry.requests).toHaveLength(1);
});

test('leaving the stream early closes the connection', async () => {
  const huge = registry.addBlob(Buffer.alloc(64_000_000, 7));
  let closed: Promise<void> | undefined;
  registry.fault({
    path: new RegExp(huge.digest),
    fault: {
      kind: 'handle',
      handle: (_request, response) => {
        closed = new Promise((resolve) => response.once('close', resolve));
        response.writeHead(200, { 'content-length': huge.size });
        response.end(registry.blobs.get(huge.digest));
      },
    },
  });
  for await (const chunk of (await testClient().fetchBlob(ref(), huge)).body) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  await closed;
});

test('aborting ends a stream with CANCELLED', async () => {
  registry.fault({ path: /blobs/, fault: { kind: 'stall', afterBytes: 10 } });
  const abort = new AbortController();
  const client = testClient({ signal: abort.signal, timeouts: { stallMs: 60_000 } });
  const { body } = await client.fetchBlob(ref(), blob);
  setTimeout(() => abort.abort(), 50);
  await expect(collect(body)).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(client.fetchBlob(ref(), blob)).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('eight blobs at once', async () => {
  const blobs = Array.from({ length: 8 }, (_, i) => registry.addBlob(pseudoRandom(500_000, `b${i}`)));
  const client = testClient();
  const all = await Promise.all(blobs.map(async (one) => collect((await client.fetchBlob(ref(), one)).body)));
  for (const [i, bytes] of all.entries()) expect(bytes.equals(pseudoRandom(500_000, `b${i}`))).toBe(true);
});

describe('foreign layers', () => {
  test('come from their urls when the registry does not have them, without login', async () => {
    const elsewhere = await startRegistry({ auth: { kind: 'basic', user: 'u', password: 'p' } });
    elsewhere.addBlob(CONTENT);
    registry.blobs.clear();
    const urls = [
      'ftp://elsewhere.invalid/x',
      'not a url',
      `${elsewhere.origin}/v2/x/blobs/sha256:nothing?signature=1`,
      `${elsewhere.origin}/v2/x/blobs/${blob.digest}?signature=1`,
    ];
    const { body } = await testClient().fetchBlob(ref(), { ...blob, urls }, { offset: 1000 });
    expect((await collect(body)).equals(CONTENT.subarray(1000))).toBe(true);
    expect(elsewhere.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    await elsewhere.close();
  });

  test('are asked of the registry first', async () => {
    const { body } = await testClient().fetchBlob(ref(), { ...blob, urls: ['http://127.0.0.1:1/x'] });
    expect(await collect(body)).toHaveLength(CONTENT.length);
  });
});
