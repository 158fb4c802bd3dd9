// The flags of `create` and `run` as their use cases take them: keys are the flags' names, texts are as typed.
// cli/create-flags.ts and commands/run.ts declare them; the compiler checks that they agree.

import type { LimitOptions } from '../../cgroup/limit-options.ts';

/** What `run` has beyond `create`. */
export interface RunOptions extends CreateOptions {
  detach: boolean | undefined;
  'detach-keys': string | undefined;
  'sig-proxy': boolean;
  plan: string | undefined;
}

export interface HealthOptions {
  'health-cmd': string | undefined;
  'health-interval': string | undefined;
  'health-on-failure': string | undefined;
  'health-retries': number | undefined;
  'health-start-interval': string | undefined;
  'health-start-period': string | undefined;
  'health-timeout': string | undefined;
  'no-healthcheck': boolean | undefined;
}

export interface CreateOptions extends LimitOptions, HealthOptions {
  'cgroup-parent': string | undefined;
  'require-limits': boolean | undefined;
  rm: boolean | undefined;
  interactive: boolean | undefined;
  tty: boolean | undefined;
  attach: string[];
  name: string | undefined;
  replace: boolean | undefined;
  env: string[];
  'env-file': string[];
  'env-host': boolean | undefined;
  unsetenv: string[];
  'unsetenv-all': boolean | undefined;
  'http-proxy': boolean;
  workdir: string | undefined;
  user: string | undefined;
  entrypoint: string | undefined;
  hostname: string | undefined;
  domainname: string | undefined;
  label: string[];
  'label-file': string[];
  annotation: string[];
  cidfile: string | undefined;
  pidfile: string | undefined;
  volume: string[];
  'volumes-from': string[];
  mount: string[];
  tmpfs: string[];
  'read-only': boolean | undefined;
  'cap-add': string[];
  'cap-drop': string[];
  'security-opt': string[];
  privileged: boolean | undefined;
  ulimit: string[];
  'shm-size': string | undefined;
  'add-host': string[];
  dns: string[];
  'dns-search': string[];
  'dns-option': string[];
  network: string | undefined;
  publish: string[];
  'publish-all': boolean | undefined;
  expose: string[];
  'no-hosts': boolean | undefined;
  'no-hostname': boolean | undefined;
  userns: string | undefined;
  uts: string | undefined;
  pid: string | undefined;
  ipc: string | undefined;
  cgroupns: string | undefined;
  init: boolean | undefined;
  'stop-signal': string | undefined;
  'stop-timeout': number | undefined;
  timeout: number | undefined;
  'group-add': string[];
  device: string[];
  sysctl: string[];
  'oom-score-adj': number | undefined;
  'log-driver': string | undefined;
  'log-opt': string[];
  restart: string | undefined;
  scope: string | undefined;
  rootfs: boolean | undefined;
  platform: string | undefined;
  pull: string;
  quiet: boolean | undefined;
}

const MAY_BE_EMPTY = [
  'name',
  'hostname',
  'domainname',
  'cidfile',
  'pidfile',
  'workdir',
  'user',
  'network',
  'shm-size',
  'stop-signal',
  'platform',
  'cgroup-parent',
] as const;

/** An empty text is not given, as docker has it: `--name "$NAME"`. An empty --entrypoint takes the image's away. */
export function givenOptions<T extends CreateOptions>(options: T): T {
  const given = { ...options };
  for (const name of MAY_BE_EMPTY) if (given[name] === '') given[name] = undefined;
  return given;
}
