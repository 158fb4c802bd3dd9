// Where a login comes from, in order: --creds; --authfile; REGISTRY_AUTH_FILE; DOCKER_AUTH_CONFIG (the text itself, as CI
// systems set it); docker's config.json; podman's auth.json. The first two files are used alone when given.

import { readFileSync } from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { findHelper, findInAuths, parseAuthFile, parseUserPassword } from './auth-file.ts';
import type { AuthFile, Credentials } from './auth-file.ts';
import { askHelper } from './credential-helper.ts';
import { configHome, envText } from './env.ts';
import type { Env, RegistryOptions } from './types.ts';

export interface Login {
  credentials: Credentials | undefined;
  /** For hints: `--creds`, `/home/u/.docker/config.json`, `docker-credential-pass`; where one was sought when there is none. */
  source: string;
  /** What went wrong while looking (a broken helper); the request then goes on without a login. */
  problem?: EngineError;
}

export interface CredentialParts {
  env: Env;
  home: string | undefined;
  options: RegistryOptions;
  log: Log;
}

/** Looks up the login for an image. Files are read and helpers run on each call: callers keep the result. */
export async function findLogin(
  parts: CredentialParts,
  registry: string,
  repository: string,
): Promise<Login> {
  const { creds } = parts.options;
  if (creds !== undefined) {
    const credentials = parseUserPassword(creds);
    if (credentials === undefined) {
      throw new EngineError('USAGE', 'reading --creds: the user name is empty', {
        hint: 'write --creds USER:PASSWORD',
      });
    }
    return { credentials, source: '--creds' };
  }
  const sources = authSources(parts);
  let problem: EngineError | undefined;
  for (const { file, text } of sources) {
    if (text === undefined) continue;
    const login = await findInFile(parts, parseAuthFile(text, file), file, registry, repository);
    if (login.credentials !== undefined) return login;
    problem ??= login.problem;
  }
  const sought = sources[0]?.file ?? '~/.docker/config.json';
  return { credentials: undefined, source: sought, ...(problem === undefined ? {} : { problem }) };
}

async function findInFile(
  { env, log }: CredentialParts,
  file: AuthFile,
  name: string,
  registry: string,
  repository: string,
): Promise<Login> {
  const helper = findHelper(file, registry);
  let problem: EngineError | undefined;
  if (helper !== undefined) {
    try {
      const credentials = await askHelper(helper.suffix, helper.server, env);
      if (credentials !== undefined) return { credentials, source: `docker-credential-${helper.suffix}` };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      // Public images need no login: a helper that is left over in the config must not stop their pull.
      problem = error;
      log.warn(error.message);
    }
  }
  const credentials = findInAuths(file, registry, repository);
  return { credentials, source: name, ...(problem === undefined ? {} : { problem }) };
}

interface Source {
  file: string;
  /** Undefined: the file does not exist. */
  text: string | undefined;
}

function authSources({ env, home, options }: CredentialParts): Source[] {
  if (options.authFile !== undefined) return [mustRead(options.authFile, '--authfile')];
  const fromEnv = envText(env, 'REGISTRY_AUTH_FILE');
  if (fromEnv !== undefined) return [mustRead(fromEnv, 'REGISTRY_AUTH_FILE')];
  const dockerDir = envText(env, 'DOCKER_CONFIG') ?? (home === undefined ? undefined : `${home}/.docker`);
  const configDir = configHome(env, home);
  const runtimeDir = envText(env, 'XDG_RUNTIME_DIR');
  const files = [
    dockerDir && `${dockerDir}/config.json`,
    runtimeDir && `${runtimeDir}/containers/auth.json`,
    configDir && `${configDir}/containers/auth.json`,
  ];
  const sources = files
    .filter((file) => typeof file === 'string' && file !== '')
    .map((file) => tryRead(file as string));
  const inline = envText(env, 'DOCKER_AUTH_CONFIG');
  return inline !== undefined ? [{ file: 'DOCKER_AUTH_CONFIG', text: inline }, ...sources] : sources;
}

function mustRead(file: string, name: string): Source {
  try {
    return { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    const reason = errnoOf(error) === 'ENOENT' ? 'no such file' : (errnoOf(error) ?? 'not readable');
    throw new EngineError('CONFIG_INVALID', `reading ${name} ${JSON.stringify(file)}: ${reason}`, {
      cause: error,
    });
  }
}

function tryRead(file: string): Source {
  try {
    return { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return { file, text: undefined };
    throw new EngineError('CONFIG_INVALID', `reading ${JSON.stringify(file)}: ${errno ?? 'not readable'}`, {
      cause: error,
    });
  }
}
