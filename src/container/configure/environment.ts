// The container's environment by docker's rules: defaults, image, --env-file, -e; later ones win, in place. (pure)

import { EngineError } from '../../core/errors.ts';
import type { KeyValueLine } from './key-value-file.ts';

export type CallerEnv = Readonly<Record<string, string | undefined>>;

export interface EnvironmentInput {
  image: readonly string[];
  /** -e texts in order: `NAME=value`, or `NAME` for the caller's. */
  flags: readonly string[];
  /** Lines of all --env-file, in order. */
  files: readonly KeyValueLine[];
  caller: CallerEnv;
  tty: boolean;
  hostname: string;
  home: string;
  /** --env-host */
  passAll: boolean;
  /** --http-proxy */
  passProxy: boolean;
  unset: readonly string[];
  unsetAll: boolean;
}

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const PROXY_NAMES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'];

/**
 * `KEY=value` entries, each key once. HOME is added last when nothing set it.
 * @throws USAGE for a -e without a name
 */
export function mergeEnvironment(input: EnvironmentInput): string[] {
  const { caller } = input;
  const env = new Map<string, string>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', input.hostname],
  ]);
  if (input.tty) env.set('TERM', 'xterm');
  if (input.passAll) for (const name in caller) set(env, name, caller[name]);
  if (input.passProxy) passProxy(env, caller);
  for (const entry of input.image) {
    const [key, value] = cut(entry);
    if (key !== '') env.set(key, value ?? '');
  }
  if (input.unsetAll) env.clear();
  for (const name of input.unset) env.delete(name);
  applyFlags(env, input);
  if (!env.has('HOME')) env.set('HOME', input.home);
  return Array.from(env, ([key, value]) => `${key}=${value}`);
}

/** The environment of one more process in a container: the container's own, then --env-file and -e. @throws USAGE */
export function extendEnvironment(
  own: readonly string[],
  input: Pick<EnvironmentInput, 'files' | 'flags' | 'caller' | 'tty'> & {
    /** HOME of another user than the container's; undefined: as it is. */
    home: string | undefined;
  },
): string[] {
  const env = new Map(own.map((entry) => cut(entry) as [string, string]));
  if (input.tty && !env.has('TERM')) env.set('TERM', 'xterm');
  if (input.home !== undefined) env.set('HOME', input.home);
  applyFlags(env, input);
  return Array.from(env, ([key, value]) => `${key}=${value}`);
}

function applyFlags(
  env: Map<string, string>,
  { files, flags, caller }: Pick<EnvironmentInput, 'files' | 'flags' | 'caller'>,
): void {
  for (const { key, value } of files) {
    if (value !== undefined) env.set(key, value);
    else if (caller[key] !== undefined) env.set(key, caller[key]);
  }
  for (const flag of flags) {
    const [key, value] = cut(flag);
    if (key === '')
      throw new EngineError(
        'USAGE',
        `--env ${JSON.stringify(flag)}: invalid environment variable, expected NAME=VALUE or NAME`,
      );
    // `-e NAME` without such a variable here also takes away what would be set otherwise.
    set(env, key, value ?? caller[key]);
  }
}

/** podman's --http-proxy: behind a proxy a container needs it as much as its caller does. */
function passProxy(env: Map<string, string>, caller: CallerEnv): void {
  for (const name of PROXY_NAMES) {
    for (const spelling of [name, name.toUpperCase()]) {
      if (caller[spelling] !== undefined && caller[spelling] !== '') env.set(spelling, caller[spelling]);
    }
  }
}

function set(env: Map<string, string>, key: string, value: string | undefined): void {
  if (value === undefined) env.delete(key);
  else env.set(key, value);
}

function cut(entry: string): [key: string, value: string | undefined] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, undefined] : [entry.slice(0, at), entry.slice(at + 1)];
}
