// Limits as the files of a group, in the order in which a new group takes them. (pure) The conversions from v1's scales to
// v2's are those of the OCI runtimes, so that a number means the same under every engine.

import type { Limits, LimitWrite } from './types.ts';

/** What to write for the limits that this version of cgroup has; `unsupportedLimits` names the others. */
export function limitWrites(limits: Limits, version: 1 | 2): LimitWrite[] {
  return version === 2 ? v2Writes(limits) : v1Writes(limits);
}

/** Limits that were asked for and do not exist in this version of cgroup. */
export function unsupportedLimits(limits: Limits, version: 1 | 2): (keyof Limits)[] {
  if (version === 1) return [];
  const absent: (keyof Limits)[] = [];
  if (limits.memorySwappiness !== undefined) absent.push('memorySwappiness');
  if (limits.oomKillDisable === true) absent.push('oomKillDisable');
  return absent;
}

const DEFAULT_PERIOD_US = 100_000;

/** CPU time for each period, and what asked for it. --cpus is a quota of docker's 100 ms. */
function cpuTime(limits: Limits): { limit: keyof Limits; quotaUs?: number; periodUs?: number } | undefined {
  const { nanoCpus, cpuQuotaUs: quotaUs, cpuPeriodUs: periodUs } = limits;
  if (nanoCpus !== undefined)
    return {
      limit: 'nanoCpus',
      quotaUs: Math.round((nanoCpus * DEFAULT_PERIOD_US) / 1e9),
      periodUs: DEFAULT_PERIOD_US,
    };
  if (quotaUs === undefined && periodUs === undefined) return undefined;
  return {
    limit: quotaUs === undefined ? 'cpuPeriodUs' : 'cpuQuotaUs',
    ...(quotaUs !== undefined && { quotaUs }),
    ...(periodUs !== undefined && { periodUs }),
  };
}

/** Twice the memory is docker's default, where nothing was said about swap. */
function isDefaultSwap({ memoryBytes, memorySwapBytes }: Limits): boolean {
  return memoryBytes !== undefined && memorySwapBytes === 2 * memoryBytes;
}

type Add = (
  limit: keyof Limits,
  file: string,
  value: string | number | undefined,
  more?: Pick<LimitWrite, 'instead' | 'implied'>,
) => void;

/** The controller is the first word of a file's name. */
function collect(fill: (add: Add) => void): LimitWrite[] {
  const writes: LimitWrite[] = [];
  fill((limit, file, value, more) => {
    if (value === undefined) return;
    const controller = file.slice(0, file.indexOf('.')) as LimitWrite['controller'];
    writes.push({ limit, controller, file, value: String(value), ...more });
  });
  return writes;
}

function v1Writes(limits: Limits): LimitWrite[] {
  return collect((add) => {
    add('memoryBytes', 'memory.limit_in_bytes', limits.memoryBytes);
    add(
      'memorySwapBytes',
      'memory.memsw.limit_in_bytes',
      limits.memorySwapBytes,
      isDefaultSwap(limits) ? { implied: true } : {},
    );
    add('memoryReservationBytes', 'memory.soft_limit_in_bytes', limits.memoryReservationBytes);
    add('memorySwappiness', 'memory.swappiness', limits.memorySwappiness);
    if (limits.oomKillDisable === true) add('oomKillDisable', 'memory.oom_control', 1);
    const cpu = cpuTime(limits);
    if (cpu !== undefined) {
      add(cpu.limit, 'cpu.cfs_period_us', cpu.periodUs);
      add(cpu.limit, 'cpu.cfs_quota_us', cpu.quotaUs);
    }
    add('cpuShares', 'cpu.shares', limits.cpuShares);
    add('cpusetCpus', 'cpuset.cpus', limits.cpusetCpus);
    add('cpusetMems', 'cpuset.mems', limits.cpusetMems);
    add('pidsLimit', 'pids.max', limits.pidsLimit === undefined ? undefined : orMax(limits.pidsLimit));
    const { blkioWeight: weight } = limits;
    if (weight !== undefined)
      add('blkioWeight', 'blkio.weight', weight, {
        instead: { file: 'blkio.bfq.weight', value: String(weight) },
      });
    for (const { device, amount } of limits.blkioWeightDevice ?? [])
      add('blkioWeightDevice', 'blkio.weight_device', `${device} ${amount}`, {
        instead: { file: 'blkio.bfq.weight_device', value: `${device} ${amount}` },
      });
    for (const [limit, file] of THROTTLES)
      for (const { device, amount } of limits[limit] ?? [])
        add(limit, `blkio.throttle.${file}_device`, `${device} ${amount}`);
  });
}

function v2Writes(limits: Limits): LimitWrite[] {
  const { memoryBytes, memorySwapBytes, pidsLimit, blkioWeight: weight } = limits;
  return collect((add) => {
    add('memoryBytes', 'memory.max', memoryBytes === undefined ? undefined : orMax(memoryBytes));
    add(
      'memorySwapBytes',
      'memory.swap.max',
      swapMax(memoryBytes, memorySwapBytes),
      isDefaultSwap(limits) ? { implied: true } : {},
    );
    add('memoryReservationBytes', 'memory.low', limits.memoryReservationBytes);
    const cpu = cpuTime(limits);
    if (cpu !== undefined)
      add(cpu.limit, 'cpu.max', `${orMax(cpu.quotaUs ?? -1)} ${cpu.periodUs ?? DEFAULT_PERIOD_US}`);
    add('cpuShares', 'cpu.weight', cpuWeight(limits.cpuShares));
    add('cpusetCpus', 'cpuset.cpus', limits.cpusetCpus);
    add('cpusetMems', 'cpuset.mems', limits.cpusetMems);
    add('pidsLimit', 'pids.max', pidsLimit === undefined ? undefined : orMax(pidsLimit));
    if (weight !== undefined)
      add('blkioWeight', 'io.bfq.weight', weight, {
        instead: { file: 'io.weight', value: String(ioWeight(weight)) },
      });
    for (const { device, amount } of limits.blkioWeightDevice ?? [])
      add('blkioWeightDevice', 'io.bfq.weight', `${device} ${amount}`, {
        instead: { file: 'io.weight', value: `${device} ${ioWeight(amount)}` },
      });
    for (const [limit, , key] of THROTTLES)
      for (const { device, amount } of limits[limit] ?? [])
        add(limit, 'io.max', `${device} ${key}=${amount}`);
  });
}

const THROTTLES = [
  ['deviceReadBps', 'read_bps', 'rbps'],
  ['deviceWriteBps', 'write_bps', 'wbps'],
  ['deviceReadIops', 'read_iops', 'riops'],
  ['deviceWriteIops', 'write_iops', 'wiops'],
] as const satisfies [keyof Limits, string, string][];

function orMax(value: number): string {
  return value <= 0 ? 'max' : String(value);
}

/** v1 counts memory and swap together, v2 swap alone. */
function swapMax(memoryBytes: number | undefined, memorySwapBytes: number | undefined): string | undefined {
  if (memorySwapBytes === undefined) return undefined;
  if (memorySwapBytes < 0) return 'max';
  return memoryBytes === undefined ? undefined : String(Math.max(0, memorySwapBytes - memoryBytes));
}

/** v1's shares (2–262144) on v2's scale (1–10000). */
function cpuWeight(shares: number | undefined): number | undefined {
  if (shares === undefined) return undefined;
  const bounded = Math.min(Math.max(shares, 2), 262144);
  return 1 + Math.floor(((bounded - 2) * 9999) / 262142);
}

/** v1's blkio weight (10–1000) on the scale of io.weight (1–10000). */
function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}
