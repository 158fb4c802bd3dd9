// The flags of limits, as `run`, `create` and `update` have them, to Limits. (pure) docker's rules: 0 and '' mean "not
// asked for", but for --pids-limit, where 0 is no limit.

import { EngineError } from '../core/errors.ts';
import { parseSize } from '../core/sizes.ts';
import type { DeviceAmount, Limits } from './types.ts';

/** Keys are the flags' names, texts are as typed: cli/limit-flags.ts. */
export interface LimitOptions {
  memory: string | undefined;
  'memory-swap': string | undefined;
  'memory-reservation': string | undefined;
  'memory-swappiness': number | undefined;
  'kernel-memory': string | undefined;
  cpus: string | undefined;
  'cpu-shares': number | undefined;
  'cpu-period': number | undefined;
  'cpu-quota': number | undefined;
  'cpuset-cpus': string | undefined;
  'cpuset-mems': string | undefined;
  'pids-limit': number | undefined;
  'blkio-weight': number | undefined;
  'blkio-weight-device': string[];
  'device-read-bps': string[];
  'device-write-bps': string[];
  'device-read-iops': string[];
  'device-write-iops': string[];
  'oom-kill-disable': boolean | undefined;
}

/** The flag of each limit, for messages. */
export const FLAG_OF = {
  memoryBytes: '--memory',
  memorySwapBytes: '--memory-swap',
  memoryReservationBytes: '--memory-reservation',
  memorySwappiness: '--memory-swappiness',
  nanoCpus: '--cpus',
  cpuPeriodUs: '--cpu-period',
  cpuQuotaUs: '--cpu-quota',
  cpuShares: '--cpu-shares',
  cpusetCpus: '--cpuset-cpus',
  cpusetMems: '--cpuset-mems',
  pidsLimit: '--pids-limit',
  blkioWeight: '--blkio-weight',
  blkioWeightDevice: '--blkio-weight-device',
  deviceReadBps: '--device-read-bps',
  deviceWriteBps: '--device-write-bps',
  deviceReadIops: '--device-read-iops',
  deviceWriteIops: '--device-write-iops',
  oomKillDisable: '--oom-kill-disable',
} as const satisfies Record<keyof Limits, string>;

/** What the host has, for what is checked against it. */
export interface LimitHost {
  cpus: () => number;
  /** "0-3": what we may use ourselves. */
  allowedCpus: () => string;
  allowedMems: () => string;
  /** "8:0", undefined when it is no block device. */
  blockDevice: (path: string) => string | undefined;
}

/** Of a new container. Without those that were not asked for. @throws USAGE */
export function parseLimits(options: LimitOptions, host: LimitHost): Limits {
  const limits = readLimits(options, host);
  if (limits.memoryBytes !== undefined && limits.memorySwapBytes === undefined)
    limits.memorySwapBytes = 2 * limits.memoryBytes;
  checkLimits(limits, host);
  return limits;
}

/** Each for itself: how they go together depends on what else there is. @throws USAGE */
export function readLimits(options: LimitOptions, host: LimitHost): Limits {
  const devices = (flag: DeviceFlag, parse: ParseAmount): DeviceAmount[] | undefined =>
    options[flag].length === 0
      ? undefined
      : options[flag].map((text) => deviceAmount(flag, text, host, parse));
  return withoutUndefined({
    memoryBytes: bytes('--memory', options.memory),
    memorySwapBytes: swap(options['memory-swap']),
    memoryReservationBytes: bytes('--memory-reservation', options['memory-reservation']),
    memorySwappiness: swappiness(options['memory-swappiness']),
    nanoCpus: nanoCpus(options.cpus),
    cpuPeriodUs: whole('--cpu-period', options['cpu-period']),
    cpuQuotaUs: whole('--cpu-quota', options['cpu-quota']),
    cpuShares: whole('--cpu-shares', options['cpu-shares']),
    cpusetCpus: options['cpuset-cpus'] === '' ? undefined : options['cpuset-cpus'],
    cpusetMems: options['cpuset-mems'] === '' ? undefined : options['cpuset-mems'],
    pidsLimit: pids(options['pids-limit']),
    blkioWeight: whole('--blkio-weight', options['blkio-weight']),
    blkioWeightDevice: devices('blkio-weight-device', parseCount),
    deviceReadBps: devices('device-read-bps', parseSize),
    deviceWriteBps: devices('device-write-bps', parseSize),
    deviceReadIops: devices('device-read-iops', parseCount),
    deviceWriteIops: devices('device-write-iops', parseCount),
    oomKillDisable: options['oom-kill-disable'] === true ? true : undefined,
  });
}

