import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { parseReference } from '../../../src/core/reference.ts';
import { MEDIA_TYPE } from '../../../src/oci/image.ts';
import { startRegistry } from '../../helpers/registry.ts';
import type { TestRegistry } from '../../helpers/registry.ts';
import { testClient } from '../../helpers/registry-client.ts';

let registry: TestRegistry;
beforeEach(async () => {
  registry = await startRegistry();
});
afterEach(() => registry.close());

const ref = (rest: string) => parseReference(`${registry.host}/${rest}`);

describe('what comes back', () => {
  test.each([
    ['an OCI manifest', {}, MEDIA_TYPE.manifest],
    ['a docker schema 2 manifest', { docker: true }, MEDIA_TYPE.dockerManifest],
  ])('%s by tag and by digest', async (_what, spec, mediaType) => {
    const { manifest } = registry.addImage('team/app', 'v1', spec);
    const client = testClient();
    const byTag = await client.fetchManifest(ref('team/app:v1'));
    expect(byTag.descriptor).toEqual({ mediaType, digest: manifest.digest, size: manifest.size });
    expect(digestOf(byTag.bytes)).toBe(manifest.digest);
    const byDigest = await client.fetchManifest(ref(`team/app@${manifest.digest}`));
    expect(byDigest).toEqual(byTag);
    expect(registry.log()).toEqual([
      'GET /v2/team/app/manifests/v1',
      `GET /v2/team/app/manifests/${manifest.digest}`,
    ]);
  });

  test('the digest wins over the tag, latest is the default', async () => {
    const { manifest } = registry.addImage('app', 'latest');
    const client = testClient();
    await client.fetchManifest(ref(`app:other@${manifest.digest}`));
    await client.fetchManifest(ref('app'));
    expect(registry.log()).toEqual([
      `GET /v2/app/manifests/${manifest.digest}`,
      'GET /v2/app/manifests/latest',
    ]);
  });

  test('asks for all four formats and names itself', async () => {
    registry.addImage('app', 'v1');
    await testClient({ userAgent: 'skiff/1.2.3' }).fetchManifest(ref('app:v1'));
    const { headers } = registry.requests[0]!;
    for (const type of [
      MEDIA_TYPE.index,
      MEDIA_TYPE.manifest,
      MEDIA_TYPE.dockerIndex,
      MEDIA_TYPE.dockerManifest,
    ]) {
      expect(headers.accept).toContain(type);
    }
    expect(headers['user-agent']).toBe('skiff/1.2.3');
  });

  // named in the document, in the header → settled
  test.each([
    [undefined, MEDIA_TYPE.manifest, MEDIA_TYPE.manifest],
    [undefined, '', MEDIA_TYPE.manifest],
    [undefined, 'application/json; charset=utf-8', MEDIA_TYPE.manifest],
    [MEDIA_TYPE.dockerManifest, 'text/plain', MEDIA_TYPE.dockerManifest],
    [MEDIA_TYPE.manifest, `${MEDIA_TYPE.manifest}; charset=utf-8`, MEDIA_TYPE.manifest],
  ])('mediaType %s with Content-Type %j is %s', async (named, header, expected) => {
    registry.addManifest('app', 'v1', { schemaVersion: 2, mediaType: named, config: {}, layers: [] }, header);
    expect((await testClient().fetchManifest(ref('app:v1'))).descriptor.mediaType).toBe(expected);
  });

  test('an index without any type is known by its content', async () => {
    registry.addManifest('app', 'v1', { schemaVersion: 2, manifests: [] }, 'application/json');
    expect((await testClient().fetchManifest(ref('app:v1'))).descriptor.mediaType).toBe(MEDIA_TYPE.index);
  });
});

describe('what is refused', () => {
  test.each([
    [
      'schema 1',
      { schemaVersion: 1, fsLayers: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      /schema 1/,
    ],
    ['schema 1 under another name', { schemaVersion: 1 }, 'application/json', /schema 1/],
    [
      'both kinds at once',
      { manifests: [], layers: [], config: {} },
      MEDIA_TYPE.manifest,
      /both a manifest and an index/,
    ],
    ['an index called a manifest', { manifests: [] }, MEDIA_TYPE.manifest, /does not have the content/],
    [
      'a manifest called an index',
      { config: {}, layers: [] },
      MEDIA_TYPE.dockerIndex,
      /does not have the content/,
    ],
    [
      'a contradiction',
      { mediaType: MEDIA_TYPE.dockerManifest, config: {}, layers: [] },
      MEDIA_TYPE.manifest,
      /the registry calls/,
    ],
    [
      'something else',
      { mediaType: 'text/\u001b[31mevil' },
      'text/evil',
      /"text\/ \[31mevil" is not an image format/,
    ],
    ['a list', [], MEDIA_TYPE.manifest, /not a JSON object/],
    ['null', null, MEDIA_TYPE.manifest, /not a JSON object/],
    ['no JSON', Buffer.from('<html>'), MEDIA_TYPE.manifest, /not JSON/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), MEDIA_TYPE.manifest, /not JSON/],
    ['too much', Buffer.alloc(4 * 1024 * 1024 + 1, 0x20), MEDIA_TYPE.manifest, /larger than 4 MiB/],
  ])('%s', async (_what, document, type, message) => {
    registry.addManifest('app', 'v1', document, type);
    const error = await failure(testClient().fetchManifest(ref('app:v1')));
    expect(error).toMatchObject({ code: 'IMAGE_INVALID' });
    expect(error.message).toMatch(/^pulling "127.0.0.1:\d+\/app:v1": /);
    expect(error.message).toMatch(message);
  });

  test('content that is not what its digest says', async () => {
    const { manifest } = registry.addImage('app', 'v1');
    registry.fault({
      path: /manifests/,
      fault: { kind: 'replace', body: Buffer.from('{"layers":[],"config":{}}') },
    });
    for (const name of ['app:v1', `app@${manifest.digest}`]) {
      const error = await failure(testClient().fetchManifest(ref(name)));
      expect(error).toMatchObject({ code: 'DIGEST_MISMATCH', expected: manifest.digest });
    }
  });

  test('a digest is checked even when the registry says nothing about it', async () => {
    const quiet = await startRegistry({ noDigestHeader: true });
    const { manifest } = quiet.addImage('app', 'v1');
    quiet.fault({ path: /sha256/, fault: { kind: 'replace', body: Buffer.from('{}') } });
    const client = testClient();
    const asked = client.fetchManifest(parseReference(`${quiet.host}/app@${manifest.digest}`));
    expect(await failure(asked)).toMatchObject({ code: 'DIGEST_MISMATCH' });
    await quiet.close();
  });
});

