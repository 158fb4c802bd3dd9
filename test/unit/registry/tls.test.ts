import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseReference } from '../../../src/core/reference.ts';
import type { RegistryOptions } from '../../../src/registry/types.ts';
import { startRegistry, tlsFixture } from '../../helpers/registry.ts';
import type { TestRegistry, TestRegistryOptions } from '../../helpers/registry.ts';
import { testClient } from '../../helpers/registry-client.ts';

let registry: TestRegistry | undefined;
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'skiff-tls-'));
});
afterEach(async () => {
  await registry?.close();
  registry = undefined;
  rmSync(home, { recursive: true });
});

async function start(options: TestRegistryOptions = { tls: 'server' }): Promise<TestRegistry> {
  registry = await startRegistry(options);
  registry.addImage('app', 'v1');
  return registry;
}

function fetch(options: RegistryOptions, env: Record<string, string> = {}) {
  const client = testClient({ options, env: { HOME: home, ...env } });
  return client.fetchManifest(parseReference(`${registry!.host}/app:v1`));
}

/** A folder below the home with copies of fixtures: `ca.crt`, `client.cert` … */
function certs(path: string, files: Record<string, string>): string {
  const dir = join(home, path);
  mkdirSync(dir, { recursive: true });
  for (const [name, fixture] of Object.entries(files)) copyFileSync(tlsFixture(fixture), join(dir, name));
  return dir;
}

describe('a private CA', () => {
  test('is unknown at first, and the hint says where to put it', async () => {
    const { host } = await start();
    await expect(fetch({ tlsVerify: true })).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      kind: 'certificate',
      message: expect.stringContaining('signed by an unknown authority'),
      hint: expect.stringContaining(`certs.d/${host}/ca.crt`),
    });
  });

  test('is found by --cert-dir', async () => {
    await start();
    await fetch({ tlsVerify: true, certDir: certs('c', { 'any-name.crt': 'ca.crt' }) });
  });

  test.each(['containers', 'docker'])('is found in ~/.config/%s/certs.d', async (engine) => {
    const { host } = await start();
    certs(`.config/${engine}/certs.d/${host}`, { 'ca.crt': 'ca.crt' });
    await fetch({ tlsVerify: true });
  });

  test('of another registry is not used', async () => {
    await start();
    certs('.config/containers/certs.d/127.0.0.1:1', { 'ca.crt': 'ca.crt' });
    await expect(fetch({ tlsVerify: true })).rejects.toMatchObject({ kind: 'certificate' });
  });

  test('is found by SSL_CERT_FILE and SSL_CERT_DIR', async () => {
    await start();
    await fetch({ tlsVerify: true }, { SSL_CERT_FILE: tlsFixture('ca.crt') });
    const dir = certs('dir', { '12345678.0': 'ca.crt' });
    await fetch({ tlsVerify: true }, { SSL_CERT_DIR: `/nonexistent:${dir}` });
  });

  test('may come in a bundle after others', async () => {
    await start();
    const file = join(home, 'bundle.pem');
    writeFileSync(
      file,
      `# roots\n${readFileSync(tlsFixture('elsewhere.crt'), 'utf8')}${readFileSync(tlsFixture('ca.crt'), 'utf8')}`,
    );
    await fetch({ tlsVerify: true }, { SSL_CERT_FILE: file });
  });
});

describe('a certificate that is', () => {
  test.each([
    ['for another name', 'elsewhere', /is for another name/],
    ['expired', 'expired', /has expired/],
  ] as const)('%s is refused', async (_what, tls, message) => {
    await start({ tls });
    const certDir = certs('c', { 'ca.crt': 'ca.crt' });
    await expect(fetch({ tlsVerify: true, certDir })).rejects.toMatchObject({
      kind: 'certificate',
      message: expect.stringMatching(message),
    });
    await fetch({ tlsVerify: false });
  });
});

