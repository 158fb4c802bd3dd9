// What the parts of this folder pass to each other, and to those who ask for limits or look at a container's group.

/** What a container may use. undefined: not asked for. Amounts are as docker's API counts them. */
export interface Limits {
  memoryBytes?: number | undefined;
  /** Memory and swap together; -1: as much swap as the host has. */
  memorySwapBytes?: number | undefined;
  memoryReservationBytes?: number | undefined;
  /** 0–100. cgroup v1 alone. */
  memorySwappiness?: number | undefined;
  /** --cpus in units of 1e-9 CPUs. */
  nanoCpus?: number | undefined;
  cpuPeriodUs?: number | undefined;
  /** -1: no limit. */
  cpuQuotaUs?: number | undefined;
  /** Relative weight, 2–262144, 1024 being everybody's. */
  cpuShares?: number | undefined;
  /** "0-3,7" */
  cpusetCpus?: string | undefined;
  cpusetMems?: string | undefined;
  /** -1: no limit. */
  pidsLimit?: number | undefined;
  /** Relative weight, 10–1000. */
  blkioWeight?: number | undefined;
  blkioWeightDevice?: DeviceAmount[] | undefined;
  deviceReadBps?: DeviceAmount[] | undefined;
  deviceWriteBps?: DeviceAmount[] | undefined;
  deviceReadIops?: DeviceAmount[] | undefined;
  deviceWriteIops?: DeviceAmount[] | undefined;
  /** cgroup v1 alone. */
  oomKillDisable?: boolean | undefined;
}

/** An amount for one block device: /dev/sda is path, "8:0" its number. */
export interface DeviceAmount {
  path: string;
  device: string;
  amount: number;
}

/** Controllers of cgroup v1 a container gets a group of; freezer for pause. */
export const V1_CONTROLLERS = ['memory', 'cpu', 'cpuacct', 'cpuset', 'pids', 'freezer', 'blkio'] as const;
export type V1Controller = (typeof V1_CONTROLLERS)[number];
export type V2Controller = 'memory' | 'cpu' | 'cpuset' | 'pids' | 'io';

/** One file to write in a group's directory. `limit` is what it is for. */
export interface LimitWrite {
  controller: V1Controller | V2Controller;
  file: string;
  value: string;
  limit: keyof Limits;
  /** Where the kernel lacks `file`. */
  instead?: { file: string; value: string };
  /** Follows from another limit that was asked for. */
  implied?: boolean;
}

/** A unit of systemd a group is in: processes from elsewhere may have to be moved there by its manager. */
export interface ScopeUnit {
  /** "skiff-<id>.scope" */
  name: string;
  manager: 'user' | 'system';
}

/**
 * The group that holds the processes of a container (and nobody else), as absolute directories below /sys/fs/cgroup.
 * They exist only while the container runs.
 */
export type ContainerCgroup =
  | { version: 2; path: string; unit?: ScopeUnit | undefined }
  | { version: 1; paths: Partial<Record<V1Controller, string>> };
