// docker's config.json and podman's auth.json: which entry belongs to an image. Pure; reading files and running helpers
// is for credentials.ts.

import { EngineError } from '../core/errors.ts';
import { DEFAULT_REGISTRY } from '../core/reference.ts';

/** What a registry wants to see: a user with password, or a token that replaces both. */
export interface Credentials {
  username: string;
  password: string;
  /** A refresh token for the token server (docker's `identitytoken`). */
  identityToken?: string;
  /** A bearer token for the registry itself. */
  registryToken?: string;
}

export interface AuthFile {
  /** Key as written → entry. */
  auths: ReadonlyMap<string, Credentials | undefined>;
  /** Host → suffix of docker-credential-SUFFIX. */
  credHelpers: ReadonlyMap<string, string>;
  credsStore: string | undefined;
}

/** docker's key for docker.io, also what its credential helpers are asked for. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER_HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** @throws CONFIG_INVALID naming `file` when the text is no JSON object or an entry is malformed */
export function parseAuthFile(text: string, file: string): AuthFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(file, 'not JSON', error);
  }
  const root = record(json);
  if (root === undefined) throw invalid(file, 'not a JSON object');
  const auths = new Map<string, Credentials | undefined>();
  for (const [key, entry] of Object.entries(record(root['auths']) ?? {}))
    auths.set(key, parseEntry(entry, key, file));
  const credHelpers = new Map<string, string>();
  for (const [host, suffix] of Object.entries(record(root['credHelpers']) ?? {})) {
    if (typeof suffix === 'string' && suffix !== '') credHelpers.set(host, suffix);
  }
  const store = root['credsStore'];
  return { auths, credHelpers, credsStore: typeof store === 'string' && store !== '' ? store : undefined };
}

/** `USER[:PASSWORD]`, the form of --creds and of decoded `auth` fields. */
export function parseUserPassword(text: string): Credentials | undefined {
  const colon = text.indexOf(':');
  const username = colon === -1 ? text : text.slice(0, colon);
  return username === '' ? undefined : { username, password: colon === -1 ? '' : text.slice(colon + 1) };
}

/**
 * The entry for `registry/repository`: the longest key that is a path prefix of it (podman), down to the bare
 * registry in any of docker's spellings. Undefined when there is none with content.
 */
export function findInAuths(file: AuthFile, registry: string, repository: string): Credentials | undefined {
  const byKey = new Map<string, Credentials>();
  for (const [key, credentials] of file.auths) {
    if (credentials !== undefined) byKey.set(normalizeKey(key), credentials);
  }
  const parts = repository.split('/');
  for (let length = parts.length; length >= 0; length--) {
    const key = [canonicalHost(registry), ...parts.slice(0, length)].join('/');
    const found = byKey.get(key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The suffix of the helper to ask for `registry`, and the name to ask it for. */
export function findHelper(file: AuthFile, registry: string): { suffix: string; server: string } | undefined {
  const server = registry === DEFAULT_REGISTRY ? DOCKER_HUB_KEY : registry;
  for (const [key, suffix] of file.credHelpers) {
    if (normalizeKey(key) === canonicalHost(registry)) return { suffix, server };
  }
  return file.credsStore === undefined ? undefined : { suffix: file.credsStore, server };
}

/** `https://index.docker.io/v1/` → `docker.io`, `https://host/v2/` → `host`, `host/team` stays. */
export function normalizeKey(key: string): string {
  const withoutScheme = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = withoutScheme.indexOf('/');
  const host = slash === -1 ? withoutScheme : withoutScheme.slice(0, slash);
  const path = slash === -1 ? '' : withoutScheme.slice(slash + 1);
  // A key with a scheme is docker's, who looks at the host alone; without one it is podman's, where the path counts.
  const isPathScoped =
    withoutScheme === key.replace(/\/+$/, '') && path !== '' && path !== 'v1' && path !== 'v2';
  return isPathScoped ? `${canonicalHost(host)}/${path}` : canonicalHost(host);
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return DOCKER_HUB_NAMES.has(lower) ? DEFAULT_REGISTRY : lower;
}

function parseEntry(entry: unknown, key: string, file: string): Credentials | undefined {
  const fields = record(entry);
  if (fields === undefined) return undefined;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const auth = text('auth');
  const fromAuth = auth === undefined ? undefined : parseUserPassword(decodeAuth(auth, key, file));
  const username = fromAuth?.username ?? text('username') ?? '';
  const password = fromAuth?.password ?? text('password') ?? '';
  const identityToken = text('identitytoken');
  const registryToken = text('registrytoken');
  if (username === '' && identityToken === undefined && registryToken === undefined) return undefined;
  return {
    username,
    password,
    ...(identityToken === undefined ? {} : { identityToken }),
    ...(registryToken === undefined ? {} : { registryToken }),
  };
}

function decodeAuth(auth: string, key: string, file: string): string {
  const decoded = Buffer.from(auth, 'base64').toString('utf8');
  // Old docker versions padded the decoded text with zeros.
  const text = decoded.replace(/\0+$/, '');
  if (!text.includes(':'))
    throw invalid(file, `the auth entry of ${JSON.stringify(key)} is not base64 of USER:PASSWORD`);
  return text;
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function invalid(file: string, reason: string, cause?: unknown): EngineError {
  return new EngineError('CONFIG_INVALID', `reading credentials from ${JSON.stringify(file)}: ${reason}`, {
    cause,
  });
}
