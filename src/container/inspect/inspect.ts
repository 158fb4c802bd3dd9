// `inspect` of a container: docker's JSON. (pure) Fields of docker's API reference that skiff has no counterpart for have
// their zero value (zero-inspect.ts) rather than an invented one.

import type { DeviceAmount } from '../../cgroup/types.ts';
import { ZERO_CONFIG, ZERO_OVERLAY } from '../../image/zero-config.ts';
import type { MountSpec } from '../../runtime/mount-spec.ts';
import type { ContainerSpec, DeviceSpec, NamespaceMode, PublishedPort } from '../../runtime/spec.ts';
import type { Health } from '../health.ts';
import { stateWord, type ContainerState } from '../state.ts';
import {
  ZERO_CONTAINER,
  ZERO_ENDPOINT,
  ZERO_HOST_CONFIG,
  ZERO_MOUNT,
  ZERO_NETWORK_SETTINGS,
  ZERO_STATE,
} from './zero-inspect.ts';

const NEVER = '0001-01-01T00:00:00Z';

export interface InspectInput {
  spec: ContainerSpec;
  state: ContainerState;
  health: Health | undefined;
  /** Host path of containers/<id>. */
  dir: string;
}

export function inspectContainer({ spec, state, health, dir }: InspectInput): Record<string, unknown> {
  const { process, config, host, network } = spec;
  const address = state.pid === undefined ? undefined : network.address;
  return {
    ...ZERO_CONTAINER,
    Id: spec.id,
    Created: spec.createdAt,
    Path: process.args[0],
    Args: process.args.slice(1),
    State: {
      ...ZERO_STATE,
      Status: stateWord(state),
      Running: state.status === 'running' || state.status === 'restarting',
      Paused: state.paused,
      Restarting: state.status === 'restarting',
      OOMKilled: state.oomKilled,
      Dead: false,
      Pid: state.pid ?? 0,
      ExitCode: state.exitCode,
      Error: state.error,
      StartedAt: time(state.startedAtMs),
      FinishedAt: time(state.finishedAtMs),
      ...(health === undefined ? {} : { Health: health }),
    },
    Image: spec.image?.id ?? '',
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: host.logDriver === 'json-file' ? `${dir}/log` : '',
    Name: `/${spec.name}`,
    RestartCount: state.restartCount,
    Driver: spec.rootfs.kind === 'layers' ? 'overlay2' : 'rootfs',
    Platform: spec.image?.platform.os ?? 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: hostConfig(spec),
    GraphDriver:
      spec.rootfs.kind === 'layers'
        ? { Name: 'overlay2', Data: { ...ZERO_OVERLAY, UpperDir: `${dir}/upper`, WorkDir: `${dir}/work` } }
        : { Name: 'rootfs', Data: { Path: spec.rootfs.path } },
    Mounts: host.mounts.map(mountPoint),
    Config: {
      ...ZERO_CONFIG,
      Hostname: config.hostname,
      Domainname: config.domainname,
      User: config.user,
      AttachStdin: config.stdinOnce,
      AttachStdout: true,
      AttachStderr: true,
      ...(config.exposedPorts.length === 0 ? {} : { ExposedPorts: keys(config.exposedPorts) }),
      Tty: config.tty,
      OpenStdin: config.openStdin,
      StdinOnce: config.stdinOnce,
      Env: process.env,
      Cmd: config.cmd,
      Image: spec.image?.name ?? '',
      Volumes: config.volumes.length === 0 ? null : keys(config.volumes),
      WorkingDir: config.workingDir,
      Entrypoint: config.entrypoint,
      OnBuild: null,
      Labels: config.labels,
      ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
      ...(config.stopTimeoutS === undefined ? {} : { StopTimeout: config.stopTimeoutS }),
      ...(config.healthcheck === undefined ? {} : { Healthcheck: config.healthcheck }),
      // podman's
      ...(spec.health === undefined || spec.health.action === 'none'
        ? {}
        : { HealthcheckOnFailureAction: spec.health.action }),
    },
    NetworkSettings: {
      ...ZERO_NETWORK_SETTINGS,
      Bridge: '',
      SandboxID: '',
      Ports: portMap(network.ports, config.exposedPorts),
      SandboxKey: state.pid === undefined ? '' : `/proc/${state.pid}/ns/net`,
      IPAddress: address?.ip ?? '',
      IPPrefixLen: address?.prefix ?? 0,
      Gateway: address?.gateway ?? '',
      Networks: {
        [networkName(network.mode)]: {
          ...ZERO_ENDPOINT,
          NetworkID: '',
          EndpointID: '',
          Gateway: address?.gateway ?? '',
          IPAddress: address?.ip ?? '',
          IPPrefixLen: address?.prefix ?? 0,
          MacAddress: '',
        },
      },
    },
  };
}

