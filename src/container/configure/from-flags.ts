// Image config + flags + what was looked up → ContainerSpec. (pure) Every flag of `run` that describes the container is
// judged here or in the file it is handed to; nothing is read, made or joined.

import type { Limits } from '../../cgroup/types.ts';
import { EngineError } from '../../core/errors.ts';
import type { IdMapChoice } from '../../runtime/idmap.ts';
import { checkMapped, toHostId } from '../../runtime/mapped-ids.ts';
import { cleanPath } from '../../runtime/mount-path.ts';
import {
  anonymousVolume,
  parseMount,
  parseTmpfs,
  parseVolume,
  type MountSpec,
} from '../../runtime/mount-spec.ts';
import { parseSignal } from '../../runtime/signals.ts';
import type {
  ConfigSpec,
  ContainerId,
  ContainerSpec,
  DeviceSpec,
  HostSpec,
  ProcessSpec,
  Recipe,
} from '../../runtime/spec.ts';
import { resolveGroups, resolveUser, type AccountFiles, type ResolvedUser } from '../../runtime/users.ts';
import type { ImageConfigSection } from '../../oci/image.ts';
import type { ChosenHealth } from './choose-health.ts';
import { mergeCommand } from './command-line.ts';
import { mergeEnvironment, type CallerEnv } from './environment.ts';
import { hostFromFlags, wholeNumber } from './host-from-flags.ts';
import type { KeyValueLine } from './key-value-file.ts';
import type { CreateOptions } from './options.ts';
import { exposedPorts } from './ports.ts';
import { mountsFrom } from './volumes-from.ts';

export interface SpecInput {
  options: CreateOptions;
  recipe: Recipe['flags'];
  /** No client is attached at first. */
  detached: boolean;
  /** The image or directory as typed. */
  what: string;
  /** The words after it. */
  words: readonly string[];
  imageConfig: ImageConfigSection;
  image: ContainerSpec['image'];
  rootfs: ContainerSpec['rootfs'];
  ids: IdMapChoice;
  id: ContainerId;
  name: string;
  createdAt: string;
  caller: { env: CallerEnv; cwd: string; hostname: string };
  envLines: readonly KeyValueLine[];
  labelLines: readonly KeyValueLine[];
  accounts: AccountFiles;
  limits: Limits;
  /** Text of the --security-opt seccomp=FILE. */
  seccompText: string | undefined;
  /** Devices of --device and --privileged, expanded to nodes that exist. */
  devices: DeviceSpec[];
  /** Full id of the container a `container:NAME` means. */
  resolveContainer: (reference: string) => ContainerId;
  /** What another container mounts (--volumes-from). */
  mountsOfContainer: (reference: string) => readonly MountSpec[];
  /** Host name of the container whose network is joined. */
  joinedHostname: string | undefined;
  /** --network, or the configured default. */
  network: string;
  health?: ChosenHealth | undefined;
}

export interface SpecResult {
  spec: ContainerSpec;
  /** Lines for stderr: what is not honoured, what weakens isolation. */
  notes: string[];
}

