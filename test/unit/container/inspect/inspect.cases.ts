// Fields and types of docker's Engine API reference (v1.47): ContainerInspect and ImageInspect. `?` marks what may be null.

export type FieldType = 'string' | 'number' | 'boolean' | 'array' | 'object';
type Schema = Readonly<Record<string, FieldType | `${FieldType}?`>>;

/** `.A.B` is the place in the JSON; `*` any one key. */
const CONFIG: Schema = {
  Hostname: 'string',
  Domainname: 'string',
  User: 'string',
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  ExposedPorts: 'object?',
  Tty: 'boolean',
  OpenStdin: 'boolean',
  StdinOnce: 'boolean',
  Env: 'array',
  Cmd: 'array?',
  Healthcheck: 'object?',
  ArgsEscaped: 'boolean',
  Image: 'string',
  Volumes: 'object?',
  WorkingDir: 'string',
  Entrypoint: 'array?',
  NetworkDisabled: 'boolean',
  MacAddress: 'string',
  OnBuild: 'array?',
  Labels: 'object?',
  StopSignal: 'string',
  StopTimeout: 'number?',
  Shell: 'array?',
};

export const HEALTH_SCHEMA: Readonly<Record<string, Schema>> = {
  '.State.Health': { Status: 'string', FailingStreak: 'number', Log: 'array' },
  '.State.Health.Log.*': { Start: 'string', End: 'string', ExitCode: 'number', Output: 'string' },
  '.Config.Healthcheck': { Test: 'array', Interval: 'number' },
};

export const CONTAINER_SCHEMA: Readonly<Record<string, Schema>> = {
  '': {
    Id: 'string',
    Created: 'string',
    Path: 'string',
    Args: 'array',
    State: 'object',
    Image: 'string',
    ResolvConfPath: 'string',
    HostnamePath: 'string',
    HostsPath: 'string',
    LogPath: 'string',
    Name: 'string',
    RestartCount: 'number',
    Driver: 'string',
    Platform: 'string',
    MountLabel: 'string',
    ProcessLabel: 'string',
    AppArmorProfile: 'string',
    ExecIDs: 'array?',
    HostConfig: 'object',
    GraphDriver: 'object',
    SizeRw: 'number?',
    SizeRootFs: 'number?',
    Mounts: 'array',
    Config: 'object',
    NetworkSettings: 'object',
  },
  '.State': {
    Status: 'string',
    Running: 'boolean',
    Paused: 'boolean',
    Restarting: 'boolean',
    OOMKilled: 'boolean',
    Dead: 'boolean',
    Pid: 'number',
    ExitCode: 'number',
    Error: 'string',
    StartedAt: 'string',
    FinishedAt: 'string',
    Health: 'object?',
  },
  '.Config': CONFIG,
  '.HostConfig': {
    CpuShares: 'number',
    Memory: 'number',
    CgroupParent: 'string',
    BlkioWeight: 'number',
    BlkioWeightDevice: 'array',
    BlkioDeviceReadBps: 'array',
    BlkioDeviceWriteBps: 'array',
    BlkioDeviceReadIOps: 'array',
    BlkioDeviceWriteIOps: 'array',
    CpuPeriod: 'number',
    CpuQuota: 'number',
    CpuRealtimePeriod: 'number',
    CpuRealtimeRuntime: 'number',
    CpusetCpus: 'string',
    CpusetMems: 'string',
    Devices: 'array',
    DeviceCgroupRules: 'array?',
    DeviceRequests: 'array?',
    KernelMemoryTCP: 'number',
    MemoryReservation: 'number',
    MemorySwap: 'number',
    MemorySwappiness: 'number?',
    NanoCpus: 'number',
    OomKillDisable: 'boolean?',
    Init: 'boolean?',
    PidsLimit: 'number?',
    Ulimits: 'array',
    CpuCount: 'number',
    CpuPercent: 'number',
    IOMaximumIOps: 'number',
    IOMaximumBandwidth: 'number',
    Binds: 'array?',
    ContainerIDFile: 'string',
    LogConfig: 'object',
    NetworkMode: 'string',
    PortBindings: 'object?',
    RestartPolicy: 'object',
    AutoRemove: 'boolean',
    VolumeDriver: 'string',
    VolumesFrom: 'array?',
    Mounts: 'array?',
    ConsoleSize: 'array?',
    Annotations: 'object',
    CapAdd: 'array?',
    CapDrop: 'array?',
    CgroupnsMode: 'string',
    Dns: 'array',
    DnsOptions: 'array',
    DnsSearch: 'array',
    ExtraHosts: 'array?',
    GroupAdd: 'array?',
    IpcMode: 'string',
    Cgroup: 'string',
    Links: 'array?',
    OomScoreAdj: 'number',
    PidMode: 'string',
    Privileged: 'boolean',
    PublishAllPorts: 'boolean',
    ReadonlyRootfs: 'boolean',
    SecurityOpt: 'array?',
    StorageOpt: 'object?',
    Tmpfs: 'object?',
    UTSMode: 'string',
    UsernsMode: 'string',
    ShmSize: 'number',
    Sysctls: 'object?',
    Runtime: 'string',
    Isolation: 'string',
    MaskedPaths: 'array',
    ReadonlyPaths: 'array',
  },
  '.HostConfig.LogConfig': { Type: 'string', Config: 'object' },
  '.HostConfig.RestartPolicy': { Name: 'string', MaximumRetryCount: 'number' },
  '.GraphDriver': { Name: 'string', Data: 'object' },
  '.GraphDriver.Data': { LowerDir: 'string', MergedDir: 'string', UpperDir: 'string', WorkDir: 'string' },
  '.Mounts.*': {
    Type: 'string',
    Name: 'string',
    Source: 'string',
    Destination: 'string',
    Driver: 'string',
    Mode: 'string',
    RW: 'boolean',
    Propagation: 'string',
  },
  '.NetworkSettings': {
    Bridge: 'string',
    SandboxID: 'string',
    HairpinMode: 'boolean',
    LinkLocalIPv6Address: 'string',
    LinkLocalIPv6PrefixLen: 'number',
    Ports: 'object',
    SandboxKey: 'string',
    SecondaryIPAddresses: 'array?',
    SecondaryIPv6Addresses: 'array?',
    EndpointID: 'string',
    Gateway: 'string',
    GlobalIPv6Address: 'string',
    GlobalIPv6PrefixLen: 'number',
    IPAddress: 'string',
    IPPrefixLen: 'number',
    IPv6Gateway: 'string',
    MacAddress: 'string',
    Networks: 'object',
  },
  '.NetworkSettings.Networks.*': {
    IPAMConfig: 'object?',
    Links: 'array?',
    MacAddress: 'string',
    Aliases: 'array?',
    NetworkID: 'string',
    EndpointID: 'string',
    Gateway: 'string',
    IPAddress: 'string',
    IPPrefixLen: 'number',
    IPv6Gateway: 'string',
    GlobalIPv6Address: 'string',
    GlobalIPv6PrefixLen: 'number',
    DriverOpts: 'object?',
    DNSNames: 'array?',
  },
};