/** Lines for stderr: what was asked for and means nothing, or is dangerous. */
export function limitNotes(options: LimitOptions, limits: Limits): string[] {
  const notes: string[] = [];
  if (options['kernel-memory'] !== undefined && options['kernel-memory'] !== '')
    notes.push(
      '--kernel-memory: not honoured: kernels since Linux 5.16 count that memory under --memory alone',
    );
  if (limits.oomKillDisable === true && limits.memoryBytes === undefined)
    notes.push(
      '--oom-kill-disable: without --memory the container can take all memory of the host, and nothing of it is killed then',
    );
  return notes;
}

const LEAST_MEMORY = 6 * 2 ** 20;

/** The relations between limits, which hold for those of `update` together with those it leaves. @throws USAGE */
export function checkLimits(limits: Limits, host: LimitHost): void {
  const { memoryBytes: memory, memorySwapBytes: memorySwap, memoryReservationBytes: reservation } = limits;
  if (memory !== undefined && memory < LEAST_MEMORY)
    throw bad('--memory', size(memory), 'minimum memory limit allowed is 6MB');
  if (memory === undefined && memorySwap !== undefined && memorySwap > 0)
    throw bad(
      '--memory-swap',
      size(memorySwap),
      'needs --memory as well: it limits memory and swap together',
    );
  if (memory !== undefined && memorySwap !== undefined && memorySwap > 0 && memorySwap < memory)
    throw bad(
      '--memory-swap',
      size(memorySwap),
      `must be larger than --memory (${size(memory)}): it limits memory and swap together`,
    );
  if (reservation !== undefined && reservation < LEAST_MEMORY)
    throw bad('--memory-reservation', size(reservation), 'minimum memory reservation allowed is 6MB');
  if (memory !== undefined && reservation !== undefined && reservation > memory)
    throw bad(
      '--memory-reservation',
      size(reservation),
      `must not be larger than --memory (${size(memory)})`,
    );
  checkCpus(limits, host);
  if (limits.blkioWeight !== undefined) checkWeight('--blkio-weight', limits.blkioWeight);
  for (const { amount } of limits.blkioWeightDevice ?? []) checkWeight('--blkio-weight-device', amount);
}

function checkCpus(limits: Limits, host: LimitHost): void {
  const { nanoCpus: nano, cpuPeriodUs: period, cpuQuotaUs: quota, cpuShares: shares } = limits;
  if (nano !== undefined && period !== undefined)
    throw new EngineError('USAGE', 'conflicting options: --cpus and --cpu-period cannot both be set');
  if (nano !== undefined && quota !== undefined)
    throw new EngineError('USAGE', 'conflicting options: --cpus and --cpu-quota cannot both be set');
  const cpus = nano === undefined ? 0 : host.cpus();
  if (nano !== undefined && (nano < 1e7 || nano > cpus * 1e9))
    throw bad(
      '--cpus',
      nano / 1e9,
      `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`,
    );
  if (period !== undefined && (period < 1000 || period > 1_000_000))
    throw bad(
      '--cpu-period',
      period,
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    );
  if (quota !== undefined && quota > 0 && quota < 1000)
    throw bad('--cpu-quota', quota, 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (shares !== undefined && shares < 0)
    throw bad('--cpu-shares', shares, 'value must be a positive integer');
  checkSet('--cpuset-cpus', limits.cpusetCpus, host.allowedCpus, 'CPUs');
  checkSet('--cpuset-mems', limits.cpusetMems, host.allowedMems, 'memory nodes');
}

function checkWeight(flag: string, weight: number): void {
  if (weight < 10 || weight > 1000) throw bad(flag, weight, 'range of blkio weight is from 10 to 1000');
}

function checkSet(flag: string, text: string | undefined, allowed: () => string, what: string): void {
  if (text === undefined) return;
  const wanted = parseSet(text);
  if (wanted === undefined) throw bad(flag, text, 'expected a list such as 0-3,7');
  const available = parseSet(allowed()) ?? new Set();
  if ([...wanted].every((n) => available.has(n))) return;
  throw bad(flag, text, `requested ${what} are not available: available are ${allowed()}`);
}

const MOST_IN_SET = 8192;

/** "0-3,7" as numbers; undefined when it is none such. (pure) */
export function parseSet(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim());
    if (match === null) return undefined;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first || last >= MOST_IN_SET) return undefined;
    for (let n = first; n <= last; n++) numbers.add(n);
  }
  return numbers;
}

