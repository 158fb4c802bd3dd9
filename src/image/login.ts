// `login` and `logout`: a login is kept only after the registry has taken it.

import type { Config } from '../core/config.ts';
import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { DEFAULT_REGISTRY } from '../core/reference.ts';
import { createRegistryClient } from '../registry/client.ts';
import { homeDir } from '../registry/env.ts';
import { listLogins, loginFileOf, removeLogin, saveLogin } from '../registry/login-file.ts';
import { normalizeKey } from '../registry/auth-file.ts';
import type { Env, RegistryOptions } from '../registry/types.ts';

export interface LoginParts {
  config: () => Config;
  env: Env;
  log: Log;
  signal: AbortSignal;
}

/** `https://host/v2/` and `host/name` are `host`, nothing is docker.io. (pure) @throws USAGE */
export function registryNamed(text: string | undefined): string {
  if (text === undefined || text === '') return DEFAULT_REGISTRY;
  const host = normalizeKey(text).split('/')[0] ?? '';
  if (/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/.test(host)) return host;
  throw new EngineError('USAGE', `logging in to ${JSON.stringify(text)}: not the name of a registry`, {
    exitCode: 1,
  });
}

/** Returns the file where the login is kept unencrypted, undefined when a helper keeps it. @throws AUTH_FAILED… */
export async function logIn(
  parts: LoginParts,
  registry: string,
  { username, password }: { username: string; password: string },
  options: RegistryOptions,
): Promise<string | undefined> {
  const { env, log, signal } = parts;
  const file = loginFileOf(options.authFile, env, homeDir(env, undefined));
  const client = createRegistryClient({
    config: parts.config(),
    env,
    log,
    signal,
    options: { ...options, creds: `${username}:${password}` },
    doing: 'logging in to',
  });
  try {
    await client.checkLogin(registry);
  } finally {
    client.close();
  }
  const kept = await saveLogin({ file, env }, registry, { username, password });
  return kept === 'file' ? file : undefined;
}

/** The registries that were logged out of. all: every one of the file. */
export async function logOut(
  { env }: Pick<LoginParts, 'env'>,
  registry: string,
  { authFile, all }: { authFile: string | undefined; all: boolean },
): Promise<{ registry: string; had: boolean }[]> {
  const file = loginFileOf(authFile, env, homeDir(env, undefined));
  const names = all ? listLogins(file).map(normalizeKey) : [registry];
  const done: { registry: string; had: boolean }[] = [];
  for (const one of new Set(names)) done.push({ registry: one, had: await removeLogin({ file, env }, one) });
  return done;
}
