// Logins in docker's config.json: writes one, takes one away. Everything else that the file says stays as it is. Where the
// file names a credential helper for a registry, that keeps the login and the file does not.

import { mkdirSync } from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import { readFileIfExists, writeFileAtomic } from '../core/fs.ts';
import { DEFAULT_REGISTRY } from '../core/reference.ts';
import { DOCKER_HUB_KEY, findHelper, normalizeKey, parseAuthFile, type Credentials } from './auth-file.ts';
import { eraseInHelper, storeInHelper } from './credential-helper.ts';
import { envText } from './env.ts';
import type { Env } from './types.ts';

export interface LoginPlace {
  /** Path of the file. */
  file: string;
  env: Env;
}

/** Where logins are kept: --authfile, REGISTRY_AUTH_FILE, else docker's file. @throws USAGE without a home directory */
export function loginFileOf(authFile: string | undefined, env: Env, home: string | undefined): string {
  const given = authFile ?? envText(env, 'REGISTRY_AUTH_FILE');
  if (given !== undefined) return given;
  const dir = envText(env, 'DOCKER_CONFIG') ?? (home === undefined ? undefined : `${home}/.docker`);
  if (dir !== undefined) return `${dir}/config.json`;
  throw new EngineError('USAGE', 'keeping the login: there is no home directory', {
    hint: 'set HOME, or name a file by --authfile',
    exitCode: 1,
  });
}

/** Returns how it is kept: by a helper, or unencrypted in the file. @throws CONFIG_INVALID, AUTH_FAILED, IO */
export async function saveLogin(
  { file, env }: LoginPlace,
  registry: string,
  credentials: Credentials,
): Promise<'helper' | 'file'> {
  const text = readText(file);
  const helper = findHelper(parseAuthFile(text, file), registry);
  if (helper !== undefined) {
    await storeInHelper(helper.suffix, helper.server, credentials, env);
    write(file, text, registry, {});
    return 'helper';
  }
  const { username, password } = credentials;
  write(file, text, registry, { auth: Buffer.from(`${username}:${password}`).toString('base64') });
  return 'file';
}

/** False: there was none. @throws CONFIG_INVALID, AUTH_FAILED, IO */
export async function removeLogin({ file, env }: LoginPlace, registry: string): Promise<boolean> {
  const text = readText(file);
  const parsed = parseAuthFile(text, file);
  const known = [...parsed.auths.keys()].some((key) => normalizeKey(key) === normalizeKey(registry));
  const helper = findHelper(parsed, registry);
  if (helper !== undefined) await eraseInHelper(helper.suffix, helper.server, env);
  if (known) write(file, text, registry, undefined);
  return known || helper !== undefined;
}

/** The registries that the file has logins of, as written there. */
export function listLogins(file: string): string[] {
  return [...parseAuthFile(readText(file), file).auths.keys()];
}

function readText(file: string): string {
  return readFileIfExists(file) ?? '{}';
}

/** entry: undefined takes it away. All spellings of the registry are replaced by docker's. */
function write(file: string, text: string, registry: string, entry: object | undefined): void {
  const root = JSON.parse(text) as { auths?: Record<string, unknown> };
  const auths = Object.fromEntries(
    Object.entries(root.auths ?? {}).filter(([key]) => normalizeKey(key) !== normalizeKey(registry)),
  );
  if (entry !== undefined) auths[registry === DEFAULT_REGISTRY ? DOCKER_HUB_KEY : registry] = entry;
  try {
    mkdirSync(file.slice(0, file.lastIndexOf('/') + 1) || '.', { recursive: true, mode: 0o700 });
    writeFileAtomic(file, `${JSON.stringify({ ...root, auths }, undefined, '\t')}\n`, 0o600);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new EngineError('IO', `writing ${JSON.stringify(file)}: ${errno}`, { cause: error, exitCode: 1 });
  }
}
