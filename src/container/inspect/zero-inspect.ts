// What docker's API reference (v1.47) has in a container's JSON and skiff has no value for, each with its zero value:
// templates and scripts read fields without asking whether they are there. inspect.ts puts the values on top. (constants)

type Zero = Readonly<Record<string, unknown>>;

export const ZERO_CONTAINER: Zero = { SizeRw: null, SizeRootFs: null };

export const ZERO_STATE: Zero = { Health: null };

export const ZERO_HOST_CONFIG: Zero = {
  CpuShares: 0,
  Memory: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  DeviceCgroupRules: null,
  DeviceRequests: null,
  KernelMemoryTCP: 0,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  NanoCpus: 0,
  OomKillDisable: null,
  PidsLimit: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  VolumeDriver: '',
  VolumesFrom: null,
  Mounts: null,
  ConsoleSize: [0, 0],
  Cgroup: '',
  Links: null,
  StorageOpt: null,
  Isolation: '',
};

export const ZERO_NETWORK_SETTINGS: Zero = {
  HairpinMode: false,
  LinkLocalIPv6Address: '',
  LinkLocalIPv6PrefixLen: 0,
  SecondaryIPAddresses: null,
  SecondaryIPv6Addresses: null,
  EndpointID: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPv6Gateway: '',
  MacAddress: '',
};

export const ZERO_ENDPOINT: Zero = {
  IPAMConfig: null,
  Links: null,
  Aliases: null,
  DriverOpts: null,
  GwPriority: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  DNSNames: null,
};

export const ZERO_MOUNT: Zero = { Name: '', Driver: '' };
