import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseReference } from '../../../src/core/reference.ts';
import { startProxy } from '../../helpers/proxy.ts';
import { pseudoRandom, startRegistry, tlsFixture } from '../../helpers/registry.ts';
import type { TestRegistry } from '../../helpers/registry.ts';
import { collect, testClient } from '../../helpers/registry-client.ts';

const CONTENT = pseudoRandom(500_000);

let registry: TestRegistry;
beforeEach(async () => {
  registry = await startRegistry();
});
afterEach(() => registry.close());

const ref = (host = registry.host) => parseReference(`${host}/team/app:v1`);

describe('offline', () => {
  test('no socket is opened, no name looked up, no helper run', async () => {
    registry.addImage('team/app', 'v1');
    const client = testClient({ config: { offline: true, mirrors: { [registry.host]: ['127.0.0.1:1'] } } });
    const blob = registry.addBlob(CONTENT);
    for (const work of [client.resolve(ref()), client.fetchManifest(ref()), client.fetchBlob(ref(), blob)]) {
      await expect(work).rejects.toMatchObject({
        code: 'OFFLINE',
        hint: expect.stringContaining('SKIFF_OFFLINE'),
      });
    }
    expect(registry.requests).toEqual([]);
    expect(client.warnings).toEqual([]);
  });
});

