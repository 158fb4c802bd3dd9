import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parseReference } from '../../../src/core/reference.ts';
import { pseudoRandom, startRegistry } from '../../helpers/registry.ts';
import type { TestRegistry, TestRegistryOptions } from '../../helpers/registry.ts';
import { collect, testClient } from '../../helpers/registry-client.ts';

let registry: TestRegistry;
const dirs: string[] = [];
afterEach(async () => {
  await registry.close();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

async function start(options: TestRegistryOptions) {
  registry = await startRegistry(options);
  const image = registry.addImage('team/app', 'v1');
  return { ref: parseReference(`${registry.host}/team/app:v1`), image };
}

/** An --authfile with one entry for the registry. */
function authFile(entry: object): string {
  const dir = mkdtempSync(join(tmpdir(), 'skiff-auth-'));
  dirs.push(dir);
  writeFileSync(join(dir, 'auth.json'), JSON.stringify({ auths: { [registry.host]: entry } }));
  return join(dir, 'auth.json');
}

const authorizations = () =>
  registry.requests.map(({ headers }) => headers.authorization?.split(' ')[0] ?? 'none');

describe('basic', () => {
  const auth = { kind: 'basic', user: 'bob', password: 'pa:ß' } as const;

  test('is sent once it was asked for, and from then on at once', async () => {
    const { ref, image } = await start({ auth });
    const client = testClient({ options: { creds: 'bob:pa:ß' } });
    await client.fetchManifest(ref);
    await client.fetchBlobBytes(ref, image.config);
    expect(authorizations()).toEqual(['none', 'Basic', 'Basic']);
  });

  test('without a login it says where one could be put', async () => {
    const { ref } = await start({ auth });
    await expect(testClient().fetchManifest(ref)).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      status: 401,
      message: expect.stringContaining('the repository does not exist or needs a login (UNAUTHORIZED'),
      hint: expect.stringMatching(
        /skiff login 127\.0\.0\.1:\d+ \(it writes to \/nonexistent\/\.docker\/config\.json\), or pass --creds USER:PASSWORD/,
      ),
    });
    expect(authorizations()).toEqual(['none']);
  });

  test('with a wrong one it names the user and the source, never the password, and does not try again', async () => {
    const { ref } = await start({ auth });
    const error = await failure(testClient({ options: { creds: 'bob:wrong-secret' } }).fetchManifest(ref));
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      hint: expect.stringContaining('the user "bob" from --creds'),
    });
    expect(JSON.stringify(error) + String(error)).not.toContain('wrong-secret');
    expect(authorizations()).toEqual(['none', 'Basic']);
  });
});

