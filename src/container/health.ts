// What the health check has found so far: containers/<id>/health, which the keeper writes, as docker shows it.

import { readFileIfExists } from '../core/fs.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import type { ListedState } from './state.ts';

/** docker's words. `none`: there is no check. */
export const HEALTH_WORDS = ['starting', 'healthy', 'unhealthy', 'none'] as const;
export type HealthWord = (typeof HEALTH_WORDS)[number];

/** docker's State.Health. */
export interface Health {
  Status: Exclude<HealthWord, 'none'>;
  FailingStreak: number;
  /** Oldest first. */
  Log: HealthResult[];
}

export interface HealthResult {
  /** RFC 3339 with nanoseconds. */
  Start: string;
  End: string;
  /** -1: there is none, since it could not be executed or took too long. */
  ExitCode: number;
  Output: string;
}

/** undefined: the container has no check, or was never started. */
export function readHealth(root: StoreRoot, spec: ContainerSpec, state: ListedState): Health | undefined {
  if (spec.health === undefined) return undefined;
  return healthNow(readFileIfExists(`${containerDir(root, spec.id)}/health`), state.status);
}

export function healthWord(root: StoreRoot, spec: ContainerSpec, state: ListedState): HealthWord {
  return readHealth(root, spec, state)?.Status ?? 'none';
}

/** `text`: of the record, undefined without one. (pure) */
export function healthNow(text: string | undefined, status: ListedState['status']): Health | undefined {
  if (status === 'created') return undefined;
  const health = parseHealth(text ?? '') ?? { Status: 'starting', FailingStreak: 0, Log: [] };
  // docker's habit: nobody can be well who does not run.
  return status === 'exited' ? { ...health, Status: 'unhealthy' } : health;
}

/** undefined for what is torn, or no record of ours. (pure) */
export function parseHealth(text: string): Health | undefined {
  let json: Partial<Health> | null;
  try {
    json = JSON.parse(text) as Partial<Health> | null;
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { Status, FailingStreak, Log } = json;
  if (Status !== 'starting' && Status !== 'healthy' && Status !== 'unhealthy') return undefined;
  if (typeof FailingStreak !== 'number' || !Array.isArray(Log) || !Log.every(isResult)) return undefined;
  return { Status, FailingStreak, Log };
}

function isResult(value: unknown): value is HealthResult {
  if (typeof value !== 'object' || value === null) return false;
  const { Start, End, ExitCode, Output } = value as Partial<Record<keyof HealthResult, unknown>>;
  return [Start, End, Output].every((text) => typeof text === 'string') && typeof ExitCode === 'number';
}
