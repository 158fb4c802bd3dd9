// ContainerSpec: everything about one container, decided once when it is made and stored as containers/<id>/config.json.
// (pure) `inspect` shows it, `start` (re-)plans from it; nothing in it depends on a running process. Texts may hold
// the byte escapes of core/bytes.ts; JSON keeps them.

import type { Limits } from '../cgroup/types.ts';
import type { Digest } from '../core/digest.ts';
import type { HealthConfig, Platform } from '../oci/image.ts';
import type { HealthPlan, IdMap } from '../native/plan.ts';
import type { MountSpec } from './mount-spec.ts';
import type { Ulimit } from './ulimits.ts';

/** 64 lower-case hex digits. */
export type ContainerId = string & { readonly __brand: 'ContainerId' };

export interface ContainerSpec {
  schemaVersion: 1;
  id: ContainerId;
  name: string;
  /** RFC 3339, nanoseconds as docker prints them. */
  createdAt: string;
  /** undefined: made from --rootfs. */
  image: ImageOfContainer | undefined;
  rootfs: { kind: 'layers'; chainIds: Digest[] } | { kind: 'directory'; path: string };
  idMap: IdMap | undefined;
  mapKey: string;
  process: ProcessSpec;
  config: ConfigSpec;
  host: HostSpec;
  network: NetworkSpec;
  /** undefined: the container has no health check. */
  health: HealthSpec | undefined;
  /** undefined: made by an earlier skiff. */
  recipe?: Recipe | undefined;
}

/** What `run` or `create` was asked for, for whoever makes another container like it; nothing that has to do with pulling. */
export interface Recipe {
  /** Flags that were given, by their long names. */
  flags: Readonly<Record<string, boolean | string | number | string[]>>;
  /** Image, and what follows it. */
  words: readonly string[];
  /** What relative paths among the flags start from. */
  cwd: string;
}

/** The check as it is done; how the container is stopped for it, ConfigSpec says. */
export type HealthSpec = Omit<HealthPlan, 'stopSignal' | 'stopTimeoutMs'>;

export interface ImageOfContainer {
  /** As the user typed it. */
  name: string;
  reference: string;
  id: Digest;
  manifestDigest: Digest;
  platform: Platform;
}

/** The process, fully resolved. */
export interface ProcessSpec {
  /** Entrypoint and command joined: at least one. */
  args: string[];
  /** KEY=value, each key once. */
  env: string[];
  cwd: string;
  containerUid: number;
  containerGid: number;
  additionalGids: number[];
  keepGroups: boolean;
}

/** docker's `Config`: what describes the container wherever it runs. */
export interface ConfigSpec {
  hostname: string;
  domainname: string;
  /** As given by --user or the image. */
  user: string;
  tty: boolean;
  openStdin: boolean;
  /** Input ends with that of the first client, unless the container was made detached. */
  stdinOnce: boolean;
  entrypoint: string[] | null;
  cmd: string[] | null;
  workingDir: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  stopSignal: string | undefined;
  stopTimeoutS: number | undefined;
  /** `80/tcp` */
  exposedPorts: string[];
  /** Container paths of the image's VOLUMEs and of -v PATH. */
  volumes: string[];
  /** What the flags and the image say, merged; times in nanoseconds. */
  healthcheck: HealthConfig | undefined;
}

/** docker's `HostConfig`: what depends on this host. */
export interface HostSpec {
  autoRemove: boolean;
  /** The -v texts as typed, but for anonymous volumes. */
  binds: string[];
  /** The --volumes-from texts as typed. */
  volumesFrom: string[];
  mounts: MountSpec[];
  readOnlyRootfs: boolean;
  privileged: boolean;
  capAdd: string[];
  capDrop: string[];
  /** Texts as typed. */
  securityOpt: string[];
  noNewPrivileges: boolean;
  seccomp: SeccompChoice;
  /** Paths hidden or read-only in /proc and /sys. */
  maskedPaths: string[];
  readonlyPaths: string[];
  ulimits: Ulimit[];
  shmSizeBytes: number;
  devices: DeviceSpec[];
  sysctls: [name: string, value: string][];
  groupAdd: string[];
  init: boolean;
  oomScoreAdj: number | undefined;
  limits: Limits;
  /** --cgroup-parent; '' for none. */
  cgroupParent: string;
  /** What cannot be honoured of these ends a start. */
  requireLimits: boolean;
  /** Kill after so many milliseconds; 0: never. */
  timeoutMs: number;
  logDriver: 'json-file' | 'journald' | 'none' | 'passthrough';
  logOptions: LogOptions;
  restart: RestartPolicy;
  /** Dies with the process that started it, or with nothing but itself. */
  scope: 'job' | 'service';
  /** Absolute host path of --pidfile. */
  pidFile: string | undefined;
  usernsMode: string;
  pidMode: NamespaceMode;
  ipcMode: NamespaceMode;
  utsMode: NamespaceMode;
  cgroupnsMode: NamespaceMode;
}

export interface LogOptions {
  /** 0: the log grows without end, as docker's does. */
  maxSizeBytes: number;
  maxFiles: number;
  /** What journald calls the container; undefined: its short id. */
  tag?: string;
  /** As typed: what `inspect` shows. */
  typed: Record<string, string>;
}

/** docker's policies; `unless-stopped` differs from `always` only for who starts containers at boot. */
export interface RestartPolicy {
  name: 'no' | 'on-failure' | 'always' | 'unless-stopped';
  /** of on-failure; 0: without limit. */
  maxRetries: number;
}

/** A profile is kept as text, so that a later start does not depend on the file. */
export type SeccompChoice =
  { kind: 'default' } | { kind: 'unconfined' } | { kind: 'profile'; path: string; text: string };

/** `private` covers docker's `shareable` too: nothing of ours distinguishes them. */
export type NamespaceMode = { kind: 'private' } | { kind: 'host' } | { kind: 'container'; id: ContainerId };

export interface DeviceSpec {
  hostPath: string;
  containerPath: string;
}

export interface NetworkSpec {
  /** The --network text; `container:` with the full id. */
  mode: string;
  publish: string[];
  publishAll: boolean;
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  extraHosts: string[];
  /** False: --no-hosts, --no-hostname. */
  manageHosts: boolean;
  manageHostname: boolean;
  /** What ended up published; filled by planNetwork. */
  ports: PublishedPort[];
  /** IPv4 address in a network of its own; filled with `ports`. */
  address: { ip: string; prefix: number; gateway: string } | undefined;
}

export interface PublishedPort {
  hostIp: string;
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp';
}