function withoutUndefined(limits: Limits): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

/** 0 is "not asked for". */
function bytes(flag: string, text: string | undefined): number | undefined {
  const amount = text === undefined || text === '' ? 0 : parseSize(text, flag);
  return amount === 0 ? undefined : amount;
}

function swap(text: string | undefined): number | undefined {
  return text === '-1' ? -1 : bytes('--memory-swap', text);
}

/** -1 is docker's word for "not asked for". */
function swappiness(value: number | undefined): number | undefined {
  if (value === undefined || value === -1) return undefined;
  if (Number.isInteger(value) && value >= 0 && value <= 100) return value;
  throw bad('--memory-swappiness', value, 'valid memory swappiness range is 0-100');
}

/** At most nine decimals, as docker has it. */
function nanoCpus(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\+?(\d+\.?\d*|\.\d+)$/.test(text)) throw bad('--cpus', text, 'expected a number such as 1.5');
  if (/\.\d{9}\d*[1-9]/.test(text) && !/\.\d{9}0*$/.test(text))
    throw bad('--cpus', text, 'value is too precise');
  const nano = Math.round(Number(text) * 1e9);
  return nano === 0 ? undefined : nano;
}

/** 0 is "not asked for". */
function whole(flag: string, value: number | undefined): number | undefined {
  if (value === undefined || value === 0) return undefined;
  if (Number.isSafeInteger(value)) return value;
  throw bad(flag, value, 'expected a whole number');
}

function pids(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || value < -1)
    throw bad('--pids-limit', value, 'expected a whole number, or -1 for no limit');
  return value === 0 ? -1 : value;
}

type DeviceFlag =
  'blkio-weight-device' | 'device-read-bps' | 'device-write-bps' | 'device-read-iops' | 'device-write-iops';

type ParseAmount = (text: string, flag: string) => number;

function parseCount(text: string, flag: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw bad(flag, text, 'expected a whole number');
}

/** "/dev/sda:AMOUNT" */
function deviceAmount(name: DeviceFlag, text: string, host: LimitHost, parse: ParseAmount): DeviceAmount {
  const flag = `--${name}`;
  const at = text.lastIndexOf(':');
  const path = text.slice(0, at);
  if (at < 0 || !path.startsWith('/dev/')) throw bad(flag, text, 'expected /dev/DEVICE:AMOUNT');
  const amount = parse(text.slice(at + 1), flag);
  const device = host.blockDevice(path);
  if (device === undefined) throw bad(flag, text, `no block device ${JSON.stringify(path)}`);
  return { path, device, amount };
}

/** "64 MiB", or bytes where it is no whole number of anything larger. (pure) */
export function size(amount: number): string {
  for (const [unit, factor] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const)
    if (amount >= factor && amount % factor === 0) return `${amount / factor} ${unit}`;
  return `${amount} bytes`;
}

function bad(flag: string, value: string | number, why: string): EngineError {
  return new EngineError('USAGE', `${flag} ${JSON.stringify(value)}: ${why}`);
}
