// ContainerSpec + what this host has to offer → HelperPlan. (pure) Everything that had to be looked up comes in as
// `PlanInput`; the same spec and input always give the same plan, so choices are tested without a kernel.

import type {
  CgroupPlan,
  Client,
  HealthPlan,
  HelperPlan,
  Lifetime,
  JournalFields,
  LogFile,
  NamespaceChoice,
  Namespaces,
  NetworkHelper,
  PlanEvents,
  RootTree,
  Stdio,
  UserNamespace,
} from '../native/plan.ts';
import { capabilityMask, capabilitySets } from './capabilities.ts';
import { mappedGids } from './mapped-ids.ts';
import { mayOpenDevices, planMounts } from './mounts.ts';
import { DEFAULT_STOP_TIMEOUT_S, stopSignalNumber } from './signals.ts';
import type { ContainerId, ContainerSpec, HealthSpec, NamespaceMode } from './spec.ts';
import { toRlimit } from './ulimits.ts';

export interface PlanInput {
  spec: ContainerSpec;
  user: UserNamespace;
  rootfs: RootTree;
  network: {
    namespace: NamespaceChoice;
    helper?: NetworkHelper | undefined;
    files: readonly { target: string; content: string }[];
    sysctls: readonly [name: string, value: string][];
  };
  /** Capabilities we hold ourselves, where the container gets no user namespace: more cannot be given. */
  available: bigint | undefined;
  /** 'default' or a compiled filter; see SeccompChoice. */
  seccomp: 'default' | 'unconfined' | Uint8Array;
  /** Host pid of the init of a container whose namespaces are joined. */
  pidOf: (id: ContainerId) => number;
  isDirectory: (hostPath: string) => boolean;
  isOnHost: (hostPath: string) => boolean;
  lifetime: Lifetime;
  /** undefined: none of its own. */
  cgroup: CgroupPlan | undefined;
  /** undefined for none. */
  log: LogFile | JournalFields | undefined;
  /** Of the monitor; undefined: this process keeps the container. */
  client: Client | undefined;
  events?: PlanEvents;
  /** The argv[0] the user typed, for messages. */
  label: string;
}

export function planContainer(input: PlanInput): HelperPlan {
  const { spec, network } = input;
  const { host, config } = spec;
  const inUserNamespace = input.user.kind !== 'host';
  const plan: HelperPlan = {
    namespaces: namespaces(input),
    rootfs: { ...input.rootfs, noDev: !mayOpenDevices({ inUserNamespace, privileged: host.privileged }) },
    rootPropagation: rootPropagation(spec),
    setup: planMounts({
      mounts: host.mounts,
      isDirectory: input.isDirectory,
      isOnHost: input.isOnHost,
      files: network.files,
      devices: host.devices,
      shmSizeBytes: host.shmSizeBytes,
      privileged: host.privileged,
      readOnlyRootfs: host.readOnlyRootfs,
      hostPid: host.pidMode.kind === 'host',
      hostIpc: host.ipcMode.kind === 'host',
      inUserNamespace,
      maskedPaths: host.maskedPaths,
      readonlyPaths: host.readonlyPaths,
    }),
    sysctls: [...new Map([...network.sysctls, ...host.sysctls])],
    process: processOf(input),
    stdio: stdioOf(input),
    lifetime: input.lifetime,
    label: input.label,
  };
  if (host.utsMode.kind === 'private') {
    plan.hostname = config.hostname;
    if (config.domainname !== '') plan.domainname = config.domainname;
  }
  if (network.helper !== undefined) plan.networkHelper = network.helper;
  if (input.cgroup !== undefined) plan.cgroup = input.cgroup;
  if (input.client !== undefined) plan.client = input.client;
  if (input.events !== undefined) plan.events = input.events;
  if (spec.health !== undefined) plan.health = healthOf(spec.health, config);
  return plan;
}

function namespaces({ spec, user, network, pidOf }: PlanInput): Namespaces {
  const { host } = spec;
  const choose = (mode: NamespaceMode, file: string): NamespaceChoice => {
    if (mode.kind === 'private') return { kind: 'new' };
    return mode.kind === 'host'
      ? { kind: 'host' }
      : { kind: 'join', path: `/proc/${pidOf(mode.id)}/ns/${file}` };
  };
  return {
    user,
    net: network.namespace,
    pid: choose(host.pidMode, 'pid'),
    ipc: choose(host.ipcMode, 'ipc'),
    uts: choose(host.utsMode, 'uts'),
    cgroup: choose(host.cgroupnsMode, 'cgroup'),
  };
}

/** A shared or slave bind needs a root that lets events through: runc's rule. */
function rootPropagation({ host }: ContainerSpec): HelperPlan['rootPropagation'] {
  const binds = host.mounts.flatMap((mount) => (mount.type === 'bind' ? [mount.propagation] : []));
  if (binds.some((propagation) => propagation.endsWith('shared'))) return 'rshared';
  return binds.some((propagation) => propagation.endsWith('slave')) ? 'rslave' : 'rprivate';
}

function processOf({ spec, seccomp, available }: PlanInput): HelperPlan['process'] {
  const { process, host } = spec;
  const asked = capabilityMask({ add: host.capAdd, drop: host.capDrop, privileged: host.privileged });
  const mask = available === undefined ? asked : asked & available;
  return {
    args: process.args,
    env: process.env,
    cwd: process.cwd,
    createCwd: true,
    containerUid: process.containerUid,
    containerGid: process.containerGid,
    additionalGids: mappedGids(process.additionalGids, spec.idMap),
    keepGroups: process.keepGroups,
    capabilities: capabilitySets(mask, process.containerUid),
    noNewPrivileges: host.noNewPrivileges,
    seccomp,
    rlimits: host.ulimits.map(toRlimit),
    ...(host.oomScoreAdj === undefined ? {} : { oomScoreAdj: host.oomScoreAdj }),
    init: host.init,
  };
}

function healthOf(health: HealthSpec, { stopSignal, stopTimeoutS }: ContainerSpec['config']): HealthPlan {
  const timeoutS = stopTimeoutS ?? DEFAULT_STOP_TIMEOUT_S;
  return {
    ...health,
    stopSignal: stopSignalNumber(stopSignal),
    stopTimeoutMs: timeoutS < 0 ? undefined : timeoutS * 1000,
  };
}

/** In a monitor there is nothing to inherit. */
function stdioOf({ spec, log, client }: PlanInput): Stdio {
  const { tty, openStdin: stdin, stdinOnce } = spec.config;
  const common = { stdin, stdinOnce, ...(log === undefined ? {} : { log }) };
  if (tty) return { kind: 'tty', ...common };
  return log === undefined && client === undefined
    ? { kind: 'inherit', stdin }
    : { kind: 'pipes', ...common };
}
