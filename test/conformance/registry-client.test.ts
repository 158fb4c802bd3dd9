// The registry client against Debian's docker-registry (the reference implementation of the distribution-spec), open,
// behind a password and by TLS, with images that skopeo pushed.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { parseReference } from '../../src/core/reference.ts';
import type { RegistryOptions } from '../../src/registry/types.ts';
import type { Manifest } from '../../src/oci/image.ts';
import { PASSWORD, PASSWORD_USER, startDockerRegistry } from '../helpers/docker-registry.ts';
import type { RunningRegistry } from '../helpers/docker-registry.ts';
import { exec } from '../helpers/exec.ts';
import { writeOciLayout } from '../helpers/oci-layout.ts';
import { pseudoRandom, tlsFixture } from '../helpers/registry.ts';
import { collect, testClient } from '../helpers/registry-client.ts';
import { requires } from '../helpers/requires.ts';

const TAR = Buffer.concat([Buffer.alloc(1024), pseudoRandom(3_000_000)]);

let dir: string;
let registry: RunningRegistry | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-conformance-'));
});
afterEach(async () => {
  await registry?.stop();
  registry = undefined;
  rmSync(dir, { recursive: true, force: true });
});

/** Fills a registry through its plain form, then serves the same data as `how` says. */
async function start(how: { password?: boolean; tls?: boolean }): Promise<RunningRegistry> {
  writeOciLayout(`${dir}/layout`, 'v1', { layers: [{ tar: TAR, compression: 'none' }] });
  const data = `${dir}/data`;
  const open = await startDockerRegistry({ data, dir: `${dir}/open` });
  const target = `docker://${open.address}/team/app`;
  await exec('skopeo', ['copy', '-q', '--dest-tls-verify=false', `oci:${dir}/layout:v1`, `${target}:oci`]);
  const docker = ['copy', '-q', '--dest-tls-verify=false', '--format', 'v2s2'];
  await exec('skopeo', [...docker, `oci:${dir}/layout:v1`, `${target}:docker`]);
  await open.stop();
  registry = await startDockerRegistry({
    data,
    dir: `${dir}/served`,
    password: how.password ?? false,
    ...(how.tls === true
      ? { tls: { certificate: tlsFixture('server.crt'), key: tlsFixture('server.key') } }
      : {}),
  });
  return registry;
}

async function pullAll(
  address: string,
  options: RegistryOptions,
  env: Record<string, string> = {},
): Promise<void> {
  const client = testClient({ options, env, timeouts: { headersMs: 30_000, stallMs: 30_000 } });
  const tags: string[] = [];
  for await (const tag of client.listTags(parseReference(`${address}/team/app`))) tags.push(tag);
  expect(tags.sort()).toEqual(['docker', 'oci']);
  for (const tag of tags) {
    const ref = parseReference(`${address}/team/app:${tag}`);
    const { descriptor, bytes } = await client.fetchManifest(ref);
    expect(await client.resolve(ref)).toEqual(descriptor);
    const manifest = JSON.parse(Buffer.from(bytes).toString()) as Manifest;
    expect(digestOf(await client.fetchBlobBytes(ref, manifest.config))).toBe(manifest.config.digest);
    const [layer] = manifest.layers;
    const whole = await collect((await client.fetchBlob(ref, layer!)).body);
    expect(digestOf(whole)).toBe(layer!.digest);
    const { body, rangeHonoured } = await client.fetchBlob(ref, layer!, { offset: 1_000_001 });
    expect(rangeHonoured).toBe(true);
    expect((await collect(body)).equals(whole.subarray(1_000_001))).toBe(true);
  }
  client.close();
}

test('plain http on loopback', async (context) => {
  requires(context, 'registry');
  const { address, logFile } = await start({});
  await pullAll(address, {});
  expect(readFileSync(logFile, 'utf8')).toMatch(/skiff\/\d/);
  await expect(testClient().fetchManifest(parseReference(`${address}/alpin:3`))).rejects.toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    status: 404,
  });
});

test('behind a password', async (context) => {
  requires(context, 'registry', 'registry-password');
  const { address } = await start({ password: true });
  await pullAll(address, { creds: `${PASSWORD_USER}:${PASSWORD}` });
  await expect(pullAll(address, {})).rejects.toMatchObject({ code: 'AUTH_FAILED', status: 401 });
  await expect(pullAll(address, { creds: `${PASSWORD_USER}:wrong` })).rejects.toMatchObject({
    code: 'AUTH_FAILED',
  });
});

test('by TLS of a private CA, strictly', async (context) => {
  requires(context, 'registry');
  const { address } = await start({ tls: true });
  await pullAll(address, { tlsVerify: true }, { SSL_CERT_FILE: tlsFixture('ca.crt') });
  await expect(pullAll(address, { tlsVerify: true })).rejects.toMatchObject({
    code: 'NETWORK_FAILED',
    kind: 'certificate',
  });
});