/** @throws USAGE, USER_UNKNOWN, CONTAINER_NOT_FOUND */
export function specFromFlags(input: SpecInput): SpecResult {
  const { options, imageConfig, ids } = input;
  if (options['no-hosts'] === true && options['add-host'].length > 0)
    throw new EngineError(
      'USAGE',
      '--no-hosts: conflicting options: --add-host needs an /etc/hosts to write to',
    );
  const notes: string[] = [...(input.health?.notes ?? [])];
  const mounts = mountsOf(input, notes);
  const host = hostFromFlags({ ...input, idMap: ids.idMap }, mounts, notes);
  const networkMode = joinedMode(input.network, input);
  const hostname = hostnameOf(input, host, networkMode);
  const user = userOf(input);
  checkMapped(user, ids.idMap, options.user ?? imageConfig.User ?? '');
  const command = mergeCommand(imageConfig, options.entrypoint, input.words, input.what);
  const process: ProcessSpec = {
    args: command.args,
    env: mergeEnvironment({
      image: imageConfig.Env ?? [],
      flags: options.env,
      files: input.envLines,
      caller: input.caller.env,
      tty: options.tty === true,
      hostname,
      home: user.home,
      passAll: options['env-host'] === true,
      passProxy: options['http-proxy'],
      unset: options.unsetenv,
      unsetAll: options['unsetenv-all'] === true,
    }),
    cwd: workdirOf(options.workdir, imageConfig.WorkingDir),
    containerUid: user.containerUid,
    containerGid: user.containerGid,
    additionalGids: user.additionalGids,
    keepGroups: options['group-add'].includes('keep-groups'),
  };
  const config: ConfigSpec = {
    hostname,
    domainname: options.domainname ?? '',
    user: userText(input),
    tty: options.tty === true,
    openStdin: options.interactive === true,
    stdinOnce: options.interactive === true && !input.detached,
    entrypoint: command.entrypoint,
    cmd: command.cmd,
    workingDir: options.workdir ?? imageConfig.WorkingDir ?? '',
    labels: labelsOf(input),
    annotations: annotationsOf(options.annotation),
    stopSignal: stopSignalOf(options, imageConfig),
    stopTimeoutS: wholeNumber('--stop-timeout', options['stop-timeout'], -1),
    exposedPorts: exposedPorts(Object.keys(imageConfig.ExposedPorts ?? {}), options.expose),
    volumes: anonymousTargets(input),
    healthcheck: input.health?.config,
  };
  const spec: ContainerSpec = {
    schemaVersion: 1,
    id: input.id,
    name: input.name,
    createdAt: input.createdAt,
    image: input.image,
    rootfs: input.rootfs,
    idMap: ids.idMap,
    mapKey: ids.mapKey,
    process,
    config,
    host,
    network: {
      mode: networkMode,
      publish: options.publish,
      publishAll: options['publish-all'] === true,
      dns: options.dns,
      dnsSearch: options['dns-search'],
      dnsOptions: options['dns-option'],
      extraHosts: options['add-host'],
      manageHosts: options['no-hosts'] !== true,
      manageHostname: options['no-hostname'] !== true,
      ports: [],
      address: undefined,
    },
    health: input.health?.spec,
    recipe: { flags: input.recipe, words: [input.what, ...input.words], cwd: input.caller.cwd },
  };
  return { spec, notes };
}

/** docker's order: what the command line says goes before what other containers have, and that before the image. */
function mountsOf(input: SpecInput, notes: string[]): MountSpec[] {
  const { options, caller, ids } = input;
  const mounts: MountSpec[] = [];
  const targets = new Set<string>();
  const add = (mount: MountSpec): void => {
    if (targets.has(mount.target)) throw new EngineError('USAGE', `duplicate mount point: ${mount.target}`);
    targets.add(mount.target);
    mounts.push(mount);
  };
  for (const text of options.volume) {
    const parsed = parseVolume(text, caller.cwd);
    notes.push(...parsed.notes);
    add(parsed.mount);
  }
  for (const text of options.mount) add(parseMount(text, caller.cwd).mount);
  for (const text of options.tmpfs) {
    const mount = parseTmpfs(text);
    checkTmpfsOwner(text, mount, ids);
    add(mount);
  }
  for (const mount of mountsFrom(options['volumes-from'], input.mountsOfContainer))
    if (!targets.has(mount.target)) add(mount);
  for (const target of imageVolumes(input)) if (!targets.has(target)) add(anonymousVolume(target));
  return mounts;
}

function imageVolumes({ imageConfig }: SpecInput): string[] {
  const paths = Object.keys(imageConfig.Volumes ?? {}).map((path) => cleanPath(`/${path}`));
  return [...new Set(paths)].filter((path) => path !== '/');
}

/** docker's Config.Volumes: VOLUMEs of the image, and -v PATH. */
function anonymousTargets(input: SpecInput): string[] {
  const own = input.options.volume.filter((text) => !text.includes(':')).map(cleanPath);
  return [...new Set([...imageVolumes(input), ...own])];
}

/** The kernel refuses an owner that does not exist in the container's user namespace. */
function checkTmpfsOwner(text: string, mount: MountSpec, { idMap }: IdMapChoice): void {
  if (idMap === undefined || mount.type !== 'tmpfs') return;
  for (const [, kind, id] of mount.data.matchAll(/(?:^|,)(uid|gid)=(\d+)/g)) {
    if (toHostId(idMap[kind as 'uid' | 'gid'], Number(id)) !== undefined) continue;
    throw new EngineError('USAGE', `--tmpfs ${JSON.stringify(text)}: ${kind} ${id} has no id on the host`);
  }
}

