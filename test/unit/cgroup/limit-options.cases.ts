// Flags of limits as typed → limits, or the words of the refusal. Four CPUs (0-3), one memory node, /dev/sda as 8:0.

import type { LimitOptions } from '../../../src/cgroup/limit-options.ts';
import type { Limits } from '../../../src/cgroup/types.ts';

export const GOOD: [Partial<LimitOptions>, Limits][] = [
  [{}, {}],
  [{ memory: '64m' }, { memoryBytes: 67108864, memorySwapBytes: 134217728 }],
  [{ memory: '6m' }, { memoryBytes: 6291456, memorySwapBytes: 12582912 }],
  [{ memory: '1.5g' }, { memoryBytes: 1610612736, memorySwapBytes: 3221225472 }],
  [{ memory: '0' }, {}],
  [{ memory: '' }, {}],
  [
    { memory: '64m', 'memory-swap': '-1' },
    { memoryBytes: 67108864, memorySwapBytes: -1 },
  ],
  [
    { memory: '64m', 'memory-swap': '64m' },
    { memoryBytes: 67108864, memorySwapBytes: 67108864 },
  ],
  [
    { memory: '64m', 'memory-swap': '0' },
    { memoryBytes: 67108864, memorySwapBytes: 134217728 },
  ],
  [{ 'memory-swap': '-1' }, { memorySwapBytes: -1 }],
  [
    { memory: '64m', 'memory-reservation': '32m' },
    { memoryBytes: 67108864, memorySwapBytes: 134217728, memoryReservationBytes: 33554432 },
  ],
  [{ 'memory-swappiness': 0 }, { memorySwappiness: 0 }],
  [{ 'memory-swappiness': 100 }, { memorySwappiness: 100 }],
  [{ 'memory-swappiness': -1 }, {}],
  [{ cpus: '0.5' }, { nanoCpus: 500000000 }],
  [{ cpus: '.01' }, { nanoCpus: 10000000 }],
  [{ cpus: '4' }, { nanoCpus: 4000000000 }],
  [{ cpus: '0' }, {}],
  [{ cpus: '0.333333333' }, { nanoCpus: 333333333 }],
  [{ cpus: '1.5000000000' }, { nanoCpus: 1500000000 }],
  [{ 'cpu-shares': 512 }, { cpuShares: 512 }],
  [{ 'cpu-shares': 0 }, {}],
  [
    { 'cpu-period': 1000, 'cpu-quota': 1000 },
    { cpuPeriodUs: 1000, cpuQuotaUs: 1000 },
  ],
  [{ 'cpu-quota': -1 }, { cpuQuotaUs: -1 }],
  [
    { 'cpuset-cpus': '0-2,3', 'cpuset-mems': '0' },
    { cpusetCpus: '0-2,3', cpusetMems: '0' },
  ],
  [{ 'cpuset-cpus': '' }, {}],
  [{ 'pids-limit': 20 }, { pidsLimit: 20 }],
  [{ 'pids-limit': 0 }, { pidsLimit: -1 }],
  [{ 'pids-limit': -1 }, { pidsLimit: -1 }],
  [{ 'blkio-weight': 10 }, { blkioWeight: 10 }],
  [{ 'blkio-weight': 0 }, {}],
  [
    { 'blkio-weight-device': ['/dev/sda:200'] },
    { blkioWeightDevice: [{ path: '/dev/sda', device: '8:0', amount: 200 }] },
  ],
  [
    { 'device-read-bps': ['/dev/sda:1mb'], 'device-write-iops': ['/dev/sda:100'] },
    {
      deviceReadBps: [{ path: '/dev/sda', device: '8:0', amount: 1048576 }],
      deviceWriteIops: [{ path: '/dev/sda', device: '8:0', amount: 100 }],
    },
  ],
  [{ 'oom-kill-disable': true }, { oomKillDisable: true }],
  [{ 'oom-kill-disable': false }, {}],
  [{ 'kernel-memory': '4m' }, {}],
];