function hostConfig({ host, network, config }: ContainerSpec): Record<string, unknown> {
  return {
    ...ZERO_HOST_CONFIG,
    Binds: host.binds.length === 0 ? null : host.binds,
    ContainerIDFile: '',
    LogConfig: { Type: host.logDriver, Config: host.logOptions.typed },
    NetworkMode: network.mode,
    PortBindings: portBindings(network.ports),
    RestartPolicy: { Name: host.restart.name, MaximumRetryCount: host.restart.maxRetries },
    AutoRemove: host.autoRemove,
    Annotations: config.annotations,
    CapAdd: orNull(host.capAdd),
    CapDrop: orNull(host.capDrop),
    CgroupnsMode: modeText(host.cgroupnsMode),
    Dns: network.dns,
    DnsOptions: network.dnsOptions,
    DnsSearch: network.dnsSearch,
    ExtraHosts: orNull(network.extraHosts),
    GroupAdd: orNull(host.groupAdd),
    IpcMode: modeText(host.ipcMode),
    OomScoreAdj: host.oomScoreAdj ?? 0,
    ...resources(host),
    PidMode: host.pidMode.kind === 'private' ? '' : modeText(host.pidMode),
    Privileged: host.privileged,
    PublishAllPorts: network.publishAll,
    ReadonlyRootfs: host.readOnlyRootfs,
    SecurityOpt: orNull(host.securityOpt),
    Tmpfs: Object.fromEntries(
      host.mounts.flatMap((mount) => (mount.type === 'tmpfs' ? [[mount.target, mount.data]] : [])),
    ),
    VolumesFrom: orNull(host.volumesFrom),
    UTSMode: host.utsMode.kind === 'private' ? '' : modeText(host.utsMode),
    UsernsMode: host.usernsMode,
    ShmSize: host.shmSizeBytes,
    Sysctls: Object.fromEntries(host.sysctls),
    Runtime: 'skiff',
    Init: host.init,
    Devices: host.devices.map(device),
    Ulimits: host.ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    MaskedPaths: host.maskedPaths,
    ReadonlyPaths: host.readonlyPaths,
  };
}

/** docker's `Resources`. Absent limits have zero-inspect.ts' values. */
function resources({ limits, cgroupParent }: ContainerSpec['host']): Record<string, unknown> {
  const rates = (list: DeviceAmount[] | undefined, key: string): unknown =>
    list?.map(({ path, amount }) => ({ Path: path, [key]: amount }));
  const all = {
    CgroupParent: cgroupParent,
    Memory: limits.memoryBytes,
    MemorySwap: limits.memorySwapBytes,
    MemoryReservation: limits.memoryReservationBytes,
    MemorySwappiness: limits.memorySwappiness,
    NanoCpus: limits.nanoCpus,
    CpuPeriod: limits.cpuPeriodUs,
    CpuQuota: limits.cpuQuotaUs,
    CpuShares: limits.cpuShares,
    CpusetCpus: limits.cpusetCpus,
    CpusetMems: limits.cpusetMems,
    PidsLimit: limits.pidsLimit,
    BlkioWeight: limits.blkioWeight,
    BlkioWeightDevice: rates(limits.blkioWeightDevice, 'Weight'),
    BlkioDeviceReadBps: rates(limits.deviceReadBps, 'Rate'),
    BlkioDeviceWriteBps: rates(limits.deviceWriteBps, 'Rate'),
    BlkioDeviceReadIOps: rates(limits.deviceReadIops, 'Rate'),
    BlkioDeviceWriteIOps: rates(limits.deviceWriteIops, 'Rate'),
    OomKillDisable: limits.oomKillDisable,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function mountPoint(mount: MountSpec): Record<string, unknown> {
  const base = { ...ZERO_MOUNT, Destination: mount.target, RW: mount.flags.readOnly !== true };
  switch (mount.type) {
    case 'bind':
      return {
        Type: 'bind',
        Source: mount.source,
        ...base,
        Mode: mount.flags.readOnly === true ? 'ro' : '',
        Propagation: mount.propagation,
      };
    case 'tmpfs':
      return { Type: 'tmpfs', Source: '', ...base, Mode: '', Propagation: '' };
    case 'volume':
      return {
        Type: 'volume',
        Name: mount.name ?? '',
        Source: mount.source?.kind === 'directory' ? mount.source.path : '',
        Destination: mount.target,
        Driver: 'local',
        Mode: mount.mode,
        RW: mount.flags.readOnly !== true && mount.source?.flags.readOnly !== true,
        Propagation: '',
      };
  }
}

function device({ hostPath, containerPath }: DeviceSpec): Record<string, string> {
  return { PathOnHost: hostPath, PathInContainer: containerPath, CgroupPermissions: 'rwm' };
}

/** docker lists exposed ports too, with null when nothing is published. */
function portMap(ports: readonly PublishedPort[], exposed: readonly string[]): Record<string, unknown> {
  return { ...Object.fromEntries(exposed.map((port) => [port, null])), ...portBindings(ports) };
}

function portBindings(
  ports: readonly PublishedPort[],
): Record<string, { HostIp: string; HostPort: string }[]> {
  const map: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of ports) {
    (map[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: String(hostPort) });
  }
  return map;
}

function modeText(mode: NamespaceMode): string {
  return mode.kind === 'container' ? `container:${mode.id}` : mode.kind;
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list;
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function time(ms: number | undefined): string {
  return ms === undefined ? NEVER : new Date(ms).toISOString();
}

/** What docker's scripts look for: `.NetworkSettings.Networks.bridge` of a container that asked for no network. */
function networkName(mode: string): string {
  return mode === 'default' ? 'bridge' : mode;
}
