// What an update makes of the limits that are there.

import type { LimitHost } from '../../../src/cgroup/limit-options.ts';
import type { Limits } from '../../../src/cgroup/types.ts';

const MIB = 2 ** 20;

export const HOST: LimitHost = {
  cpus: () => 4,
  allowedCpus: () => '0-3',
  allowedMems: () => '0',
  blockDevice: () => undefined,
};

const SWAP_BY_DEFAULT: Limits = { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB };

export const MERGED: { name: string; old: Limits; change: Limits; merged: Limits }[] = [
  {
    name: 'another one',
    old: { pidsLimit: 5 },
    change: { cpuShares: 2 },
    merged: { pidsLimit: 5, cpuShares: 2 },
  },
  { name: 'the same one', old: { pidsLimit: 5 }, change: { pidsLimit: -1 }, merged: { pidsLimit: -1 } },
  {
    name: 'the first limit of memory',
    old: {},
    change: { memoryBytes: 64 * MIB },
    merged: { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB },
  },
  {
    name: 'swap follows where it was the default',
    old: SWAP_BY_DEFAULT,
    change: { memoryBytes: 512 * MIB },
    merged: { memoryBytes: 512 * MIB, memorySwapBytes: 1024 * MIB },
  },
  {
    name: 'swap that was asked for stays',
    old: { memoryBytes: 64 * MIB, memorySwapBytes: 500 * MIB },
    change: { memoryBytes: 400 * MIB },
    merged: { memoryBytes: 400 * MIB, memorySwapBytes: 500 * MIB },
  },
  {
    name: 'any amount of swap stays',
    old: { memoryBytes: 64 * MIB, memorySwapBytes: -1 },
    change: { memoryBytes: 400 * MIB },
    merged: { memoryBytes: 400 * MIB, memorySwapBytes: -1 },
  },
  {
    name: 'swap alone, with the memory of before',
    old: SWAP_BY_DEFAULT,
    change: { memorySwapBytes: 64 * MIB },
    merged: { memoryBytes: 64 * MIB, memorySwapBytes: 64 * MIB },
  },
];

export const REFUSED: { name: string; old: Limits; change: Limits; why: string }[] = [
  {
    name: 'more memory than memory and swap',
    old: { memoryBytes: 64 * MIB, memorySwapBytes: 100 * MIB },
    change: { memoryBytes: 101 * MIB },
    why: 'memory limit should be smaller than already set memoryswap limit (100 MiB), update the memoryswap at the same time',
  },
  {
    name: 'less swap than memory',
    old: SWAP_BY_DEFAULT,
    change: { memorySwapBytes: 32 * MIB },
    why: 'must be larger than --memory',
  },
  {
    name: 'a reservation above the limit that is there',
    old: SWAP_BY_DEFAULT,
    change: { memoryReservationBytes: 65 * MIB },
    why: 'must not be larger than --memory',
  },
  {
    name: 'a quota on top of CPUs',
    old: { nanoCpus: 1e9 },
    change: { cpuQuotaUs: 5000 },
    why: 'conflicting options: --cpu-quota cannot be updated as --cpus has already been set',
  },
  {
    name: 'a period on top of CPUs',
    old: { nanoCpus: 1e9 },
    change: { cpuPeriodUs: 5000 },
    why: '--cpu-period cannot be updated as --cpus has',
  },
  {
    name: 'CPUs on top of a quota',
    old: { cpuQuotaUs: 5000 },
    change: { nanoCpus: 1e9 },
    why: '--cpus cannot be updated as --cpu-quota has',
  },
  {
    name: 'CPUs on top of a period',
    old: { cpuPeriodUs: 5000 },
    change: { nanoCpus: 1e9 },
    why: '--cpus cannot be updated as --cpu-period has',
  },
  {
    name: 'more CPUs than there are',
    old: {},
    change: { nanoCpus: 5e9 },
    why: 'range of CPUs is from 0.01 to 4.00',
  },
];
