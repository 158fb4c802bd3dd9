// Flags of limits, which `create`, `run` and `update` share; cgroup/limit-options.ts lists their types.

import type { Flags } from './command.ts';

export const LIMIT_FLAGS = {
  'blkio-weight': { type: 'number', value: 'N', help: 'relative weight of block I/O, 10 to 1000' },
  'cpu-period': { type: 'number', value: 'US', help: 'period of --cpu-quota in microseconds' },
  'cpu-quota': { type: 'number', value: 'US', help: 'CPU time for each period in microseconds' },
  'cpu-shares': { type: 'number', short: 'c', value: 'N', help: 'relative weight of CPU time (1024)' },
  cpus: { type: 'string', value: 'N', help: 'number of CPUs, such as 1.5' },
  'cpuset-cpus': { type: 'string', value: 'LIST', help: 'CPUs to run on, such as 0-2,4' },
  'cpuset-mems': { type: 'string', value: 'LIST', help: 'memory nodes to use, such as 0,1' },
  'kernel-memory': {
    type: 'string',
    value: 'SIZE',
    help: 'deprecated: kernels count that under --memory',
    hidden: true,
  },
  memory: { type: 'string', short: 'm', value: 'SIZE', help: 'limit of memory, such as 512m' },
  'memory-reservation': {
    type: 'string',
    value: 'SIZE',
    help: 'memory that is left to it when it gets scarce',
  },
  'memory-swap': {
    type: 'string',
    value: 'SIZE',
    help: 'limit of memory and swap together (twice --memory); -1: any amount of swap',
  },
  'pids-limit': { type: 'number', value: 'N', help: 'limit of processes and threads; -1: none' },
} as const satisfies Flags;

/** Those that are chosen once, when the container is made. */
export const CREATE_LIMIT_FLAGS = {
  'blkio-weight-device': { type: 'list', value: 'DEVICE:N', help: 'weight for one block device' },
  'cgroup-parent': {
    type: 'string',
    value: 'CGROUP',
    help: 'cgroup, or slice of systemd, to make the container’s in',
  },
  'device-read-bps': { type: 'list', value: 'DEVICE:SIZE', help: 'bytes read from a device each second' },
  'device-read-iops': { type: 'list', value: 'DEVICE:N', help: 'reads from a device each second' },
  'device-write-bps': { type: 'list', value: 'DEVICE:SIZE', help: 'bytes written to a device each second' },
  'device-write-iops': { type: 'list', value: 'DEVICE:N', help: 'writes to a device each second' },
  'memory-swappiness': { type: 'number', value: 'N', help: 'readiness to swap, 0 to 100 (cgroup v1)' },
  'oom-kill-disable': { type: 'boolean', help: 'wait for memory instead of being killed (cgroup v1)' },
  'require-limits': { type: 'boolean', help: 'fail when a limit cannot be honoured' },
} as const satisfies Flags;