export const BAD: [Partial<LimitOptions>, string][] = [
  [{ memory: '4m' }, '--memory "4 MiB": minimum memory limit allowed is 6MB'],
  [{ memory: '6291455' }, '--memory "6291455 bytes": minimum memory limit allowed is 6MB'],
  [{ memory: 'lots' }, '--memory "lots": invalid size, expected a number with an optional unit b, k, m or g'],
  [{ memory: '-64m' }, '--memory "-64m": invalid size, expected a number with an optional unit b, k, m or g'],
  [
    { memory: '64m', 'memory-swap': '32m' },
    '--memory-swap "32 MiB": must be larger than --memory (64 MiB): it limits memory and swap together',
  ],
  [
    { 'memory-swap': '64m' },
    '--memory-swap "64 MiB": needs --memory as well: it limits memory and swap together',
  ],
  [
    { 'memory-swap': '-2' },
    '--memory-swap "-2": invalid size, expected a number with an optional unit b, k, m or g',
  ],
  [{ 'memory-reservation': '1m' }, '--memory-reservation "1 MiB": minimum memory reservation allowed is 6MB'],
  [
    { memory: '64m', 'memory-reservation': '65m' },
    '--memory-reservation "65 MiB": must not be larger than --memory (64 MiB)',
  ],
  [{ 'memory-swappiness': 101 }, '--memory-swappiness 101: valid memory swappiness range is 0-100'],
  [{ 'memory-swappiness': -2 }, '--memory-swappiness -2: valid memory swappiness range is 0-100'],
  [{ cpus: '4.5' }, '--cpus 4.5: range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
  [{ cpus: '0.001' }, '--cpus 0.001: range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
  [{ cpus: 'two' }, '--cpus "two": expected a number such as 1.5'],
  [{ cpus: '-1' }, '--cpus "-1": expected a number such as 1.5'],
  [{ cpus: '0.1234567891' }, '--cpus "0.1234567891": value is too precise'],
  [{ cpus: '1', 'cpu-quota': 5000 }, 'conflicting options: --cpus and --cpu-quota cannot both be set'],
  [{ cpus: '1', 'cpu-period': 5000 }, 'conflicting options: --cpus and --cpu-period cannot both be set'],
  [
    { 'cpu-period': 999 },
    '--cpu-period 999: CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  ],
  [
    { 'cpu-period': 1000001 },
    '--cpu-period 1000001: CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  ],
  [{ 'cpu-quota': 999 }, '--cpu-quota 999: CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [{ 'cpu-shares': -1 }, '--cpu-shares -1: value must be a positive integer'],
  [{ 'cpu-shares': 1.5 }, '--cpu-shares 1.5: expected a whole number'],
  [{ 'cpuset-cpus': '0-4' }, '--cpuset-cpus "0-4": requested CPUs are not available: available are 0-3'],
  [{ 'cpuset-cpus': '3-1' }, '--cpuset-cpus "3-1": expected a list such as 0-3,7'],
  [{ 'cpuset-cpus': 'all' }, '--cpuset-cpus "all": expected a list such as 0-3,7'],
  [{ 'cpuset-cpus': '0,' }, '--cpuset-cpus "0,": expected a list such as 0-3,7'],
  [{ 'cpuset-mems': '1' }, '--cpuset-mems "1": requested memory nodes are not available: available are 0'],
  [{ 'pids-limit': -2 }, '--pids-limit -2: expected a whole number, or -1 for no limit'],
  [{ 'blkio-weight': 9 }, '--blkio-weight 9: range of blkio weight is from 10 to 1000'],
  [{ 'blkio-weight': 1001 }, '--blkio-weight 1001: range of blkio weight is from 10 to 1000'],
  [
    { 'blkio-weight-device': ['/dev/sda:5'] },
    '--blkio-weight-device 5: range of blkio weight is from 10 to 1000',
  ],
  [{ 'device-read-bps': ['/dev/sda'] }, '--device-read-bps "/dev/sda": expected /dev/DEVICE:AMOUNT'],
  [{ 'device-read-bps': ['sda:1mb'] }, '--device-read-bps "sda:1mb": expected /dev/DEVICE:AMOUNT'],
  [
    { 'device-read-bps': ['/dev/null:1mb'] },
    '--device-read-bps "/dev/null:1mb": no block device "/dev/null"',
  ],
  [{ 'device-read-iops': ['/dev/sda:many'] }, '--device-read-iops "many": expected a whole number'],
];
