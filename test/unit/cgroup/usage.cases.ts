// Files of groups as kernels write them (shortened), and what they say.

import { NO_USAGE, type Usage } from '../../../src/cgroup/usage.ts';

export interface UsageCase<Files> {
  name: string;
  files: Files;
  usage: Usage | undefined;
}

const CPU_STAT = 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 0\n';

export const V2_USAGES: UsageCase<Record<string, string>>[] = [
  {
    name: 'everything',
    files: {
      'cpu.stat': CPU_STAT,
      'memory.current': '10485760\n',
      'memory.stat': 'anon 4194304\nfile 6291456\nkernel 0\ninactive_anon 0\ninactive_file 2097152\n',
      'memory.max': '67108864\n',
      'pids.current': '7\n',
      'io.stat':
        '254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:1 \n8:0 rbytes=1000 wbytes=0 rios=1 wios=0 dbytes=5 dios=1\n',
    },
    usage: {
      cpuNs: 2_500_000_000,
      memoryBytes: 8_388_608,
      memoryLimitBytes: 67_108_864,
      pids: 7,
      io: { readBytes: 5096, writtenBytes: 8192 },
    },
  },
  {
    name: 'no limit, nothing moved',
    files: { 'memory.current': '4096\n', 'memory.stat': '', 'memory.max': 'max\n', 'io.stat': '' },
    usage: { ...NO_USAGE, memoryBytes: 4096, io: { readBytes: 0, writtenBytes: 0 } },
  },
  {
    name: 'time alone, as without any controller',
    files: { 'cpu.stat': CPU_STAT },
    usage: { ...NO_USAGE, cpuNs: 2_500_000_000 },
  },
  {
    name: 'a cache that has grown since usage was read',
    files: { 'memory.current': '4096\n', 'memory.stat': 'inactive_file 8192\n' },
    usage: { ...NO_USAGE, memoryBytes: 4096 },
  },
  {
    name: 'files that say something else',
    files: { 'pids.current': 'many\n', 'cpu.stat': 'usage_usec x\n' },
    usage: undefined,
  },
];

export const V1_USAGES: UsageCase<Record<string, Record<string, string>>>[] = [
  {
    name: 'everything',
    files: {
      cpuacct: { 'cpuacct.usage': '2500000001\n' },
      memory: {
        'memory.usage_in_bytes': '10485760\n',
        'memory.stat': 'cache 6291456\ninactive_file 1\ntotal_inactive_file 2097152\n',
        'memory.limit_in_bytes': '67108864\n',
      },
      pids: { 'pids.current': '7\n' },
      blkio: {
        'blkio.throttle.io_service_bytes': '',
        'blkio.throttle.io_service_bytes_recursive':
          '254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 1\n254:0 Async 2\n254:0 Discard 0\n254:0 Total 12288\n8:0 Read 1000\nTotal 13288\n',
      },
    },
    usage: {
      cpuNs: 2_500_000_001,
      memoryBytes: 8_388_608,
      memoryLimitBytes: 67_108_864,
      pids: 7,
      io: { readBytes: 5096, writtenBytes: 8192 },
    },
  },
  {
    name: 'no limit, no recursive counters',
    files: {
      memory: {
        'memory.usage_in_bytes': '8192\n',
        'memory.stat': 'inactive_file 4096\n',
        'memory.limit_in_bytes': '9223372036854771712\n',
      },
      blkio: { 'blkio.throttle.io_service_bytes': '8:0 Write 512\nTotal 512\n' },
    },
    usage: { ...NO_USAGE, memoryBytes: 4096, io: { readBytes: 0, writtenBytes: 512 } },
  },
  { name: 'one controller', files: { pids: { 'pids.current': '1\n' } }, usage: { ...NO_USAGE, pids: 1 } },
];