describe('no answer', () => {
  test('refused', async () => {
    const { port } = registry;
    await registry.close();
    const client = testClient();
    await expect(client.resolve(ref(`127.0.0.1:${port}`))).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      kind: 'refused',
      message: `pulling "127.0.0.1:${port}/team/app:v1": "127.0.0.1:${port}" refuses the connection`,
    });
    expect(client.waits).toEqual([]);
    registry = await startRegistry();
  });

  test('an unknown name', async () => {
    await expect(testClient().resolve(ref('registry.invalid'))).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      kind: 'dns',
      message: expect.stringContaining('"registry.invalid"'),
    });
  });

  test('headers that never come: tried again, then a time-out', async () => {
    registry.addImage('team/app', 'v1');
    registry.fault({ path: /manifests/, times: 1, fault: { kind: 'hang' } });
    const client = testClient({ timeouts: { headersMs: 150 } });
    await client.fetchManifest(ref());
    expect(client.waits).toHaveLength(1);
    registry.fault({ path: /manifests/, fault: { kind: 'hang' } });
    const impatient = testClient({ timeouts: { headersMs: 50 }, options: { retries: 1 } });
    await expect(impatient.fetchManifest(ref())).rejects.toMatchObject({ kind: 'timeout' });
  });

  test('a port that accepts and says nothing', async () => {
    const server = net.createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const client = testClient({ timeouts: { connectMs: 80 }, options: { retries: 0, tlsVerify: true } });
    await expect(client.resolve(ref(`127.0.0.1:${port}`))).rejects.toMatchObject({ kind: 'timeout' });
    server.close();
  });

  test('something that is not http', async () => {
    const server = net.createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const client = testClient({ options: { retries: 0 } });
    await expect(client.resolve(ref(`127.0.0.1:${port}`))).rejects.toMatchObject({ code: 'NETWORK_FAILED' });
    server.close();
  });

  test('a kept-alive connection that the registry closed meanwhile is replaced', async () => {
    registry.addImage('team/app', 'v1');
    const client = testClient();
    await client.fetchManifest(ref());
    registry.fault({ path: /manifests/, times: 1, fault: { kind: 'hang-up' } });
    await client.fetchManifest(ref());
    expect(client.waits).toEqual([]);
    expect(registry.requests).toHaveLength(3);
  });

  test('a fresh connection that is closed without an answer is tried again, with a pause', async () => {
    registry.addImage('team/app', 'v1');
    registry.fault({ path: /manifests/, times: 1, fault: { kind: 'hang-up' } });
    const client = testClient();
    await client.fetchManifest(ref());
    expect(client.waits).toHaveLength(1);
  });

  test('aborting before and during a request', async () => {
    registry.fault({ path: /./, fault: { kind: 'hang' } });
    const abort = new AbortController();
    const client = testClient({ signal: abort.signal, timeouts: { headersMs: 60_000 } });
    setTimeout(() => abort.abort(), 50);
    await expect(client.resolve(ref())).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(client.resolve(ref())).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('answers that pass', () => {
  test.each([429, 500, 502, 503, 504])('%i and then success', async (status) => {
    const { manifest } = registry.addImage('team/app', 'v1');
    registry.fault({ path: /manifests/, times: 2, fault: { kind: 'status', status } });
    const client = testClient();
    expect((await client.fetchManifest(ref())).descriptor).toEqual(manifest);
    expect(client.waits).toHaveLength(2);
  });

  test('429 with Retry-After waits that long', async () => {
    registry.addImage('team/app', 'v1');
    const headers = { 'retry-after': '3' };
    registry.fault({ path: /manifests/, times: 1, fault: { kind: 'status', status: 429, headers } });
    const client = testClient();
    await client.fetchManifest(ref());
    expect(client.waits[0]).toBeGreaterThanOrEqual(3000);
    expect(client.waits[0]).toBeLessThan(3300);
  });

  test('a used-up pull limit is told with its numbers and the login', async () => {
    const headers = {
      'ratelimit-limit': '100;w=21600',
      'ratelimit-remaining': '0;w=21600',
      'docker-ratelimit-source': '192.0.2.7',
    };
    const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your\\u001b[31m limit"}]}';
    registry.fault({ path: /./, fault: { kind: 'status', status: 429, headers, body } });
    const client = testClient();
    await expect(client.fetchManifest(ref())).rejects.toMatchObject({
      code: 'REGISTRY',
      status: 429,
      errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your [31m limit' }],
      message: expect.stringMatching(
        / limit \(TOOMANYREQUESTS\); limit 100 in 6 h, 0 left, counted for 192.0.2.7$/,
      ),
      hint: expect.stringContaining('you are not logged in to'),
    });
    expect(client.waits).toEqual([]);
  });

  test('a page of a proxy is shown shortly and clean', async () => {
    registry.fault({
      path: /./,
      fault: { kind: 'status', status: 501, body: `no\u001b[2J\n${'x'.repeat(100_000)}` },
    });
    const error = await testClient()
      .fetchManifest(ref())
      .catch((caught: unknown) => caught as Error);
    expect(error).toMatchObject({ status: 501 });
    expect((error as Error).message.length).toBeLessThan(300);
    expect((error as Error).message).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe('redirects', () => {
  test('of a blob drop the credentials on another host', async () => {
    const cdn = await startRegistry();
    await registry.close();
    const auth = { kind: 'basic', user: 'u', password: 'p' } as const;
    registry = await startRegistry({ auth, redirectBlobsTo: `http://localhost:${cdn.port}` });
    const blob = registry.addBlob(CONTENT);
    cdn.addBlob(CONTENT);
    const { body } = await testClient({ options: { creds: 'u:p' } }).fetchBlob(ref(), blob, { offset: 7 });
    expect((await collect(body)).equals(CONTENT.subarray(7))).toBe(true);
    expect(registry.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
    expect(cdn.requests).toHaveLength(1);
    expect(cdn.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(cdn.requests[0]?.headers.range).toBe('bytes=7-');
    await cdn.close();
  });

  test('a 401 of the other host gets no password either, and no secret of the link is shown', async () => {
    const cdn = await startRegistry();
    cdn.fault({
      path: /./,
      fault: {
        kind: 'status',
        status: 401,
        headers: { 'www-authenticate': `Bearer realm="${cdn.origin}/token"` },
      },
    });
    await registry.close();
    registry = await startRegistry({ redirectBlobsTo: cdn.origin });
    const blob = registry.addBlob(CONTENT);
    const error = await testClient({ options: { creds: 'u:p' } })
      .fetchBlob(ref(), blob)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ status: 401, url: expect.stringContaining('signature=REDACTED') });
    expect(cdn.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    await cdn.close();
  });

  test('on the same host keep them', async () => {
    const auth = { kind: 'basic', user: 'u', password: 'p' } as const;
    await registry.close();
    registry = await startRegistry({ auth });
    registry.addImage('team/app', 'v2');
    const moved = {
      kind: 'status',
      status: 301,
      headers: { location: '/v2/team/app/manifests/v2' },
    } as const;
    registry.fault({ path: /manifests\/v1/, after: 1, fault: moved });
    await testClient({ options: { creds: 'u:p' } }).fetchManifest(ref());
    expect(registry.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
  });

  test.each([
    ['in circles', '/v2/team/app/manifests/v1', /in circles/],
    ['to a file', 'file:///etc/passwd', /is not http/],
    ['to nonsense', 'http://[', /not a URL/],
  ])('%s are refused', async (_what, location, message) => {
    registry.fault({ path: /./, fault: { kind: 'status', status: 307, headers: { location } } });
    await expect(testClient().fetchManifest(ref())).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringMatching(message),
    });
  });

  test('from https to http are refused', async () => {
    const plain = await startRegistry();
    await registry.close();
    registry = await startRegistry({ tls: 'server', redirectBlobsTo: plain.origin });
    const blob = registry.addBlob(CONTENT);
    plain.addBlob(CONTENT);
    await expect(testClient().fetchBlob(ref(), blob)).rejects.toMatchObject({
      code: 'REGISTRY',
      message: expect.stringContaining('from https to plain http'),
    });
    expect(plain.requests).toEqual([]);
    await plain.close();
  });
});

describe('mirrors', () => {
  const withMirrors = (...mirrors: string[]) => ({ config: { mirrors: { [registry.host]: mirrors } } });

  test('are asked first, and what they have does not come from the registry', async () => {
    const mirror = await startRegistry();
    const { manifest, config } = mirror.addImage('proxy/team/app', 'v1');
    registry.addImage('team/app', 'v1');
    const client = testClient(withMirrors(`${mirror.host}/proxy`));
    expect((await client.fetchManifest(ref())).descriptor).toEqual(manifest);
    await client.fetchBlobBytes(ref(), config);
    expect(mirror.requests).toHaveLength(2);
    expect(registry.requests).toEqual([]);
    await mirror.close();
  });

  test('that lack an image, are down, broken or lie are passed over', async () => {
    const without = await startRegistry();
    const broken = await startRegistry();
    broken.fault({ path: /./, fault: { kind: 'status', status: 500 } });
    const liar = await startRegistry({ noDigestHeader: true });
    const { manifest } = registry.addImage('team/app', 'v1');
    liar.addManifest('team/app', ['v1', manifest.digest], { config: {}, layers: [] }, 'application/json');
    const client = testClient(withMirrors('127.0.0.1:1', without.host, broken.host, liar.host));
    const byDigest = parseReference(`${registry.host}/team/app@${manifest.digest}`);
    expect((await client.fetchManifest(byDigest)).descriptor).toEqual(manifest);
    expect(client.warnings.map((text) => text.replace(/"127.0.0.1:\d+"/g, 'M').slice(0, 30))).toEqual([
      'the mirror M is passed over: p',
      'the mirror M is passed over: p',
      'the mirror M is passed over: p',
    ]);
    await client.fetchManifest(byDigest);
    // The one that is down is not tried again; there is still one warning about it.
    expect(client.warnings.filter((text) => text.includes('refuses'))).toHaveLength(1);
    await Promise.all([without.close(), broken.close(), liar.close()]);
  });

  test('that break off in a blob: the rest comes from the registry', async () => {
    const mirror = await startRegistry();
    const blob = mirror.addBlob(CONTENT);
    registry.addBlob(CONTENT);
    mirror.fault({ path: /./, times: 1, fault: { kind: 'truncate', afterBytes: 100_000 } });
    mirror.fault({ path: /./, fault: { kind: 'truncate', afterBytes: 0 } });
    const { body } = await testClient(withMirrors(mirror.host)).fetchBlob(ref(), blob);
    expect((await collect(body)).equals(CONTENT)).toBe(true);
    expect(registry.requests[0]?.headers.range).toBe('bytes=100000-');
    await mirror.close();
  });

  test('can be left out, when what they sent was wrong', async () => {
    const mirror = await startRegistry();
    const blob = registry.addBlob(CONTENT);
    const { body } = await testClient(withMirrors(mirror.host)).fetchBlob(ref(), blob, { skipMirrors: true });
    expect(await collect(body)).toHaveLength(CONTENT.length);
    expect(mirror.requests).toEqual([]);
    await mirror.close();
  });

  test('get no --creds', async () => {
    const mirror = await startRegistry({ auth: { kind: 'basic', user: 'u', password: 'p' } });
    registry.addImage('team/app', 'v1');
    const client = testClient({ ...withMirrors(mirror.host), options: { creds: 'u:p' } });
    await client.fetchManifest(ref());
    expect(mirror.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    await mirror.close();
  });

  test('the error is the one of the registry', async () => {
    const mirror = await startRegistry();
    mirror.fault({ path: /./, fault: { kind: 'status', status: 403 } });
    await expect(testClient(withMirrors(mirror.host)).fetchManifest(ref())).rejects.toMatchObject({
      errors: [{ code: 'NAME_UNKNOWN' }],
    });
    await mirror.close();
  });
});

describe('proxies', () => {
  test('https goes through a tunnel, with the credentials of the proxy', async () => {
    const secure = await startRegistry({ tls: 'server' });
    const { config } = secure.addImage('team/app', 'v1');
    const proxy = await startProxy(secure.port);
    const env = { HTTPS_PROXY: proxy.url.replace('//', '//pu:p%20w@'), SSL_CERT_FILE: tlsFixture('ca.crt') };
    const client = testClient({ env });
    await client.fetchManifest(ref('registry.test'));
    await client.fetchBlobBytes(ref('registry.test'), config);
    expect(proxy.requests).toEqual([
      {
        line: 'CONNECT registry.test:443',
        authorization: `Basic ${Buffer.from('pu:p w').toString('base64')}`,
      },
    ]);
    expect(secure.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
    expect(secure.requests[0]?.headers.host).toBe('registry.test');
    await Promise.all([secure.close(), proxy.close()]);
  });

  test('the certificate behind a tunnel is checked', async () => {
    const secure = await startRegistry({ tls: 'elsewhere' });
    const proxy = await startProxy(secure.port);
    const env = { https_proxy: proxy.url, SSL_CERT_FILE: tlsFixture('ca.crt') };
    await expect(testClient({ env }).resolve(ref('registry.test'))).rejects.toMatchObject({
      kind: 'certificate',
    });
    await Promise.all([secure.close(), proxy.close()]);
  });

  test('http is asked for by its whole URL', async () => {
    registry.addImage('team/app', 'v1');
    const proxy = await startProxy(registry.port, { refuse: 403 });
    const config = { insecureRegistries: ['registry.test'] };
    await testClient({
      env: { http_proxy: proxy.url, HTTPS_PROXY: '' },
      config: { mirrors: { 'registry.test': ['http://registry.test'] }, ...config },
    }).fetchManifest(ref('registry.test'));
    expect(proxy.requests[0]?.line).toBe('GET http://registry.test/v2/team/app/manifests/v1');
    expect(registry.requests[0]?.headers.host).toBe('registry.test');
    await proxy.close();
  });

  test.each([
    [407, /asks for a user and password/],
    [403, /refuses a tunnel to registry.test:443 \(status 403\)/],
  ])('one that answers %i is named', async (refuse, message) => {
    const proxy = await startProxy(registry.port, { refuse });
    const env = { HTTPS_PROXY: proxy.url.replace('//', '//u:secret@') };
    const error = await testClient({ env })
      .resolve(ref('registry.test'))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: 'proxy', message: expect.stringMatching(message) });
    expect(String(error)).not.toContain('secret');
    await proxy.close();
  });

  test('one that speaks TLS itself, for https and http', async () => {
    const secure = await startRegistry({ tls: 'server' });
    secure.addImage('team/app', 'v1');
    registry.addImage('team/app', 'v1');
    const tunnel = await startProxy(secure.port, { tls: true });
    const plain = await startProxy(registry.port, { tls: true });
    const env = { HTTPS_PROXY: tunnel.url, HTTP_PROXY: plain.url, SSL_CERT_FILE: tlsFixture('ca.crt') };
    await testClient({ env }).fetchManifest(ref('registry.test'));
    const mirrors = { 'registry.test': ['http://registry.test'] };
    await testClient({ env, config: { mirrors } }).fetchManifest(ref('registry.test'));
    expect(tunnel.requests.map(({ line }) => line)).toEqual(['CONNECT registry.test:443']);
    expect(plain.requests.map(({ line }) => line)).toEqual([
      'GET http://registry.test/v2/team/app/manifests/v1',
    ]);
    // Its certificate is checked.
    await expect(
      testClient({ env: { HTTPS_PROXY: tunnel.url } }).resolve(ref('registry.test')),
    ).rejects.toMatchObject({ code: 'NETWORK_FAILED' });
    await Promise.all([secure.close(), tunnel.close(), plain.close()]);
  });

  test('one that is down is named', async () => {
    const proxy = await startProxy(1);
    await proxy.close();
    await expect(
      testClient({ env: { HTTPS_PROXY: proxy.url } }).resolve(ref('registry.test')),
    ).rejects.toMatchObject({
      kind: 'proxy',
      message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    });
  });
});
