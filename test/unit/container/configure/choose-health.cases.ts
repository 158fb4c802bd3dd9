// docker's merge of --health-* with the image's HEALTHCHECK, and podman's spellings of --health-cmd.

import type { HealthOptions } from '../../../../src/container/configure/options.ts';
import type { HealthSpec } from '../../../../src/runtime/spec.ts';
import type { HealthConfig } from '../../../../src/oci/image.ts';

type Flags = Partial<HealthOptions>;

export const IMAGE: HealthConfig = { Test: ['CMD', 'img', '-x'], Interval: 7e9, Retries: 9 };

export const MERGED: readonly [flags: Flags, image: unknown, config: HealthConfig | undefined][] = [
  [{}, undefined, undefined],
  [{}, null, undefined],
  [{}, IMAGE, IMAGE],
  [{}, { Test: null, Interval: 0 }, {}],
  [{ 'health-cmd': '' }, IMAGE, IMAGE],
  [{ 'health-cmd': 'a | b' }, undefined, { Test: ['CMD-SHELL', 'a | b'] }],
  [{ 'health-cmd': 'a' }, IMAGE, { ...IMAGE, Test: ['CMD-SHELL', 'a'] }],
  [{ 'health-interval': '1m30s' }, IMAGE, { ...IMAGE, Interval: 90e9 }],
  [{ 'health-interval': '0s', 'health-retries': 0 }, IMAGE, IMAGE],
  [
    {
      'health-cmd': 'a',
      'health-timeout': '1ms',
      'health-start-period': '2h',
      'health-start-interval': '1.5s',
      'health-retries': 1,
    },
    undefined,
    { Test: ['CMD-SHELL', 'a'], Timeout: 1e6, StartPeriod: 7200e9, StartInterval: 1.5e9, Retries: 1 },
  ],
  [{ 'no-healthcheck': true }, IMAGE, { Test: ['NONE'] }],
  [{ 'no-healthcheck': true }, { Test: 5 }, { Test: ['NONE'] }],
  [{ 'health-cmd': 'none' }, IMAGE, { Test: ['NONE'] }],
  [{ 'health-cmd': '["a","b c"]' }, undefined, { Test: ['CMD', 'a', 'b c'] }],
  [{ 'health-cmd': '["CMD-SHELL","a b"]' }, undefined, { Test: ['CMD-SHELL', 'a b'] }],
  [{ 'health-cmd': '["NONE"]' }, IMAGE, { Test: ['NONE'] }],
  [{ 'health-cmd': 'CMD a  b' }, undefined, { Test: ['CMD', 'a', 'b'] }],
  [{ 'health-cmd': 'CMD-SHELL a || exit 1' }, undefined, { Test: ['CMD-SHELL', 'a || exit 1'] }],
  [{ 'health-cmd': '[ -e /x ]' }, undefined, { Test: ['CMD-SHELL', '[ -e /x ]'] }],
  [{ 'health-cmd': '[]' }, undefined, { Test: ['CMD-SHELL', '[]'] }],
  [{ 'health-cmd': '[1]' }, undefined, { Test: ['CMD-SHELL', '[1]'] }],
];

/** What the helper is to execute. */
export const COMMANDS: readonly [
  test: string[],
  shell: string[] | null | undefined,
  args: string[] | undefined,
][] = [
  [['CMD', 'a', 'b'], undefined, ['a', 'b']],
  [['CMD-SHELL', 'a b'], undefined, ['/bin/sh', '-c', 'a b']],
  [['CMD-SHELL', 'a b'], null, ['/bin/sh', '-c', 'a b']],
  [
    ['CMD-SHELL', 'a b'],
    ['/bin/bash', '-ec'],
    ['/bin/bash', '-ec', 'a b'],
  ],
  [['CMD'], undefined, undefined],
  [['NONE'], undefined, undefined],
  [['ODD', 'a'], undefined, undefined],
  [[], undefined, undefined],
];

export const PLANNED: readonly [flags: Flags, expected: Partial<HealthSpec>][] = [
  [
    {},
    {
      intervalMs: 30_000,
      timeoutMs: 30_000,
      startPeriodMs: 0,
      startIntervalMs: 5000,
      retries: 3,
      timeoutText: '30s',
      action: 'none',
    },
  ],
  [
    { 'health-interval': '1ms', 'health-timeout': '1.5ms' },
    { intervalMs: 1, timeoutMs: 2, timeoutText: '1.5ms' },
  ],
  [
    { 'health-on-failure': 'restart', 'health-retries': 5 },
    { action: 'restart', retries: 5 },
  ],
];

export const REFUSED: readonly [flags: Flags, image: unknown, message: string][] = [
  [
    { 'health-interval': '5' },
    IMAGE,
    'invalid argument "5" for "--health-interval" flag: time: missing unit',
  ],
  [{ 'health-timeout': 'disable' }, IMAGE, 'time: invalid duration "disable"'],
  [{ 'health-interval': '' }, IMAGE, 'time: invalid duration ""'],
  [{ 'health-interval': '-1s' }, IMAGE, '--health-interval cannot be negative'],
  [{ 'health-start-period': '-1s' }, IMAGE, '--health-start-period cannot be negative'],
  [{ 'health-start-interval': '-1s' }, IMAGE, '--health-start-interval cannot be negative'],
  [{ 'health-retries': -1 }, IMAGE, '--health-retries cannot be negative'],
  [{ 'health-retries': 1.5 }, IMAGE, 'invalid argument "1.5" for "--health-retries" flag'],
  [{ 'health-interval': '999us' }, IMAGE, 'Interval in Healthcheck cannot be less than 1ms'],
  [{ 'health-timeout': '1ns' }, IMAGE, 'Timeout in Healthcheck cannot be less than 1ms'],
  [{}, { ...IMAGE, StartPeriod: 5 }, 'StartPeriod in Healthcheck cannot be less than 1ms'],
  [{}, { ...IMAGE, StartInterval: -1 }, 'StartInterval in Healthcheck cannot be less than 1ms'],
  [{}, { ...IMAGE, Retries: -1 }, 'Retries in Healthcheck cannot be negative'],
  [{}, { ...IMAGE, Retries: '3' }, 'its Retries makes no sense'],
  [{}, { ...IMAGE, Interval: 1.5e9 + 0.5 }, 'its Interval makes no sense'],
  [{}, { Test: 'curl' }, 'its Test makes no sense'],
  [{}, { Test: ['CMD', 1] }, 'its Test makes no sense'],
  [
    { 'no-healthcheck': true, 'health-cmd': 'x' },
    IMAGE,
    '--no-healthcheck conflicts with --health-* options',
  ],
  [{ 'no-healthcheck': true, 'health-retries': 2 }, IMAGE, '--no-healthcheck conflicts'],
  [{ 'health-on-failure': 'kill' }, undefined, '--health-on-failure kill: the container has no health check'],
  [{ 'health-on-failure': 'stop', 'no-healthcheck': true }, IMAGE, 'has no health check'],
];
