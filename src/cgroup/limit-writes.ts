// Limits as the files of a group, in the order in which a new group takes them. Pure. The conversions from v1's scales to
// v2's are runc's, so that a number means the same under every engine.

import type { LimitWrite, Limits } from './types.ts';

/** What to write for the limits that this version of cgroup has; `unsupportedLimits` names the others. */
export function limitWrites(limits: Limits, version: 1 | 2): LimitWrite[] {
  return version === 2 ? v2Writes(limits) : v1Writes(limits);
}

/** Limits that were asked for and do not exist in this version of cgroup. */
export function unsupportedLimits(limits: Limits, version: 1 | 2): (keyof Limits)[] {
  if (version === 1) return [];
  const absent: (keyof Limits)[] = [];
  if (limits.memorySwappiness !== undefined && limits.memorySwappiness !== -1)
    absent.push('memorySwappiness');
  if (limits.oomKillDisable === true) absent.push('oomKillDisable');
  return absent;
}

const DEFAULT_PERIOD_US = 100_000;

/** CPU time for each period. --cpus is a quota of docker's 100 ms. */
function quotaOf(limits: Limits): { quotaUs: number | undefined; periodUs: number | undefined } {
  if (limits.nanoCpus !== undefined && limits.nanoCpus > 0)
    return { quotaUs: Math.round((limits.nanoCpus * DEFAULT_PERIOD_US) / 1e9), periodUs: DEFAULT_PERIOD_US };
  return { quotaUs: limits.cpuQuotaUs, periodUs: limits.cpuPeriodUs };
}

function v1Writes(limits: Limits): LimitWrite[] {
  const writes: LimitWrite[] = [];
  const add = (limit: keyof Limits, controller: LimitWrite['controller'], file: string, value: unknown) => {
    if (value !== undefined) writes.push({ limit, controller, file, value: String(value) });
  };
  add('memoryBytes', 'memory', 'memory.limit_in_bytes', limits.memoryBytes);
  add('memorySwapBytes', 'memory', 'memory.memsw.limit_in_bytes', limits.memorySwapBytes);
  add('memoryReservationBytes', 'memory', 'memory.soft_limit_in_bytes', limits.memoryReservationBytes);
  if (limits.memorySwappiness !== -1)
    add('memorySwappiness', 'memory', 'memory.swappiness', limits.memorySwappiness);
  if (limits.oomKillDisable === true) add('oomKillDisable', 'memory', 'memory.oom_control', 1);
  const { quotaUs, periodUs } = quotaOf(limits);
  const quota = limits.nanoCpus === undefined ? 'cpuQuotaUs' : 'nanoCpus';
  add(limits.nanoCpus === undefined ? 'cpuPeriodUs' : 'nanoCpus', 'cpu', 'cpu.cfs_period_us', periodUs);
  add(quota, 'cpu', 'cpu.cfs_quota_us', quotaUs);
  add('cpuShares', 'cpu', 'cpu.shares', limits.cpuShares);
  add('cpusetCpus', 'cpuset', 'cpuset.cpus', limits.cpusetCpus);
  add('cpusetMems', 'cpuset', 'cpuset.mems', limits.cpusetMems);
  add('pidsLimit', 'pids', 'pids.max', limits.pidsLimit === undefined ? undefined : orMax(limits.pidsLimit));
  add('blkioWeight', 'blkio', 'blkio.weight', limits.blkioWeight);
  for (const [write, weight] of writes.map((write) => [write, limits.blkioWeight] as const))
    if (write.limit === 'blkioWeight') write.instead = { file: 'blkio.bfq.weight', value: String(weight) };
  return writes;
}

function v2Writes(limits: Limits): LimitWrite[] {
  const writes: LimitWrite[] = [];
  const add = (limit: keyof Limits, controller: LimitWrite['controller'], file: string, value: unknown) => {
    if (value !== undefined) writes.push({ limit, controller, file, value: String(value) });
  };
  const { memoryBytes, memorySwapBytes, pidsLimit, blkioWeight } = limits;
  add('memoryBytes', 'memory', 'memory.max', memoryBytes === undefined ? undefined : orMax(memoryBytes));
  add('memorySwapBytes', 'memory', 'memory.swap.max', swapMax(memoryBytes, memorySwapBytes));
  add('memoryReservationBytes', 'memory', 'memory.low', limits.memoryReservationBytes);
  const { quotaUs, periodUs } = quotaOf(limits);
  if (quotaUs !== undefined || periodUs !== undefined)
    add(
      limits.nanoCpus !== undefined ? 'nanoCpus' : quotaUs !== undefined ? 'cpuQuotaUs' : 'cpuPeriodUs',
      'cpu',
      'cpu.max',
      `${orMax(quotaUs ?? -1)} ${String(periodUs ?? DEFAULT_PERIOD_US)}`,
    );
  add('cpuShares', 'cpu', 'cpu.weight', weightOfShares(limits.cpuShares));
  add('cpusetCpus', 'cpuset', 'cpuset.cpus', limits.cpusetCpus);
  add('cpusetMems', 'cpuset', 'cpuset.mems', limits.cpusetMems);
  add('pidsLimit', 'pids', 'pids.max', pidsLimit === undefined ? undefined : orMax(pidsLimit));
  if (blkioWeight !== undefined && blkioWeight !== 0)
    writes.push({
      limit: 'blkioWeight',
      controller: 'io',
      file: 'io.bfq.weight',
      value: String(blkioWeight),
      instead: { file: 'io.weight', value: String(ioWeight(blkioWeight)) },
    });
  return writes;
}

function orMax(value: number): string {
  return value <= 0 ? 'max' : String(value);
}

/** v1 counts memory and swap together, v2 swap alone. */
function swapMax(memoryBytes: number | undefined, memorySwapBytes: number | undefined): string | undefined {
  if (memorySwapBytes === undefined || memorySwapBytes === 0) return undefined;
  if (memorySwapBytes < 0) return 'max';
  if (memoryBytes === undefined) return undefined;
  return String(Math.max(0, memorySwapBytes - memoryBytes));
}

/** v1's shares (2–262144) on v2's scale (1–10000). */
function weightOfShares(shares: number | undefined): number | undefined {
  if (shares === undefined || shares === 0) return undefined;
  const bounded = Math.min(Math.max(shares, 2), 262144);
  return 1 + Math.floor(((bounded - 2) * 9999) / 262142);
}

/** v1's blkio weight (10–1000) on the scale of io.weight (1–10000). */
function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}