describe('bearer', () => {
  test.each(['token', 'access_token'] as const)('anonymous, answered as %s', async (field) => {
    const { ref, image } = await start({ auth: { kind: 'bearer', field } });
    const client = testClient();
    await client.fetchManifest(ref);
    await client.fetchBlobBytes(ref, image.config);
    expect(registry.log()).toEqual([
      'GET /v2/team/app/manifests/v1',
      'GET /token?service=test+service&scope=repository%3Ateam%2Fapp%3Apull',
      'GET /v2/team/app/manifests/v1',
      `GET /v2/team/app/blobs/${image.config.digest}`,
    ]);
    expect(authorizations()).toEqual(['none', 'none', 'Bearer', 'Bearer']);
  });

  test('with user and password', async () => {
    const { ref } = await start({ auth: { kind: 'bearer', user: 'bob', password: 'pw' } });
    await testClient({ options: { creds: 'bob:pw' } }).fetchManifest(ref);
    expect(registry.requests[1]).toMatchObject({ path: expect.stringContaining('account=bob') });
    expect(authorizations()).toEqual(['none', 'Basic', 'Bearer']);
  });

  test('with an identity token, by POST', async () => {
    const { ref } = await start({ auth: { kind: 'bearer', identityToken: 'id+tok/en=' } });
    const options = { authFile: authFile({ identitytoken: 'id+tok/en=' }) };
    await testClient({ options }).fetchManifest(ref);
    const { method, path, body } = registry.requests[1]!;
    expect([method, path]).toEqual(['POST', '/token']);
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'id+tok/en=',
      client_id: 'skiff',
      service: 'test service',
      scope: 'repository:team/app:pull',
    });
  });

  test('with a registry token as it is', async () => {
    const { ref } = await start({ auth: { kind: 'bearer' } });
    const options = { authFile: authFile({ registrytoken: 'given' }) };
    await expect(testClient({ options }).fetchManifest(ref)).rejects.toMatchObject({ code: 'AUTH_FAILED' });
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer given',
    ]);
  });

  test('a token that is used up is replaced, also in the middle of a pull', async () => {
    const { ref, image } = await start({ auth: { kind: 'bearer', uses: 2 } });
    const client = testClient();
    for (let i = 0; i < 5; i++) await client.fetchBlobBytes(ref, image.config);
    expect(registry.log().filter((line) => line.includes('/token'))).toHaveLength(3);
  });

  test('an expired token is not even tried', async () => {
    const { ref, image } = await start({ auth: { kind: 'bearer', expiresIn: 0.001 } });
    const client = testClient();
    await client.fetchBlobBytes(ref, image.config);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await client.fetchBlobBytes(ref, image.config);
    expect(authorizations()).toEqual(['none', 'none', 'Bearer', 'none', 'Bearer']);
  });

  test('parallel requests share one token request', async () => {
    const { ref } = await start({ auth: { kind: 'bearer' } });
    const blobs = Array.from({ length: 8 }, (_, i) => registry.addBlob(pseudoRandom(1000, `${i}`)));
    const client = testClient();
    await Promise.all(blobs.map(async (blob) => collect((await client.fetchBlob(ref, blob)).body)));
    expect(registry.log().filter((line) => line.includes('/token'))).toHaveLength(1);
  });

  test('each repository has a token of its own', async () => {
    const { ref } = await start({ auth: { kind: 'bearer' } });
    registry.addImage('other', 'v1');
    const client = testClient();
    await client.fetchManifest(ref);
    await client.fetchManifest(parseReference(`${registry.host}/other:v1`));
    const tokens = registry.log().filter((line) => line.includes('/token'));
    expect(tokens[1]).toBe('GET /token?service=test+service&scope=repository%3Aother%3Apull');
    expect(tokens).toHaveLength(2);
  });

  test('a refused login is AUTH_FAILED with what the token server says', async () => {
    const { ref } = await start({ auth: { kind: 'bearer', user: 'bob', password: 'pw' } });
    const error = await failure(testClient({ options: { creds: 'bob:wrong-secret' } }).fetchManifest(ref));
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringMatching(
        /the token server "127.0.0.1:\d+" refused the login \(status 401: incorrect username or password\)$/,
      ),
      hint: 'check the user and password from --creds',
    });
    expect(JSON.stringify(error) + String(error)).not.toContain('wrong-secret');
  });

  test.each([
    ['no JSON', 'hello'],
    ['no token', '{"expires_in":5}'],
    ['a header in the token', '{"token":"a\\r\\nX-Evil: 1"}'],
    ['null', 'null'],
  ])('%s from the token server is refused', async (_what, body) => {
    const { ref } = await start({ auth: { kind: 'bearer' } });
    registry.fault({ path: /^\/token/, fault: { kind: 'status', status: 200, body } });
    await expect(testClient().fetchManifest(ref)).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringContaining('sent no token'),
    });
  });

  test.each([
    ['http://tokens.example.test/token', /would get the password over plain http/],
    ['http://169.254.169.254/latest/token', /has a link-local address/],
    ['file:///etc/passwd', /is not http/],
    ['http://[', /is not a URL/],
  ])('the realm %s is refused', async (realm, message) => {
    const { ref } = await start({ auth: { kind: 'bearer', realm } });
    await expect(testClient({ options: { creds: 'bob:pw' } }).fetchManifest(ref)).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringMatching(message),
    });
    expect(registry.requests).toHaveLength(1);
  });
});

test('a scheme that is not known is reported as the refusal it is', async () => {
  const { ref } = await start({});
  registry.fault({
    path: /manifests/,
    fault: { kind: 'status', status: 401, headers: { 'www-authenticate': 'Negotiate' }, body: 'x' },
  });
  await expect(testClient().fetchManifest(ref)).rejects.toMatchObject({
    code: 'AUTH_FAILED',
    message: expect.stringContaining('the registry asks for a login (status 401)'),
  });
});

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it worked');
}