function hostnameOf(input: SpecInput, host: HostSpec, network: string): string {
  const { options, caller, id } = input;
  const shared = host.utsMode.kind === 'host';
  const joined = network.startsWith('container:') ? input.joinedHostname : undefined;
  if (options.hostname === undefined)
    return shared || network === 'host' ? caller.hostname : (joined ?? id.slice(0, 12));
  if (shared) throw new EngineError('USAGE', '--hostname: conflicting options: hostname and the UTS mode');
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(options.hostname)) {
    throw new EngineError(
      'USAGE',
      `--hostname ${JSON.stringify(options.hostname)}: invalid hostname, expected up to 64 letters, digits, - and .`,
    );
  }
  return options.hostname;
}

/** --user, else the kept ids of --userns keep-id, else the image's USER. */
function userText({ options, ids, imageConfig }: SpecInput): string {
  if (options.user !== undefined && options.user !== '') return options.user;
  if (ids.defaultUser !== undefined) return `${ids.defaultUser.uid}:${ids.defaultUser.gid}`;
  return imageConfig.User ?? '';
}

function userOf(input: SpecInput): ResolvedUser {
  const groups = input.options['group-add'].filter((group) => group !== 'keep-groups');
  if (groups.length < input.options['group-add'].length && groups.length > 0) {
    throw new EngineError('USAGE', '--group-add keep-groups: cannot be combined with other groups');
  }
  checkGroupsMapped(groups, input);
  return resolveUser(userText(input), input.accounts, groups);
}

/** Groups of the image's own files may lack a host id; one that was asked for may not be left out unseen. */
function checkGroupsMapped(groups: readonly string[], { ids: { idMap }, accounts }: SpecInput): void {
  if (idMap === undefined) return;
  for (const [i, gid] of resolveGroups(groups, accounts).entries()) {
    if (toHostId(idMap.gid, gid) !== undefined) continue;
    throw new EngineError(
      'USER_UNKNOWN',
      `--group-add ${JSON.stringify(groups[i])}: gid ${gid} has no id on the host`,
      {
        hint: 'add a larger range to /etc/subgid ("skiff doctor" tells how), or keep your own with --group-add keep-groups',
      },
    );
  }
}

function workdirOf(flag: string | undefined, image: string | undefined): string {
  if (flag !== undefined && flag !== '' && !flag.startsWith('/')) {
    throw new EngineError(
      'USAGE',
      `--workdir ${JSON.stringify(flag)}: the working directory is invalid, it needs to be an absolute path`,
    );
  }
  return cleanPath(`/${(flag === '' ? undefined : flag) ?? image ?? ''}`);
}

function labelsOf({ options, imageConfig, labelLines }: SpecInput): Record<string, string> {
  const labels: Record<string, string> = { ...imageConfig.Labels };
  for (const { key, value } of labelLines) labels[key] = value ?? '';
  return Object.assign(labels, pairs('--label', options.label));
}

/** Unlike a label, an annotation without a value is a mistake for docker. */
function annotationsOf(texts: readonly string[]): Record<string, string> {
  const bare = texts.find((text) => !text.includes('='));
  if (bare === undefined) return pairs('--annotation', texts);
  throw new EngineError('USAGE', `--annotation ${JSON.stringify(bare)}: expected KEY=VALUE`);
}

/** `key=value` or `key`. */
function pairs(flag: string, texts: readonly string[]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = at < 0 ? text : text.slice(0, at);
    if (key === '') throw new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: expected KEY=VALUE`);
    result[key] = at < 0 ? '' : text.slice(at + 1);
  }
  return result;
}

function stopSignalOf(options: CreateOptions, image: ImageConfigSection): string | undefined {
  const text = options['stop-signal'];
  if (text === undefined) return image.StopSignal === '' ? undefined : image.StopSignal;
  parseSignal(text, '--stop-signal');
  return text;
}

function joinedMode(network: string, { resolveContainer }: SpecInput): string {
  return network.startsWith('container:')
    ? `container:${resolveContainer(network.slice('container:'.length))}`
    : network;
}
