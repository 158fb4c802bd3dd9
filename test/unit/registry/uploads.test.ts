import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/core/digest.ts';
import { parseReference } from '../../../src/core/reference.ts';
import type { BlobSource } from '../../../src/registry/types.ts';
import {
  pseudoRandom,
  startRegistry,
  type TestRegistry,
  type TestRegistryOptions,
} from '../../helpers/registry.ts';
import { testClient, type TestClient } from '../../helpers/registry-client.ts';

const CONTENT = pseudoRandom(3_000_000);
const DIGEST = digestOf(CONTENT);

let registry: TestRegistry;
let client: TestClient;

async function start(options: TestRegistryOptions = {}, creds?: string): Promise<void> {
  registry = await startRegistry(options);
  client = testClient({ options: { creds }, doing: 'pushing' });
}

beforeEach(async () => {
  await start();
});

afterEach(async () => {
  client.close();
  await registry.close();
});

const ref = () => parseReference(`${registry.host}/team/app:1`);

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) {
    yield bytes.subarray(at, at + 100_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const known: BlobSource = {
  open: (offset) => pieces(CONTENT.subarray(offset)),
  descriptor: { digest: DIGEST, size: CONTENT.length },
};

/** Its length and digest are known when it has been read. */
const streamed = {
  source: { open: () => pieces(CONTENT), descriptor: undefined } satisfies BlobSource,
  options: { finish: () => ({ digest: DIGEST, size: CONTENT.length }) },
};

const methods = (): string[] => registry.requests.map(({ method }) => method);

describe('uploading a blob', () => {
  it('asks first, then sends it', async () => {
    expect(await client.hasBlob(ref(), DIGEST)).toBe(false);
    expect(await client.uploadBlob(ref(), known)).toBe('pushed');
    expect(registry.blobs.get(DIGEST)?.equals(CONTENT)).toBe(true);
    expect(methods().slice(1)).toEqual(['HEAD', 'POST', 'PATCH', 'PUT']);
    expect(await client.uploadBlob(ref(), known)).toBe('present');
    expect(methods().at(-1)).toBe('HEAD');
  });

  it('sends what has no known length in chunks', async () => {
    expect(await client.uploadBlob(ref(), streamed.source, streamed.options)).toBe('pushed');
    expect(registry.blobs.get(DIGEST)?.equals(CONTENT)).toBe(true);
    expect(registry.requests[1]?.headers['transfer-encoding']).toBe('chunked');
  });

  it('mounts it from another repository', async () => {
    await registry.close();
    await start({ mounts: true });
    registry.addBlob(CONTENT);
    // The repository is asked first; this server has one set of blobs for all, so that answer is taken away.
    registry.fault({ path: /blobs\/sha256/, method: 'HEAD', fault: { kind: 'status', status: 404 } });
    expect(await client.uploadBlob(ref(), known, { mountFrom: ['library/base'] })).toEqual({
      mountedFrom: 'library/base',
    });
    expect(registry.log().at(-1)).toContain(`mount=${DIGEST}&from=library%2Fbase`);
  });

  it('sends it where mounting does not work', async () => {
    expect(await client.uploadBlob(ref(), known, { mountFrom: ['library/base'] })).toBe('pushed');
  });

  it('an empty blob', async () => {
    const digest = digestOf('');
    await client.uploadBlob(ref(), { open: () => pieces(Buffer.alloc(0)), descriptor: { digest, size: 0 } });
    expect(registry.blobs.has(digest)).toBe(true);
  });
});

describe('a broken upload', () => {
  it('goes on where the registry has it', async () => {
    registry.fault({
      path: /uploads\//,
      method: 'PATCH',
      times: 3,
      fault: { kind: 'cut-upload', afterBytes: 500_000 },
    });
    const progress: number[] = [];
    expect(await client.uploadBlob(ref(), known, { onProgress: (done) => progress.push(done) })).toBe(
      'pushed',
    );
    expect(registry.blobs.get(DIGEST)?.equals(CONTENT)).toBe(true);
    const ranges = registry.requests.flatMap(({ headers }) => headers['content-range'] ?? []);
    expect(ranges.at(-1)).toMatch(/^1[5-9]\d{5}-2999999$/);
    expect(progress.at(-1)).toBe(CONTENT.length);
  });

  it('begins anew where the registry has forgotten it', async () => {
    registry.fault({
      path: /uploads\//,
      method: 'PATCH',
      times: 1,
      fault: { kind: 'cut-upload', afterBytes: 500_000 },
    });
    registry.fault({ path: /uploads\//, method: 'GET', times: 1, fault: { kind: 'status', status: 404 } });
    expect(await client.uploadBlob(ref(), known)).toBe('pushed');
    expect(methods().filter((method) => method === 'POST')).toHaveLength(2);
  });

  it('of unknown length begins anew', async () => {
    registry.fault({
      path: /uploads\//,
      method: 'PATCH',
      times: 1,
      fault: { kind: 'cut-upload', afterBytes: 500_000 },
    });
    expect(await client.uploadBlob(ref(), streamed.source, streamed.options)).toBe('pushed');
    expect(registry.blobs.get(DIGEST)?.equals(CONTENT)).toBe(true);
  });

  it.each(['POST', 'PATCH', 'PUT'])('%s answered with 503 is done again', async (method) => {
    registry.fault({ path: /uploads/, method, times: 2, fault: { kind: 'status', status: 503 } });
    expect(await client.uploadBlob(ref(), known)).toBe('pushed');
    expect(registry.blobs.get(DIGEST)?.equals(CONTENT)).toBe(true);
  });

  it('whose last answer was lost is a blob by now', async () => {
    registry.fault({
      path: /uploads/,
      method: 'PUT',
      times: 1,
      fault: {
        kind: 'handle',
        handle: (request) => {
          registry.addBlob(CONTENT);
          registry.fault({ path: /uploads/, fault: { kind: 'status', status: 404 } });
          request.socket.resetAndDestroy();
        },
      },
    });
    expect(await client.uploadBlob(ref(), known)).toBe('pushed');
  });

  it('gives up in the end', async () => {
    registry.fault({ path: /uploads\//, method: 'PATCH', fault: { kind: 'hang-up' } });
    await expect(client.uploadBlob(ref(), known)).rejects.toThrow(/pushing ".*team\/app:1": blob sha256:/);
    expect(client.waits.length).toBe(4);
  });

  it('fails at once with what makes the content', async () => {
    const source: BlobSource = {
      open: () => {
        throw new Error('the disk is gone');
      },
      descriptor: known.descriptor,
    };
    await expect(client.uploadBlob(ref(), source)).rejects.toThrow('the disk is gone');
  });
});

describe('refusals', () => {
  it.each([
    [401, 'AUTH_FAILED', 'UNAUTHORIZED'],
    [403, 'AUTH_FAILED', 'DENIED'],
    [413, 'REGISTRY', undefined],
    [405, 'REGISTRY', 'UNSUPPORTED'],
  ])('status %i is %s', async (status, code, error) => {
    const body =
      error === undefined ? '<html>413</html>' : JSON.stringify({ errors: [{ code: error, message: 'no' }] });
    registry.fault({
      path: /uploads/,
      method: status === 413 ? 'PATCH' : 'POST',
      fault: { kind: 'status', status, body },
    });
    await expect(client.uploadBlob(ref(), known)).rejects.toMatchObject({ code, status });
    expect(client.waits).toEqual([]);
  });

  it.each(['ftp://elsewhere/x', 'http://169.254.169.254/latest', 'http://[', ''])(
    'goes nowhere unsafe: %j',
    async (location) => {
      registry.fault({
        path: /uploads/,
        method: 'POST',
        fault: { kind: 'status', status: 202, headers: { location } },
      });
      await expect(client.uploadBlob(ref(), known)).rejects.toMatchObject({ code: 'REGISTRY' });
    },
  );

  it('lets no login out to where uploads go on', async () => {
    await registry.close();
    await start({ auth: { kind: 'basic', user: 'u', password: 'p' } }, 'u:p');
    const other = await startRegistry();
    try {
      const post = await fetch(`${other.origin}/v2/x/blobs/uploads/`, { method: 'POST' });
      const location = `${other.origin}${post.headers.get('location')}`;
      registry.fault({
        path: /uploads/,
        method: 'POST',
        fault: { kind: 'status', status: 202, headers: { location } },
      });
      expect(await client.uploadBlob(ref(), known)).toBe('pushed');
      expect(other.blobs.has(DIGEST)).toBe(true);
      expect(other.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false);
    } finally {
      await other.close();
    }
  });

  it('asks for a token that may push', async () => {
    await registry.close();
    await start({ auth: { kind: 'bearer', user: 'u', password: 'p' } }, 'u:p');
    expect(await client.uploadBlob(ref(), known)).toBe('pushed');
    expect(registry.log().find((line) => line.includes('/token'))).toContain(
      'scope=repository%3Ateam%2Fapp%3Apull%2Cpush',
    );
  });
});

describe('manifests', () => {
  it('are put under the tag', async () => {
    const bytes = Buffer.from('{"schemaVersion":2}');
    await client.putManifest(ref(), { bytes, mediaType: 'application/vnd.oci.image.manifest.v1+json' });
    expect(registry.manifests.get('team/app@1')?.bytes.equals(bytes)).toBe(true);
  });

  it('that are refused say why', async () => {
    const body = JSON.stringify({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown' }] });
    registry.fault({ path: /manifests/, method: 'PUT', fault: { kind: 'status', status: 400, body } });
    await expect(
      client.putManifest(ref(), { bytes: Buffer.from('{}'), mediaType: 'application/json' }),
    ).rejects.toThrow('blob unknown (MANIFEST_BLOB_UNKNOWN)');
  });
});
