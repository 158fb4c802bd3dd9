import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/core/errors.ts';
import { findLogin } from '../../../src/registry/credentials.ts';
import type { Login } from '../../../src/registry/credentials.ts';
import type { RegistryOptions } from '../../../src/registry/types.ts';

let home: string;
let warnings: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'skiff-credentials-'));
  warnings = [];
});
afterEach(() => rmSync(home, { recursive: true }));

function put(path: string, content: unknown, mode?: number): string {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  if (mode !== undefined) chmodSync(file, mode);
  return file;
}

function auths(user: string, registry = 'r.io') {
  return { auths: { [registry]: { auth: Buffer.from(`${user}:pw`).toString('base64') } } };
}

function find(
  env: Record<string, string> = {},
  options: RegistryOptions = {},
  registry = 'r.io',
): Promise<Login> {
  const log = { warn: (text: string) => warnings.push(text), info() {}, debug() {} };
  const all = { PATH: `${home}/bin:/usr/bin:/bin`, ...env };
  return findLogin({ env: all, home, options, log }, registry, 'team/app');
}

describe('the order of sources', () => {
  test('nothing anywhere: the file that would be asked is named', async () => {
    expect(await find()).toEqual({ credentials: undefined, source: `${home}/.docker/config.json` });
  });

  test('each source wins over those after it', async () => {
    const runtime = join(home, 'run');
    put('.config/containers/auth.json', auths('podman-config'));
    expect((await find()).credentials?.username).toBe('podman-config');
    put('run/containers/auth.json', auths('podman-run'));
    const env: Record<string, string> = { XDG_RUNTIME_DIR: runtime };
    expect((await find(env)).credentials?.username).toBe('podman-run');
    put('.docker/config.json', auths('docker'));
    expect((await find(env)).credentials?.username).toBe('docker');
    put('elsewhere/config.json', auths('docker-config'));
    env['DOCKER_CONFIG'] = join(home, 'elsewhere');
    expect((await find(env)).credentials?.username).toBe('docker-config');
    env['DOCKER_AUTH_CONFIG'] = JSON.stringify(auths('ci'));
    expect(await find(env)).toMatchObject({ credentials: { username: 'ci' }, source: 'DOCKER_AUTH_CONFIG' });
    env['REGISTRY_AUTH_FILE'] = put('variable.json', auths('variable'));
    expect((await find(env)).credentials?.username).toBe('variable');
    const authFile = put('flag.json', auths('flag'));
    expect((await find(env, { authFile })).credentials?.username).toBe('flag');
    expect((await find(env, { authFile, creds: 'me:secret' })).credentials).toEqual({
      username: 'me',
      password: 'secret',
    });
  });

  test('--authfile is the only file: what it lacks is not sought elsewhere', async () => {
    put('.docker/config.json', auths('docker'));
    const authFile = put('flag.json', auths('flag', 'other.io'));
    expect(await find({}, { authFile })).toEqual({ credentials: undefined, source: authFile });
  });

  test.each([
    [{ authFile: '/nowhere/x.json' }, {}, /--authfile "\/nowhere\/x.json": no such file/],
    [{}, { REGISTRY_AUTH_FILE: '/nowhere/y.json' }, /REGISTRY_AUTH_FILE "\/nowhere\/y.json": no such file/],
    [{ creds: ':x' }, {}, /--creds/],
  ])('%j %j is refused', async (options, env, message) => {
    await expect(find(env, options)).rejects.toThrow(message);
  });
});

describe('credential helpers', () => {
  const helper = (name: string, script: string) =>
    put(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`, 0o755);

  test('speaks the protocol: get, the server on stdin, JSON on stdout', async () => {
    put('.docker/config.json', { credHelpers: { 'r.io': 'test' } });
    helper(
      'test',
      `[ "$1" = get ] && read -r s && printf '{"ServerURL":"%s","Username":"u@%s","Secret":"s"}' "$s" "$s"`,
    );
    expect(await find()).toEqual({
      credentials: { username: 'u@r.io', password: 's' },
      source: 'docker-credential-test',
    });
  });

  test('asks a credsStore for docker.io by its old name', async () => {
    put('.docker/config.json', { credsStore: 'test' });
    helper('test', `read -r s; printf '{"Username":"%s","Secret":"s"}' "$s"`);
    expect((await find({}, {}, 'docker.io')).credentials?.username).toBe('https://index.docker.io/v1/');
  });

  test('<token> means an identity token', async () => {
    put('.docker/config.json', { credsStore: 'test' });
    helper('test', `echo '{"Username":"<token>","Secret":"idt"}'`);
    expect((await find()).credentials).toEqual({ username: '', password: '', identityToken: 'idt' });
  });

  test('having nothing is no error, and the file is looked at then', async () => {
    put('.docker/config.json', { credsStore: 'test', ...auths('from-file') });
    helper('test', `cat >/dev/null; echo 'credentials not found in native keychain'; exit 1`);
    expect((await find()).credentials?.username).toBe('from-file');
    expect(warnings).toEqual([]);
  });

  test.each([
    ['is missing', undefined, /"docker-credential-test" for the login of "r.io": no such program on PATH/],
    ['says why', `echo 'keyring is locked'; exit 1`, /keyring is locked/],
    ['fails silently', 'exit 3', /it ended with status 3/],
    ['answers nonsense', 'echo hello', /its answer is not JSON/],
    ['answers half', `echo '{"Username":"u"}'`, /lacks Username or Secret/],
    ['does not read', `exec <&-; echo '{}'`, /lacks Username or Secret/],
  ])('a helper that %s is named in a warning, and the pull goes on', async (_what, script, message) => {
    put('.docker/config.json', { credsStore: 'test' });
    if (script !== undefined) helper('test', script);
    const login = await find();
    expect(login.credentials).toBeUndefined();
    expect(login.problem).toBeInstanceOf(EngineError);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(message);
  });

  test('a path is not a name of a helper', async () => {
    const evil = put('evil', '#!/bin/sh\ntouch "$0.ran"\n', 0o755);
    put('.docker/config.json', { credsStore: `../..${evil}` });
    expect((await find()).problem?.message).toMatch(/not a name of a credential helper/);
  });
});
