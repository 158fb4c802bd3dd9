// skiff.conf (ini) merged with the environment. Every key is also a variable; the variable wins. A user's file wins over
// /etc/skiff/skiff.conf key by key. Errors name the file (or variable) and the key.
//
//   root = /srv/skiff
//   offline = true
//   network = host
//   parallel-downloads = 8
//   mirrors = mirror.example:5000, other.example       for docker.io; "quay.io=a,b;docker.io=c" names registries
//   insecure-registries = registry.local:5000
//   [registry "quay.io"]
//   mirrors = mirror.example:5000
//   insecure = true

import { readFileSync } from 'node:fs';
import { EngineError, errnoOf } from './errors.ts';
import type { ConfigLine } from './config-file.ts';

export interface Config {
  /** SKIFF_ROOT: the store, an absolute host path; undefined: where paths.ts puts it. */
  root: string | undefined;
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
  root?: string;
  offline?: boolean;
  network?: string;
  parallelDownloads?: number;
  mirrors: Record<string, readonly string[]>;
  insecure: Record<string, boolean>;
}

/**
 * file: --config; else SKIFF_CONFIG; else the two standard places, which may be missing. Where there is no file this
 * costs one failed open for each place.
 * @throws CONFIG_INVALID, and IO for a file that was asked for and cannot be read
 */
export async function loadConfig(
  env: Env,
  options: { file?: string | undefined; home?: string | undefined } = {},
): Promise<Config> {
  const draft: Draft = { mirrors: {}, insecure: {} };
  const chosen = options.file ?? nonEmpty(env['SKIFF_CONFIG']);
  for (const path of chosen === undefined ? standardFiles(env, options.home) : [chosen]) {
    const text = readText(path, chosen !== undefined);
    if (text === undefined || text === '') continue;
    const { parseConfigFile } = await import('./config-file.ts');
    for (const line of parseConfigFile(text)) applyLine(draft, line, path);
  }
  for (const [key, variable] of VARIABLES) {
    const value = nonEmpty(env[variable]);
    if (value !== undefined) applyKey(draft, key, value, { variable });
  }
  return {
    root: draft.root,
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

function readText(path: string, mustExist: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (!mustExist && (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES')) return undefined;
    throw new EngineError('IO', `reading configuration ${JSON.stringify(path)}`, { cause: error });
  }
}

const KEYS = ['root', 'offline', 'mirrors', 'insecure-registries', 'network', 'parallel-downloads'] as const;
type Key = (typeof KEYS)[number];

const VARIABLES = KEYS.map((key) => [key, `SKIFF_${key.replaceAll('-', '_').toUpperCase()}`] as const);

/** Where a value was found: a key of a file, as the error shows it, or a variable. */
type Source = { file: string; shown: string } | { variable: string };

function applyLine(draft: Draft, { section, key, value }: ConfigLine, file: string): void {
  const registry = /^registry\s+"?([^"]+)"?$/.exec(section)?.[1];
  if (registry !== undefined) {
    if (key !== '') applyRegistryKey(draft, registry, key, value, file);
  } else if (section !== '') {
    throw invalid({ file, shown: `[${section}]` }, 'unknown section; known: [registry "NAME"]');
  } else if ((KEYS as readonly string[]).includes(key)) {
    applyKey(draft, key as Key, value.trim(), { file, shown: key });
  } else {
    throw invalid({ file, shown: key }, `unknown key; known: ${KEYS.join(', ')}`);
  }
}

/** A later value wins: of mirrors registry by registry in files, all of them from a variable. */
function applyKey(draft: Draft, key: Key, text: string, source: Source): void {
  switch (key) {
    case 'root':
      draft.root = toAbsolute(text, source);
      break;
    case 'offline':
      draft.offline = toBoolean(text, source);
      break;
    case 'network':
      draft.network = text;
      break;
    case 'parallel-downloads':
      draft.parallelDownloads = toCount(text, source);
      break;
    case 'mirrors':
      draft.mirrors = { ...('variable' in source ? {} : draft.mirrors), ...toMirrors(text, source) };
      break;
    case 'insecure-registries':
      draft.insecure = {
        ...('variable' in source ? {} : draft.insecure),
        ...Object.fromEntries(toList(text).map((name) => [checkRegistry(name, source), true])),
      };
  }
}

function applyRegistryKey(draft: Draft, registry: string, key: string, value: string, file: string): void {
  const source = { file, shown: `[registry "${registry}"] ${key}` };
  if (key === 'mirrors') draft.mirrors[registry] = toList(value).map((text) => checkMirror(text, source));
  else if (key === 'insecure') draft.insecure[registry] = toBoolean(value, source);
  else throw invalid(source, 'unknown key; known: mirrors, insecure');
}

/** `host,host` are mirrors of docker.io; `registry=host,host;registry=host` names others. */
function toMirrors(text: string, source: Source): Record<string, readonly string[]> {
  const mirrors: Record<string, readonly string[]> = {};
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const registry = equals === -1 ? 'docker.io' : part.slice(0, equals).trim();
    const hosts = toList(part.slice(equals + 1)).map((host) => checkMirror(host, source));
    if (registry === '') throw invalid(source, `${JSON.stringify(part)} names no registry`);
    if (hosts.length > 0) mirrors[registry] = hosts;
  }
  return mirrors;
}

/** `host[:port][/path]`, or with https:// or http:// in front. Undefined when it is none. */
export function parseMirror(text: string): { scheme?: string; host: string; path: string } | undefined {
  const match =
    /^(?:(https?):\/\/)?((?:\[[0-9a-f:.]+\]|[^/?#@\s:[\]]+)(?::[0-9]+)?)((?:\/[a-z0-9._/-]*)?)$/i.exec(
      text.trim(),
    );
  if (match === null || !URL.canParse(`https://${match[2]}`)) return undefined;
  const [, scheme, host = '', path = ''] = match;
  return { ...(scheme === undefined ? {} : { scheme }), host, path };
}

function checkMirror(text: string, source: Source): string {
  if (parseMirror(text) !== undefined) return text;
  throw invalid(source, `${JSON.stringify(text)} is not a mirror; expected host[:port][/path]`);
}

/** `host[:port]` or `*.example.com`: what an address range or a URL would mean is not known. */
function checkRegistry(text: string, source: Source): string {
  if (/^(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?$/i.test(text)) return text;
  throw invalid(source, `${JSON.stringify(text)} is not a registry; expected host[:port] or *.domain`);
}

/** A relative store would be another one in each directory. */
function toAbsolute(text: string, source: Source): string {
  if (text.startsWith('/')) return text;
  throw invalid(source, `${JSON.stringify(text)} is not an absolute path`);
}

function toBoolean(text: string, source: Source): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw invalid(source, `${JSON.stringify(text)} is neither true nor false`);
}

function toCount(text: string, source: Source): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 64) return count;
  throw invalid(source, `${JSON.stringify(text)} is not a number from 1 to 64`);
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

function invalid(source: Source, cause: string): EngineError {
  const where =
    'variable' in source
      ? `variable ${source.variable}`
      : `configuration ${JSON.stringify(source.file)}, ${source.shown}`;
  return new EngineError('CONFIG_INVALID', `reading ${where}: ${cause}`);
}
