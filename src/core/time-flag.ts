// Times as docker takes them for --since and --until: a duration before now, a date, or Unix seconds. (pure)

import { EngineError } from './errors.ts';

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3, // U+00B5
  μs: 1e3, // U+03BC
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const NUMBER = String.raw`(?:\d+(?:\.\d*)?|\.\d+)`;
const PART = new RegExp(`(${NUMBER})(ns|us|µs|μs|ms|s|m|h)`, 'g');
const DURATION = new RegExp(`^([-+]?)((?:${NUMBER}(?:ns|us|µs|μs|ms|s|m|h))+)$`);
const UNIX = /^(\d{1,11})(?:\.(\d{1,9})\d*)?$/;
const DATE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?)?)?([Zz]|[-+]\d\d:\d\d)?$/;

/**
 * Unix nanoseconds of `10m`, `1h30m`, `1.5h`, `-5m` (which is to come), `1700000000.5`, or RFC 3339 with parts left out
 * from the right; without a zone that is local time.
 * @param flag for the error: --since
 * @throws USAGE
 */
export function parseTimeFlag(text: string, flag: string, nowNs: bigint): bigint {
  const duration = parseDuration(text);
  if (duration !== undefined) return nowNs - duration;
  const at = parseUnix(text) ?? parseDate(text);
  if (at !== undefined) return at;
  throw new EngineError(
    'USAGE',
    `${flag} ${JSON.stringify(text)}: expected a duration (10m, 1h30m), a date (2026-01-02T15:04:05Z) or Unix seconds`,
  );
}

/** The clock, as precise as it is without asking for more: milliseconds. */
export function currentNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** Go's time.ParseDuration, in nanoseconds; undefined for anything else. */
function parseDuration(text: string): bigint | undefined {
  const [, sign, parts] = DURATION.exec(text) ?? [];
  if (parts === undefined) return undefined;
  let sum = 0;
  for (const [, value, unit] of parts.matchAll(PART))
    sum += Number(value) * (UNIT_NS[unit as string] as number);
  return BigInt(Math.round(sum)) * (sign === '-' ? -1n : 1n);
}

function parseUnix(text: string): bigint | undefined {
  const [, seconds, fraction = ''] = UNIX.exec(text) ?? [];
  return seconds === undefined ? undefined : nanoseconds(Number(seconds), fraction);
}

/** Unix nanoseconds of RFC 3339, also in parts; undefined when it is none, or there is no such day. */
export function parseDate(text: string): bigint | undefined {
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone] =
    DATE.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const fields = [
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  ] as const;
  const utc = Date.UTC(...fields);
  const date = new Date(utc);
  // What rolls over, as a 30th of February does, is not what was meant.
  const same = date.getUTCMonth() === fields[1] && date.getUTCDate() === fields[2];
  if (!same || fields[3] > 23 || fields[4] > 59 || fields[5] > 59) return undefined;
  const ms = zone === undefined ? new Date(...fields).getTime() : utc - offsetMs(zone);
  return nanoseconds(ms / 1000, fraction);
}

function offsetMs(zone: string): number {
  if (/^z$/i.test(zone)) return 0;
  const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number);
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function nanoseconds(seconds: number, fraction: string): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