export const IMAGE_SCHEMA: Readonly<Record<string, Schema>> = {
  '': {
    Id: 'string',
    RepoTags: 'array',
    RepoDigests: 'array',
    Parent: 'string',
    Comment: 'string',
    Created: 'string',
    DockerVersion: 'string',
    Author: 'string',
    Config: 'object',
    Architecture: 'string',
    Variant: 'string',
    Os: 'string',
    OsVersion: 'string',
    Size: 'number',
    VirtualSize: 'number',
    GraphDriver: 'object',
    RootFS: 'object',
    Metadata: 'object',
  },
  '.Config': CONFIG,
  '.GraphDriver': { Name: 'string', Data: 'object' },
  '.GraphDriver.Data': { LowerDir: 'string', MergedDir: 'string', UpperDir: 'string', WorkDir: 'string' },
  '.RootFS': { Type: 'string', Layers: 'array' },
  '.Metadata': { LastTagTime: 'string' },
};

/** `.Place.Field: what it is` for every field that is missing or of another type; and how many fields were looked at. */
export function compareWithSchema(
  json: unknown,
  schema: Readonly<Record<string, Schema>>,
): { wrong: string[]; seen: number } {
  const wrong: string[] = [];
  let seen = 0;
  for (const [place, fields] of Object.entries(schema)) {
    const objects = place.split('.').slice(1).reduce<unknown[]>(step, [json]);
    if (objects.length === 0) wrong.push(`${place}: nothing there`);
    for (const object of objects) {
      for (const [field, type] of Object.entries(fields)) {
        seen++;
        const is = typeName((object as Record<string, unknown>)[field]);
        if (is !== type.replace('?', '') && !(is === 'null' && type.endsWith('?')))
          wrong.push(`${place}.${field}: ${is}`);
      }
    }
  }
  return { wrong, seen };
}

function step(objects: unknown[], key: string): unknown[] {
  return objects.flatMap((object) => {
    const value = object as Record<string, unknown>;
    return key === '*' ? Object.values(value) : [value[key]];
  });
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
