// docker's table of restart policies: what becomes of a container whose command has ended, and why.

import type { HealthWord } from '../../src/container/health.ts';

export interface Outcome {
  status: 'running' | 'exited';
  /** RestartCount. */
  restarts: number;
  /** Of one that has ended. */
  exitCode?: number;
  health?: HealthWord;
}

export interface Cause {
  name: string;
  /** Says how often it has been started, in /runs, before anything else. */
  script: string;
  flags?: readonly string[];
  /** What happens to it while it runs. */
  then?: 'init is killed' | 'stop' | 'kill' | 'kill -s HUP' | 'restart' | 'stop, start, init is killed';
  /** By policy; '' is none given. */
  outcomes: Readonly<Record<string, Outcome>>;
}

const back = (restarts: number): Outcome => ({ status: 'running', restarts });
const over = (exitCode: number, restarts = 0): Outcome => ({ status: 'exited', restarts, exitCode });

/** From its third start on it stays. */
const failing = (code: number): string => `[ $(wc -l </runs) -ge 3 ] && exec sleep 1000; exit ${code}`;
const STAY = 'exec sleep 1000';
/** Well from the second start on. */
const PROBE = [
  '--health-cmd',
  '[ $(wc -l </runs) -ge 2 ]',
  '--health-interval',
  '100ms',
  '--health-retries',
  '2',
];

export const CAUSES: readonly Cause[] = [
  {
    name: 'the command ends with 0',
    script: failing(0),
    outcomes: {
      '': over(0),
      no: over(0),
      'on-failure': over(0),
      'on-failure:5': over(0),
      always: back(2),
      'unless-stopped': back(2),
    },
  },
  {
    name: 'the command ends with 3',
    script: failing(3),
    outcomes: {
      no: over(3),
      'on-failure': back(2),
      'on-failure:0': back(2),
      'on-failure:1': over(3, 1),
      'on-failure:2': back(2),
      always: back(2),
      'unless-stopped': back(2),
    },
  },
  {
    name: 'somebody kills the process',
    script: STAY,
    then: 'init is killed',
    outcomes: {
      no: over(137),
      'on-failure': back(1),
      'on-failure:1': back(1),
      always: back(1),
      'unless-stopped': back(1),
    },
  },
  {
    name: 'stop',
    script: STAY,
    then: 'stop',
    outcomes: { no: over(143), 'on-failure': over(143), always: over(143), 'unless-stopped': over(143) },
  },
  {
    name: 'kill',
    script: STAY,
    then: 'kill',
    outcomes: { no: over(137), 'on-failure': over(137), always: over(137), 'unless-stopped': over(137) },
  },
  {
    name: 'kill with a signal that is not its stop signal',
    script: 'trap "exit 5" HUP; while :; do sleep 0.05; done',
    flags: ['--stop-signal', 'TERM'],
    then: 'kill -s HUP',
    outcomes: { no: over(5), 'on-failure': back(1), always: back(1), 'unless-stopped': back(1) },
  },
  {
    name: 'restart counts for nothing',
    script: STAY,
    then: 'restart',
    outcomes: { no: back(0), 'on-failure': back(0), always: back(0), 'unless-stopped': back(0) },
  },
  {
    name: 'start after stop: the policy applies again, and counts anew',
    script: failing(3),
    then: 'stop, start, init is killed',
    outcomes: { 'on-failure:2': back(1), always: back(1), 'unless-stopped': back(1) },
  },
  {
    name: 'unhealthy: nothing',
    script: STAY,
    flags: ['--health-cmd', 'false', '--health-interval', '100ms', '--health-retries', '2'],
    outcomes: {
      no: { ...back(0), health: 'unhealthy' },
      always: { ...back(0), health: 'unhealthy' },
    },
  },
  {
    name: 'unhealthy: kill, and then the policy',
    script: STAY,
    flags: [...PROBE, '--health-on-failure', 'kill'],
    outcomes: {
      no: over(137),
      'on-failure': { ...back(1), health: 'healthy' },
      'on-failure:1': { ...back(1), health: 'healthy' },
      always: { ...back(1), health: 'healthy' },
      'unless-stopped': { ...back(1), health: 'healthy' },
    },
  },
  {
    name: 'unhealthy: stop, whatever the policy',
    script: STAY,
    flags: [...PROBE, '--health-on-failure', 'stop'],
    outcomes: { no: over(143), 'on-failure': over(143), always: over(143), 'unless-stopped': over(143) },
  },
  {
    name: 'unhealthy: stop, with the stop signal and time of the container',
    script: 'trap "" TERM; trap : INT; while :; do sleep 0.05; done',
    flags: [...PROBE, '--health-on-failure', 'stop', '--stop-signal', 'INT', '--stop-timeout', '1'],
    outcomes: { always: over(137) },
  },
  {
    name: 'unhealthy: restart, whatever the policy',
    script: STAY,
    flags: [...PROBE, '--health-on-failure', 'restart'],
    outcomes: {
      no: { ...back(1), health: 'healthy' },
      'on-failure': { ...back(1), health: 'healthy' },
      always: { ...back(1), health: 'healthy' },
      'unless-stopped': { ...back(1), health: 'healthy' },
    },
  },
];
