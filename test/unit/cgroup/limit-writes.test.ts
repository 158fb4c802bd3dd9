import { describe, expect, it } from 'vitest';
import { limitWrites, unsupportedLimits } from '../../../src/cgroup/limit-writes.ts';
import type { Limits } from '../../../src/cgroup/types.ts';

/** "file=value", and " or file=value" where the kernel has no such file; "?" where nobody misses it. */
function written(limits: Limits, version: 1 | 2): string[] {
  return limitWrites(limits, version).map(
    ({ file, value, instead, implied }) =>
      `${file}=${value}${instead === undefined ? '' : ` or ${instead.file}=${instead.value}`}${implied === true ? '?' : ''}`,
  );
}

const MB = 2 ** 20;
const SDA = [{ path: '/dev/sda', device: '8:0', amount: 1000 }];

const CASES: [Limits, v1: string[], v2: string[]][] = [
  [{}, [], []],
  [{ memoryBytes: 64 * MB }, ['memory.limit_in_bytes=67108864'], ['memory.max=67108864']],
  [
    { memoryBytes: 64 * MB, memorySwapBytes: 128 * MB },
    ['memory.limit_in_bytes=67108864', 'memory.memsw.limit_in_bytes=134217728?'],
    ['memory.max=67108864', 'memory.swap.max=67108864?'],
  ],
  [
    { memoryBytes: 64 * MB, memorySwapBytes: 64 * MB },
    ['memory.limit_in_bytes=67108864', 'memory.memsw.limit_in_bytes=67108864'],
    ['memory.max=67108864', 'memory.swap.max=0'],
  ],
  [
    { memoryBytes: 64 * MB, memorySwapBytes: -1 },
    ['memory.limit_in_bytes=67108864', 'memory.memsw.limit_in_bytes=-1'],
    ['memory.max=67108864', 'memory.swap.max=max'],
  ],
  [{ memoryReservationBytes: 8 * MB }, ['memory.soft_limit_in_bytes=8388608'], ['memory.low=8388608']],
  [{ memorySwappiness: 0 }, ['memory.swappiness=0'], []],
  [{ oomKillDisable: true }, ['memory.oom_control=1'], []],
  [{ nanoCpus: 5e8 }, ['cpu.cfs_period_us=100000', 'cpu.cfs_quota_us=50000'], ['cpu.max=50000 100000']],
  [{ nanoCpus: 1e7 }, ['cpu.cfs_period_us=100000', 'cpu.cfs_quota_us=1000'], ['cpu.max=1000 100000']],
  [{ cpuQuotaUs: 20000 }, ['cpu.cfs_quota_us=20000'], ['cpu.max=20000 100000']],
  [{ cpuPeriodUs: 50000 }, ['cpu.cfs_period_us=50000'], ['cpu.max=max 50000']],
  [
    { cpuPeriodUs: 50000, cpuQuotaUs: -1 },
    ['cpu.cfs_period_us=50000', 'cpu.cfs_quota_us=-1'],
    ['cpu.max=max 50000'],
  ],
  [{ cpuShares: 1024 }, ['cpu.shares=1024'], ['cpu.weight=39']],
  [{ cpuShares: 2 }, ['cpu.shares=2'], ['cpu.weight=1']],
  [{ cpuShares: 1 }, ['cpu.shares=1'], ['cpu.weight=1']],
  [{ cpuShares: 262144 }, ['cpu.shares=262144'], ['cpu.weight=10000']],
  [{ cpuShares: 1e9 }, ['cpu.shares=1000000000'], ['cpu.weight=10000']],
  [
    { cpusetCpus: '0-1', cpusetMems: '0' },
    ['cpuset.cpus=0-1', 'cpuset.mems=0'],
    ['cpuset.cpus=0-1', 'cpuset.mems=0'],
  ],
  [{ pidsLimit: 20 }, ['pids.max=20'], ['pids.max=20']],
  [{ pidsLimit: -1 }, ['pids.max=max'], ['pids.max=max']],
  [{ blkioWeight: 10 }, ['blkio.weight=10 or blkio.bfq.weight=10'], ['io.bfq.weight=10 or io.weight=1']],
  [
    { blkioWeight: 1000 },
    ['blkio.weight=1000 or blkio.bfq.weight=1000'],
    ['io.bfq.weight=1000 or io.weight=10000'],
  ],
  [
    { blkioWeightDevice: SDA },
    ['blkio.weight_device=8:0 1000 or blkio.bfq.weight_device=8:0 1000'],
    ['io.bfq.weight=8:0 1000 or io.weight=8:0 10000'],
  ],
  [{ deviceReadBps: SDA }, ['blkio.throttle.read_bps_device=8:0 1000'], ['io.max=8:0 rbps=1000']],
  [{ deviceWriteBps: SDA }, ['blkio.throttle.write_bps_device=8:0 1000'], ['io.max=8:0 wbps=1000']],
  [{ deviceReadIops: SDA }, ['blkio.throttle.read_iops_device=8:0 1000'], ['io.max=8:0 riops=1000']],
  [{ deviceWriteIops: SDA }, ['blkio.throttle.write_iops_device=8:0 1000'], ['io.max=8:0 wiops=1000']],
];

describe('limitWrites', () => {
  it.each(CASES)('%o', (limits, v1, v2) => {
    expect(written(limits, 1)).toEqual(v1);
    expect(written(limits, 2)).toEqual(v2);
  });

  it('names the controller and the limit of each', () => {
    expect(limitWrites({ nanoCpus: 1e9, blkioWeight: 10 }, 2)).toMatchObject([
      { controller: 'cpu', limit: 'nanoCpus' },
      { controller: 'io', limit: 'blkioWeight' },
    ]);
  });
});

it('cgroup v2 has neither swappiness nor a switch for the OOM killer', () => {
  const limits: Limits = { memorySwappiness: 10, oomKillDisable: true, pidsLimit: 5 };
  expect(unsupportedLimits(limits, 2)).toEqual(['memorySwappiness', 'oomKillDisable']);
  expect(unsupportedLimits(limits, 1)).toEqual([]);
});
