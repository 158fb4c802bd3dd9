// --health-* and the image's HEALTHCHECK → the health check of a container, as docker merges them. (pure) Loaded only
// where there is one.

import { formatDuration, parseDuration } from '../../core/duration.ts';
import { EngineError } from '../../core/errors.ts';
import type { HealthSpec } from '../../runtime/spec.ts';
import type { HealthConfig, ImageConfigSection } from '../../oci/image.ts';
import type { HealthOptions } from './options.ts';

export interface ChosenHealth {
  /** docker's Config.Healthcheck. */
  config: HealthConfig | undefined;
  spec: HealthSpec | undefined;
  notes: string[];
}

const DURATIONS = {
  'health-interval': 'Interval',
  'health-timeout': 'Timeout',
  'health-start-period': 'StartPeriod',
  'health-start-interval': 'StartInterval',
} as const;

const SECOND = 1e9;
const DEFAULTS = { Interval: 30 * SECOND, Timeout: 30 * SECOND, StartInterval: 5 * SECOND, Retries: 3 };
const SHORTEST = 1e6;
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** The flags alone; undefined when there are none. @throws USAGE in docker's words */
export function parseHealthFlags(options: HealthOptions): HealthConfig | undefined {
  const config: HealthConfig = {};
  const command = options['health-cmd'];
  if (command !== undefined && command !== '') config.Test = parseTest(command);
  for (const [flag, key] of Object.entries(DURATIONS)) {
    const ns = parseTime(flag, options[flag as keyof typeof DURATIONS]);
    if (ns !== 0) config[key] = ns;
  }
  const retries = options['health-retries'] ?? 0;
  if (!Number.isInteger(retries) || retries > 2 ** 31)
    throw invalid('health-retries', retries, 'expected a whole number');
  if (retries < 0) throw new EngineError('USAGE', '--health-retries cannot be negative');
  if (retries > 0) config.Retries = retries;
  const isEmpty = Object.keys(config).length === 0;
  if (options['no-healthcheck'] !== true) return isEmpty ? undefined : config;
  if (!isEmpty) throw new EngineError('USAGE', '--no-healthcheck conflicts with --health-* options');
  return { Test: ['NONE'] };
}

/**
 * docker's text for the shell; podman's list of words, `none`, and either with its kind in front.
 * A list is no sensible command line, so docker's users miss nothing.
 */
function parseTest(text: string): string[] {
  if (/^none$/i.test(text)) return ['NONE'];
  const kind = /^(CMD|CMD-SHELL)\s+(.*\S)\s*$/s.exec(text);
  if (kind !== null)
    return kind[1] === 'CMD'
      ? ['CMD', ...(kind[2] as string).split(/\s+/)]
      : ['CMD-SHELL', kind[2] as string];
  const words = listOf(text);
  if (words === undefined || words.length === 0) return ['CMD-SHELL', text];
  return ['CMD', 'CMD-SHELL', 'NONE'].includes(words[0] as string) ? words : ['CMD', ...words];
}

