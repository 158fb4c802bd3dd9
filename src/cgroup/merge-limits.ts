// The limits of a container after an update: what is asked for, on top of what was. (pure) docker's rules and words, but for
// one: memory with swap follows --memory where it was docker's default, and need not be given with it.

import { EngineError } from '../core/errors.ts';
import { checkLimits, size, type LimitHost } from './limit-options.ts';
import type { Limits } from './types.ts';

/** @throws USAGE for what contradicts itself, or what is there already */
export function mergeLimits(old: Limits, change: Limits, host: LimitHost): Limits {
  checkCpuKinds(old, change);
  const merged = { ...old, ...change };
  if (change.memoryBytes !== undefined && change.memorySwapBytes === undefined) {
    if (hasDefaultSwap(old)) merged.memorySwapBytes = 2 * change.memoryBytes;
    else if (Number(old.memorySwapBytes) > 0 && change.memoryBytes > Number(old.memorySwapBytes)) {
      throw new EngineError(
        'USAGE',
        `--memory ${JSON.stringify(size(change.memoryBytes))}: memory limit should be smaller than already set memoryswap limit (${size(Number(old.memorySwapBytes))}), update the memoryswap at the same time`,
        { exitCode: 1 },
      );
    }
  }
  checkLimits(merged, host);
  return merged;
}

/** --cpus is a quota of a period in other words: the two exclude each other for good. */
function checkCpuKinds(old: Limits, change: Limits): void {
  const conflict = (asked: string, there: string): EngineError =>
    new EngineError(
      'USAGE',
      `conflicting options: ${asked} cannot be updated as ${there} has already been set`,
      {
        exitCode: 1,
      },
    );
  if (change.nanoCpus !== undefined && old.cpuPeriodUs !== undefined)
    throw conflict('--cpus', '--cpu-period');
  if (change.nanoCpus !== undefined && old.cpuQuotaUs !== undefined) throw conflict('--cpus', '--cpu-quota');
  if (change.cpuPeriodUs !== undefined && old.nanoCpus !== undefined)
    throw conflict('--cpu-period', '--cpus');
  if (change.cpuQuotaUs !== undefined && old.nanoCpus !== undefined) throw conflict('--cpu-quota', '--cpus');
}

function hasDefaultSwap({ memoryBytes, memorySwapBytes }: Limits): boolean {
  return memorySwapBytes === undefined || (memoryBytes !== undefined && memorySwapBytes === 2 * memoryBytes);
}
