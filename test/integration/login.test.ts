// `skiff login` and `logout` against docker-registry with a password.

import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  PASSWORD,
  PASSWORD_USER,
  startDockerRegistry,
  type RunningRegistry,
} from '../helpers/docker-registry.ts';
import { sandbox } from '../helpers/engine.ts';

const skiff = sandbox();
let registry: RunningRegistry;
let file: string;

beforeAll(async () => {
  const folder = `${skiff.dir}-registries`;
  mkdirSync(folder);
  registry = await startDockerRegistry({ data: `${folder}/data`, dir: `${folder}/server`, password: true });
  file = `${skiff.dir}/docker/config.json`;
});

afterAll(async () => {
  await registry.stop();
  rmSync(`${skiff.dir}-registries`, { recursive: true, force: true });
});

const env = (): Record<string, string> => ({ DOCKER_CONFIG: `${skiff.dir}/docker` });
const stored = (): Record<string, unknown> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

describe('login', () => {
  test('keeps what the registry takes, and nothing else', async () => {
    await skiff.run(['login', '-u', PASSWORD_USER, '--password-stdin', registry.address], {
      status: 125,
      stdin: 'wrong\n',
      stderr: /logging in to "127[^]*/,
      env: env(),
    });
    expect(() => stored()).toThrow();
    await skiff.run(['login', '-u', PASSWORD_USER, '--password-stdin', `http://${registry.address}/v2/`], {
      stdin: `${PASSWORD}\n`,
      stdout: 'Login Succeeded\n',
      stderr: /^WARNING! Your password will be stored unencrypted in [^\n]*config\.json\.\n/,
      env: env(),
    });
    const auth = Buffer.from(`${PASSWORD_USER}:${PASSWORD}`).toString('base64');
    expect(stored()).toEqual({ auths: { [registry.address]: { auth } } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('logout forgets it and keeps the rest', async () => {
    writeFileSync(file, JSON.stringify({ ...stored(), detachKeys: 'ctrl-q' }));
    await skiff.run(['logout', registry.address], {
      stdout: `Removing login credentials for ${registry.address}\n`,
      env: env(),
    });
    expect(stored()).toEqual({ auths: {}, detachKeys: 'ctrl-q' });
    await skiff.run(['logout', registry.address], {
      stdout: `Not logged in to ${registry.address}\n`,
      env: env(),
    });
  });

  test('a credential helper keeps it instead of the file', async () => {
    const bin = `${skiff.dir}/bin`;
    mkdirSync(bin);
    writeFileSync(`${bin}/docker-credential-test`, `#!/bin/sh\ncat > ${skiff.dir}/$1\n`);
    chmodSync(`${bin}/docker-credential-test`, 0o755);
    chmodSync(skiff.dir, 0o777);
    writeFileSync(file, JSON.stringify({ credHelpers: { [registry.address]: 'test' } }));
    const helped = { ...env(), PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    await skiff.run(['login', '-u', PASSWORD_USER, '-p', PASSWORD, registry.address], {
      stdout: 'Login Succeeded\n',
      stderr: 'WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n',
      env: helped,
    });
    expect(JSON.parse(readFileSync(`${skiff.dir}/store`, 'utf8'))).toEqual({
      ServerURL: registry.address,
      Username: PASSWORD_USER,
      Secret: PASSWORD,
    });
    expect(JSON.stringify(stored())).not.toContain(Buffer.from(PASSWORD).toString('base64').slice(0, 8));
    await skiff.run(['logout', registry.address], { stdout: /^Removing/, env: helped });
    expect(readFileSync(`${skiff.dir}/erase`, 'utf8')).toBe(`${registry.address}\n`);
  });

  test.each([
    [['-u', 'x', '-p', 'y', '--password-stdin'], /mutually exclusive/],
    [['--password-stdin'], /must provide --username/],
    [['-u', 'x'], /cannot perform an interactive login/],
    [['-u', 'x', '-p', 'y', 'not a registry'], /not the name of a registry/],
  ] as const)('%j is refused', async (args, stderr) => {
    await skiff.run(['login', ...args], { status: 1, stdout: '', stderr, stdin: '', env: env() });
  });
});