function listOf(text: string): string[] | undefined {
  if (!/^\s*\[/.test(text)) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Nanoseconds; 0 is not given. */
function parseTime(flag: string, text: string | undefined): number {
  if (text === undefined) return 0;
  const parsed = parseDuration(text);
  if ('problem' in parsed) throw invalid(flag, text, parsed.problem);
  if (parsed.ns < 0) throw new EngineError('USAGE', `--${flag} cannot be negative`);
  return parsed.ns;
}

/** @throws USAGE in docker's words */
export function chooseHealth(options: HealthOptions, image: ImageConfigSection): ChosenHealth {
  const own = parseHealthFlags(options);
  const config = merge(own, image);
  if (config !== undefined) checkTimes(config);
  const args = config === undefined ? undefined : commandOf(config.Test ?? [], image.Shell);
  const action = options['health-on-failure'] ?? 'none';
  if (args === undefined || config === undefined) {
    if (action !== 'none') throw needsCheck(`--health-on-failure ${action}`);
    return { config, spec: undefined, notes: withoutCheck(own, config) };
  }
  const timeout = config.Timeout ?? DEFAULTS.Timeout;
  return {
    config,
    spec: {
      args,
      intervalMs: milliseconds(config.Interval ?? DEFAULTS.Interval),
      timeoutMs: milliseconds(timeout),
      startPeriodMs: milliseconds(config.StartPeriod ?? 0),
      startIntervalMs: milliseconds(config.StartInterval ?? DEFAULTS.StartInterval),
      retries: config.Retries ?? DEFAULTS.Retries,
      timeoutText: formatDuration(timeout),
      action: action as HealthSpec['action'],
    },
    notes: [],
  };
}

function needsCheck(what: string): EngineError {
  return new EngineError('USAGE', `${what}: the container has no health check`, {
    hint: 'give it one with --health-cmd',
  });
}

/** docker takes these in silence. */
function withoutCheck(own: HealthConfig | undefined, config: HealthConfig | undefined): string[] {
  const kind = config?.Test?.[0];
  if (kind !== undefined && kind !== 'NONE')
    return [`the health check of the image is of an unknown kind (${JSON.stringify(kind)}) and not run`];
  if (own === undefined || own.Test?.[0] === 'NONE') return [];
  return ['--health-*: the container has no health check these could apply to; --health-cmd gives it one'];
}

/** What the flags leave open comes from the image. */
function merge(own: HealthConfig | undefined, { Healthcheck }: ImageConfigSection): HealthConfig | undefined {
  if (own?.Test?.[0] === 'NONE') return own;
  const image = readImageHealth(Healthcheck);
  return own === undefined ? image : { ...image, ...own };
}

/** An image may say anything here; what is 0 or empty is not said. @throws USAGE as docker's daemon does at `create` */
function readImageHealth(value: unknown): HealthConfig | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = Object.entries(value).filter(([, each]) => each !== null && each !== 0);
  const { Test: test, ...rest } = Object.fromEntries(given) as Record<string, unknown>;
  const config: HealthConfig = {};
  if (Array.isArray(test) && test.length > 0 && test.every((word) => typeof word === 'string'))
    config.Test = test;
  else if (test !== undefined && !(Array.isArray(test) && test.length === 0)) throw odd('Test');
  for (const key of [...Object.values(DURATIONS), 'Retries'] as const) {
    const number = rest[key];
    if (number === undefined) continue;
    if (!Number.isInteger(number)) throw odd(key);
    config[key] = number as number;
  }
  return config;
}

function odd(key: string): EngineError {
  return new EngineError('IMAGE_INVALID', `reading the image's HEALTHCHECK: its ${key} makes no sense`, {
    hint: 'run it without: --no-healthcheck',
  });
}

/** @throws USAGE */
function checkTimes(config: HealthConfig): void {
  for (const key of Object.values(DURATIONS)) {
    const ns = config[key];
    if (ns !== undefined && ns < SHORTEST)
      throw new EngineError('USAGE', `${key} in Healthcheck cannot be less than ${formatDuration(SHORTEST)}`);
  }
  if ((config.Retries ?? 0) < 0) throw new EngineError('USAGE', 'Retries in Healthcheck cannot be negative');
}

/** undefined: nothing to execute. */
function commandOf(
  [kind, ...words]: readonly string[],
  shell: readonly string[] | null | undefined,
): string[] | undefined {
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  return kind === 'CMD-SHELL' ? [...(shell ?? DEFAULT_SHELL), ...words] : undefined;
}

function milliseconds(ns: number): number {
  return Math.ceil(ns / 1e6);
}

function invalid(flag: string, value: string | number, why: string): EngineError {
  return new EngineError(
    'USAGE',
    `invalid argument ${JSON.stringify(String(value))} for "--${flag}" flag: ${why}`,
  );
}