describe('a manifest that breaks off', () => {
  test.each(['truncate', 'reset', 'stall'] as const)('%s: is asked for again', async (kind) => {
    const { manifest } = registry.addImage('app', 'v1');
    registry.fault({ path: /manifests/, times: 2, fault: { kind, afterBytes: 10 } });
    const client = testClient();
    expect((await client.fetchManifest(ref('app:v1'))).descriptor).toEqual(manifest);
    expect(client.waits).toHaveLength(2);
  });

  test('each time: is an error in the end', async () => {
    registry.addImage('app', 'v1');
    registry.fault({ path: /manifests/, fault: { kind: 'truncate', afterBytes: 10 } });
    const asked = testClient({ options: { retries: 2 } }).fetchManifest(ref('app:v1'));
    expect(await failure(asked)).toMatchObject({ code: 'NETWORK_FAILED', kind: 'reset' });
    expect(registry.requests).toHaveLength(3);
  });
});

describe('resolve', () => {
  test('HEAD is enough', async () => {
    const { manifest } = registry.addImage('app', 'v1');
    expect(await testClient().resolve(ref('app:v1'))).toEqual(manifest);
    expect(registry.log()).toEqual(['HEAD /v2/app/manifests/v1']);
  });

  test('GET follows where HEAD does not say all', async () => {
    const quiet = await startRegistry({ noDigestHeader: true });
    const { manifest } = quiet.addImage('app', 'v1');
    expect(await testClient().resolve(parseReference(`${quiet.host}/app:v1`))).toEqual(manifest);
    expect(quiet.log()).toEqual(['HEAD /v2/app/manifests/v1', 'GET /v2/app/manifests/v1']);
    await quiet.close();
  });

  test('a refusal is worded from the body of GET', async () => {
    const error = await failure(testClient().resolve(ref('alpin:3')));
    expect(error).toMatchObject({ code: 'IMAGE_NOT_FOUND', status: 404 });
    expect(error.message).toBe(
      `pulling "${registry.host}/alpin:3": repository name not known to registry (NAME_UNKNOWN)`,
    );
  });
});

describe('tags', () => {
  test('come page by page', async () => {
    const paged = await startRegistry({ pageSize: 2 });
    for (const tag of ['a', 'b', 'c', 'd', 'e']) paged.addImage('team/app', tag);
    const tags: string[] = [];
    for await (const tag of testClient().listTags(parseReference(`${paged.host}/team/app`))) tags.push(tag);
    expect(tags).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(paged.requests).toHaveLength(3);
    await paged.close();
  });

  test('a link leads nowhere but to the next page of this repository', async () => {
    registry.addImage('app', 'v1');
    const link = '<http://elsewhere.invalid/v2/other/tags/list?last=v1>; rel="next"';
    registry.fault({ path: /tags/, times: 1, fault: { kind: 'headers', headers: { link } } });
    const tags: string[] = [];
    for await (const tag of testClient().listTags(ref('app'))) tags.push(tag);
    expect(tags).toEqual(['v1']);
    expect(registry.log().at(-1)).toBe('GET /v2/app/tags/list?last=v1');
  });

  test('names that are no tags are dropped, null is none', async () => {
    const body = JSON.stringify({ tags: ['ok', '../x', 'a\u001b[0m', 5, null] });
    registry.fault({ path: /tags/, times: 1, fault: { kind: 'status', status: 200, body } });
    registry.fault({ path: /tags/, fault: { kind: 'status', status: 200, body: '{"tags":null}' } });
    const list = async () => {
      const tags: string[] = [];
      for await (const tag of testClient().listTags(ref('app'))) tags.push(tag);
      return tags;
    };
    expect(await list()).toEqual(['ok']);
    expect(await list()).toEqual([]);
  });
});

async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('it worked');
}
