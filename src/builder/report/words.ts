// How a report is put in words, for the picture and for the table. (pure)

import { humanSize } from '../../core/human-size.ts';
import { countSteps, type BuildReport, type ReportVertex } from './record.ts';

/** 12ms, 1.2s, 2m 03s */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
}

/** "app:latest" */
export function titleOf({ tags, target }: BuildReport): string {
  return tags[0] ?? (target === undefined || target === '' ? 'image without a name' : `stage ${target}`);
}

/** "done in 1.2s, 3 of 4 steps from the cache" */
export function outcomeOf(report: BuildReport): string {
  const { steps, hits } = countSteps(report);
  const end = { done: 'done in', failed: 'failed after', canceled: 'cancelled after' }[report.result];
  return `${end} ${duration(report.durationMs)}, ${hits} of ${steps} ${steps === 1 ? 'step' : 'steps'} from the cache`;
}

/** "not cached: src/a.ts changed", "from the cache", "from 127.0.0.1:5000/app:cache", "failed: exit code: 1" */
export function whatCameOf({ state, cache, cacheFrom, reason, error }: ReportVertex): string {
  if (state === 'failed') return error === undefined ? 'failed' : `failed: ${error}`;
  if (state === 'canceled') return 'cancelled';
  if (cache === 'hit') return cacheFrom === undefined ? 'from the cache' : `from ${cacheFrom}`;
  return reason === undefined ? '' : `not cached: ${reason}`;
}

export function bytesOf({ bytes }: ReportVertex): string {
  return bytes === undefined ? '' : humanSize(bytes);
}

/** The column of a vertex: what it waits for, then its stage, then the end. */
export function laneOf({ work, stage }: ReportVertex): string {
  if (stage !== undefined) return /^\d+$/.test(stage) ? `stage ${stage}` : stage;
  return work === 'export' ? 'commit' : work;
}

/** In the order of a build: pull, context, stages as they began, commit. */
export function lanesOf({ vertices }: BuildReport): [name: string, vertices: ReportVertex[]][] {
  const lanes = new Map<string, ReportVertex[]>([
    ['\0pull', []],
    ['\0context', []],
  ]);
  const keyOf = (vertex: ReportVertex): string => vertex.stage ?? `\0${vertex.work}`;
  for (const vertex of vertices.filter(({ work }) => work !== 'export'))
    lanes.set(keyOf(vertex), [...(lanes.get(keyOf(vertex)) ?? []), vertex]);
  lanes.set(
    '\0export',
    vertices.filter(({ work }) => work === 'export'),
  );
  return [...lanes.values()]
    .filter((lane) => lane.length > 0)
    .map((lane) => [laneOf(lane[0] as ReportVertex), lane]);
}

/** At most so many characters. */
export function clip(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
