// docker's daemon/health.go as a table: what a probe does to the state, and when the next one is due.

import type { HealthPlan } from '../../../src/native/plan.ts';

export interface Row {
  name: string;
  check: Partial<HealthPlan>;
  /** When a probe began and ended, in milliseconds since the start, and whether it succeeded. */
  probes: readonly [begun: number, ended: number, healthy: boolean][];
  /** Before the first probe and after each: status, failing streak, milliseconds to the next one. */
  states: readonly string[];
}

export const ROWS: readonly Row[] = [
  {
    name: 'three failures mean unhealthy, one success healthy',
    check: { intervalMs: 100, retries: 3 },
    probes: [
      [100, 110, false],
      [210, 220, false],
      [320, 330, false],
      [430, 440, false],
      [540, 550, true],
      [650, 660, false],
    ],
    states: [
      'starting 0 100',
      'starting 1 100',
      'starting 2 100',
      'unhealthy 3 100',
      'unhealthy 4 100',
      'healthy 0 100',
      'healthy 1 100',
    ],
  },
  {
    name: 'a success in between starts the count anew',
    check: { intervalMs: 100, retries: 2 },
    probes: [
      [100, 110, true],
      [210, 220, false],
      [320, 330, true],
      [430, 440, false],
      [540, 550, false],
    ],
    states: [
      'starting 0 100',
      'healthy 0 100',
      'healthy 1 100',
      'healthy 0 100',
      'healthy 1 100',
      'unhealthy 2 100',
    ],
  },
  {
    name: 'failures in the start period do not count, and probes come faster',
    check: { intervalMs: 1000, retries: 1, startPeriodMs: 500, startIntervalMs: 50 },
    probes: [
      [50, 60, false],
      [110, 120, false],
      [499, 510, false],
      [1510, 1520, false],
    ],
    states: ['starting 0 50', 'starting 0 50', 'starting 0 50', 'starting 0 1000', 'unhealthy 1 1000'],
  },
  {
    name: 'a probe that begins as the start period ends counts',
    check: { intervalMs: 1000, retries: 2, startPeriodMs: 500, startIntervalMs: 50 },
    probes: [[500, 510, false]],
    states: ['starting 0 50', 'starting 1 1000'],
  },
  {
    name: 'the first success ends the start period',
    check: { intervalMs: 1000, retries: 1, startPeriodMs: 5000, startIntervalMs: 50 },
    probes: [
      [50, 60, true],
      [1060, 1070, false],
    ],
    states: ['starting 0 50', 'healthy 0 1000', 'unhealthy 1 1000'],
  },
  {
    name: 'without a start period its interval does not matter',
    check: { intervalMs: 1000, retries: 1, startPeriodMs: 0, startIntervalMs: 50 },
    probes: [[1000, 1001, true]],
    states: ['starting 0 1000', 'healthy 0 1000'],
  },
];
