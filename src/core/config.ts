// skiff.conf (ini) merged with the environment. Every key is also a variable; the variable wins. A user's file wins over
// /etc/skiff/skiff.conf key by key. Errors name the file (or variable) and the key.
//
//   offline = true
//   network = host
//   parallel-downloads = 8
//   [registry "docker.io"]
//   mirrors = mirror.example:5000, other.example
//   insecure = true

import { readFileSync } from 'node:fs';
import { parse } from 'ini';
import { EngineError, errnoOf } from './errors.ts';

export interface Config {
  /** SKIFF_OFFLINE: open no socket to a registry. */
  offline: boolean;
  /** SKIFF_MIRRORS / [registry "docker.io"] mirrors = host[,host]: tried in order before the registry itself. */
  mirrors: Readonly<Record<string, readonly string[]>>;
  /** SKIFF_INSECURE_REGISTRIES / insecure = true: plain http or unverified TLS allowed. */
  insecureRegistries: readonly string[];
  /** SKIFF_NETWORK: default of --network. */
  network: string | undefined;
  /** SKIFF_PARALLEL_DOWNLOADS, 4 unless set. */
  parallelDownloads: number;
}

type Env = Readonly<Record<string, string | undefined>>;

interface Draft {
  offline?: boolean;
  network?: string;
  parallelDownloads?: number;
  mirrors: Record<string, readonly string[]>;
  insecure: Record<string, boolean>;
}

/**
 * file: --config; else SKIFF_CONFIG; else the two standard places, which may be missing.
 * @throws CONFIG_INVALID, and IO for a file that was asked for and cannot be read
 */
export function loadConfig(
  env: Env,
  options: { file?: string | undefined; home?: string | undefined } = {},
): Config {
  const draft: Draft = { mirrors: {}, insecure: {} };
  const chosen = options.file ?? nonEmpty(env['SKIFF_CONFIG']);
  if (chosen !== undefined) readInto(draft, chosen, true);
  else for (const path of standardFiles(env, options.home)) readInto(draft, path, false);
  applyEnvironment(draft, env);
  return {
    offline: draft.offline ?? false,
    mirrors: draft.mirrors,
    insecureRegistries: Object.keys(draft.insecure).filter((name) => draft.insecure[name]),
    network: draft.network,
    parallelDownloads: draft.parallelDownloads ?? 4,
  };
}

/** Weakest first. */
export function standardFiles(env: Env, home: string | undefined): string[] {
  const configHome = env['XDG_CONFIG_HOME'];
  const homeDir = env['HOME'] ?? home;
  const user = configHome?.startsWith('/')
    ? `${configHome}/skiff/skiff.conf`
    : homeDir?.startsWith('/')
      ? `${homeDir}/.config/skiff/skiff.conf`
      : undefined;
  return ['/etc/skiff/skiff.conf', ...(user === undefined ? [] : [user])];
}

function readInto(draft: Draft, path: string, mustExist: boolean): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (!mustExist && (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES')) return;
    throw new EngineError('IO', `reading configuration ${JSON.stringify(path)}`, { cause: error });
  }
  applyFile(draft, text, path);
}

function applyFile(draft: Draft, text: string, path: string): void {
  // ini splits section names at dots; a registry's name is one word.
  const escaped = text.replace(/^[ \t]*\[[^\]\n]*\]/gm, (header) => header.replaceAll('.', '\\.'));
  for (const [key, value] of Object.entries<unknown>(parse(escaped))) {
    const section = /^registry\s+"?([^"]+)"?$/.exec(key)?.[1];
    if (typeof value !== 'object' || value === null) {
      applyKey(draft, key, value, path);
    } else if (section === undefined) {
      throw invalid(path, `[${key}]`, 'unknown section; known: [registry "NAME"]');
    } else {
      for (const [name, item] of Object.entries(value)) applyRegistryKey(draft, section, name, item, path);
    }
  }
}

function applyKey(draft: Draft, key: string, value: unknown, source: string): void {
  const text = String(value).trim();
  if (key === 'offline') draft.offline = toBoolean(text, source, key);
  else if (key === 'network') draft.network = text;
  else if (key === 'parallel-downloads') draft.parallelDownloads = toCount(text, source, key);
  else throw invalid(source, key, 'unknown key; known: offline, network, parallel-downloads');
}

function applyRegistryKey(draft: Draft, registry: string, key: string, value: unknown, source: string): void {
  const shown = `[registry "${registry}"] ${key}`;
  if (key === 'mirrors') draft.mirrors[registry] = toList(String(value));
  else if (key === 'insecure') draft.insecure[registry] = toBoolean(String(value), source, shown);
  else throw invalid(source, shown, 'unknown key; known: mirrors, insecure');
}

function applyEnvironment(draft: Draft, env: Env): void {
  const offline = nonEmpty(env['SKIFF_OFFLINE']);
  if (offline !== undefined) draft.offline = toBoolean(offline, 'environment', 'SKIFF_OFFLINE');
  const network = nonEmpty(env['SKIFF_NETWORK']);
  if (network !== undefined) draft.network = network;
  const parallel = nonEmpty(env['SKIFF_PARALLEL_DOWNLOADS']);
  if (parallel !== undefined)
    draft.parallelDownloads = toCount(parallel, 'environment', 'SKIFF_PARALLEL_DOWNLOADS');
  const mirrors = nonEmpty(env['SKIFF_MIRRORS']);
  if (mirrors !== undefined) draft.mirrors = parseMirrors(mirrors);
  const insecure = nonEmpty(env['SKIFF_INSECURE_REGISTRIES']);
  if (insecure !== undefined)
    draft.insecure = Object.fromEntries(toList(insecure).map((name) => [name, true]));
}

/** `host,host` are mirrors of docker.io; `registry=host,host;registry=host` names others. */
function parseMirrors(text: string): Record<string, readonly string[]> {
  const mirrors: Record<string, readonly string[]> = {};
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const registry = equals === -1 ? 'docker.io' : part.slice(0, equals).trim();
    const hosts = toList(part.slice(equals + 1));
    if (registry === '')
      throw invalid('environment', 'SKIFF_MIRRORS', `${JSON.stringify(part)} names no registry`);
    if (hosts.length > 0) mirrors[registry] = hosts;
  }
  return mirrors;
}

function toBoolean(text: string, source: string, key: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw invalid(source, key, `${JSON.stringify(text)} is neither true nor false`);
}

function toCount(text: string, source: string, key: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 64) return count;
  throw invalid(source, key, `${JSON.stringify(text)} is not a number from 1 to 64`);
}

function toList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function invalid(source: string, key: string, cause: string): EngineError {
  const where =
    source === 'environment' ? `variable ${key}` : `configuration ${JSON.stringify(source)}, ${key}`;
  return new EngineError('CONFIG_INVALID', `reading ${where}: ${cause}`);
}
