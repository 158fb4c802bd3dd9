// `stats`: what containers use, again and again. A container's group counts it; what has none there (a container without a
// group, a controller that is not ours) is summed over /proc. Each figure is measured or missing, never a made-up zero.

import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCgroup } from '../../cgroup/record.ts';
import { NO_USAGE, readUsage, type IoBytes, type Usage } from '../../cgroup/usage.ts';
import type { ContainerId, ContainerSpec } from '../../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../../store/layout.ts';
import { listContainers } from '../list.ts';
import { networkUsage, processUsage, type NetBytes } from './process-usage.ts';
import { readSpec } from '../records.ts';
import { readPid, type ProcessName } from '../state.ts';

export interface WatchRequest {
  /** Those of these; undefined: all that are there at each look. */
  chosen: readonly WatchedContainer[] | undefined;
  /** Of all: also those that do not run. */
  all: boolean;
  /** Between two reports. */
  intervalMs: number;
}

export interface WatchedContainer {
  id: ContainerId;
  /** What the user called it. */
  typed: string;
}

/** One container at one moment. undefined: not known. */
export interface ContainerStats {
  typed: string;
  spec: ContainerSpec;
  /** 100 is one processor. */
  cpuPercent: number | undefined;
  memoryBytes: number | undefined;
  /** The host's memory, unless it has a lower limit. */
  memoryLimitBytes: number | undefined;
  pids: number | undefined;
  io: IoBytes | undefined;
  net: NetBytes | undefined;
}

/** The first report takes as long, since a share of processor time has two ends. docker's period. */
const FIRST_PERIOD_MS = 1000;

/** Reports until `signal` is aborted, or until none of the chosen containers exists any more. */
export async function* watchContainers(
  root: StoreRoot,
  { chosen, all, intervalMs }: WatchRequest,
  signal: AbortSignal,
): AsyncGenerator<ContainerStats[]> {
  let before = takeSamples(root, await watched(root, chosen, all));
  for (let periodMs = FIRST_PERIOD_MS; await pause(periodMs, signal); periodMs = intervalMs) {
    const containers = await watched(root, chosen, all);
    if (chosen !== undefined && containers.length === 0) return;
    const after = takeSamples(root, containers);
    yield containers.map(({ spec, typed }) =>
      statsOf(spec, typed, before.get(spec.id), after.get(spec.id), totalmem()),
    );
    before = after;
  }
}

/** False when it has been cut short. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (!signal.aborted) await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

interface Watched {
  spec: ContainerSpec;
  typed: string;
}

async function watched(root: StoreRoot, chosen: WatchRequest['chosen'], all: boolean): Promise<Watched[]> {
  if (chosen === undefined) {
    const listed = await listContainers(root, { all, last: -1, filters: [] });
    return listed.map(({ spec }) => ({ spec, typed: spec.id.slice(0, 12) }));
  }
  return chosen.flatMap(({ id, typed }) => {
    const spec = readSpec(root, id);
    return spec === undefined ? [] : [{ spec, typed }];
  });
}

/** What a run of a container has used up to a moment. */
export interface Sample {
  /** On a clock that nobody sets. */
  atMs: number;
  init: ProcessName;
  usage: Usage;
  net: NetBytes | undefined;
}

/** By id; those that do not run have none. */
function takeSamples(root: StoreRoot, containers: readonly Watched[]): Map<ContainerId, Sample> {
  const samples = new Map<ContainerId, Sample>();
  for (const { spec } of containers) {
    const init = readPid(containerDir(root, spec.id));
    if (init !== undefined) samples.set(spec.id, takeSample(root, spec, init));
  }
  return samples;
}

function takeSample(root: StoreRoot, { id, host, network }: ContainerSpec, init: ProcessName): Sample {
  const group = readCgroup(root, id);
  const counted = (group === undefined ? undefined : readUsage(group)) ?? NO_USAGE;
  const { cpuNs, memoryBytes, pids, io } = counted;
  const isComplete = [cpuNs, memoryBytes, pids, io].every((value) => value !== undefined);
  const summed = isComplete ? NO_USAGE : processUsage(init.pid, host.pidMode.kind === 'private');
  return {
    atMs: performance.now(),
    init,
    usage: {
      cpuNs: cpuNs ?? summed.cpuNs,
      memoryBytes: memoryBytes ?? summed.memoryBytes,
      memoryLimitBytes: counted.memoryLimitBytes,
      pids: pids ?? summed.pids,
      io: io ?? summed.io,
    },
    // The host's interfaces count what everybody sends.
    net: network.mode === 'host' ? undefined : networkUsage(init.pid),
  };
}

/** (pure) */
export function statsOf(
  spec: ContainerSpec,
  typed: string,
  before: Sample | undefined,
  after: Sample | undefined,
  hostBytes: number,
): ContainerStats {
  const { cpuNs, memoryBytes, memoryLimitBytes, pids, io } = after?.usage ?? NO_USAGE;
  return {
    typed,
    spec,
    cpuPercent:
      before === undefined || after === undefined || !isSameRun(before, after)
        ? undefined
        : cpuPercent(before.usage.cpuNs, cpuNs, after.atMs - before.atMs),
    memoryBytes,
    memoryLimitBytes:
      memoryBytes === undefined ? undefined : Math.min(memoryLimitBytes ?? hostBytes, hostBytes),
    pids,
    io,
    net: after?.net,
  };
}

function isSameRun({ init: a }: Sample, { init: b }: Sample): boolean {
  return a.pid === b.pid && a.startTicks === b.startTicks;
}

/** docker's share of what all processors have done, times their number: time used by time passed. */
function cpuPercent(
  beforeNs: number | undefined,
  afterNs: number | undefined,
  passedMs: number,
): number | undefined {
  if (beforeNs === undefined || afterNs === undefined || passedMs <= 0) return undefined;
  // A sum over processes is less when one has ended for which nobody waited.
  return Math.max(0, afterNs - beforeNs) / (passedMs * 1e4);
}