describe('a client certificate', () => {
  const options: TestRegistryOptions = { tls: 'server', clientCertificate: true };
  const pair = { 'ca.crt': 'ca.crt', 'client.cert': 'client.crt', 'client.key': 'client.key' };

  test('is asked for', async () => {
    await start(options);
    await expect(
      fetch({ tlsVerify: true, certDir: certs('c', { 'ca.crt': 'ca.crt' }) }),
    ).rejects.toMatchObject({
      code: 'NETWORK_FAILED',
      message: expect.stringContaining('asks for a client certificate'),
    });
  });

  test('is taken from --cert-dir and from certs.d', async () => {
    const { host, requests } = await start(options);
    await fetch({ tlsVerify: true, certDir: certs('c', pair) });
    certs(`.config/containers/certs.d/${host}`, pair);
    await fetch({ tlsVerify: true });
    expect(requests.map(({ clientCertificate }) => clientCertificate)).toEqual([true, true]);
  });

  test('is not shown to the host a blob is redirected to', async () => {
    const cdn = await startRegistry({ tls: 'server' });
    const config = cdn.addBlob(Buffer.from('{}'));
    const origin = `https://localhost:${cdn.port}`;
    const { host, requests } = await start({ ...options, redirectBlobsTo: origin });
    registry!.addBlob(Buffer.from('{}'));
    const client = testClient({
      options: { tlsVerify: true, certDir: certs('c', pair) },
      env: { HOME: home },
    });
    await client.fetchBlobBytes(parseReference(`${host}/app:v1`), config);
    expect(requests[0]?.clientCertificate).toBe(true);
    expect(cdn.requests[0]?.clientCertificate).toBe(false);
    await cdn.close();
  });

  test.each([
    [{ 'client.cert': 'client.crt' }, /"client.key" is missing beside it/],
    [{ 'ca.crt': 'client.key' }, /not a PEM certificate/],
    [{ 'client.cert': 'client.crt', 'client.key': 'server.key' }, /not a certificate with its key/],
  ])('%j is refused by name', async (files, message) => {
    await start(options);
    await expect(
      fetch({ tlsVerify: true, certDir: certs('c', files as Record<string, string>) }),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('a --cert-dir that is not there is an error', async () => {
    await start();
    await expect(fetch({ certDir: join(home, 'nowhere') })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('which registries may do without', () => {
  test('loopback: TLS is tried first and not verified, then plain http', async () => {
    await start({ tls: 'expired' });
    await fetch({});
    await registry!.close();
    await start({});
    await fetch({});
  });

  test('the scheme that answered is kept', async () => {
    await start({});
    const client = testClient();
    const ref = parseReference(`${registry!.host}/app:v1`);
    await Promise.all([client.fetchManifest(ref), client.resolve(ref), client.fetchManifest(ref)]);
    expect(registry!.requests).toHaveLength(3);
    // One that tried TLS, and one for each request.
    expect(registry!.connections()).toBe(4);
  });

  test('IPv6 loopback', async () => {
    await start({ host: '::1' });
    await fetch({});
  });

  test('--tls-verify=true demands it even there, and the error says what the port speaks', async () => {
    const { host } = await start({});
    await expect(fetch({ tlsVerify: true })).rejects.toMatchObject({
      kind: 'not-tls',
      message: expect.stringContaining('it seems to be a plain http registry'),
      hint: expect.stringContaining(`SKIFF_INSECURE_REGISTRIES=${host}`),
    });
  });
});

test('a port that hangs up on TLS may be plain http', async () => {
  await start({ hangUpOnGarbage: true });
  await fetch({});
});

test('a registry of TLS that hangs up is not spoken to in plain http', async () => {
  await start({ hangUpOnGarbage: true });
  // The port speaks http, and answers 400 as Go's TLS servers answer plain http: what failed first is reported.
  registry!.fault({
    path: /./,
    fault: { kind: 'status', status: 400, body: 'Client sent an HTTP request to an HTTPS server.' },
  });
  await expect(fetch({ retries: 0 })).rejects.toMatchObject({
    kind: 'reset',
    message: expect.stringContaining('closed the connection during the TLS handshake'),
  });
});
