// `logs`: reads containers/<id>/log, docker's json-file format: one `{"log":…,"stream":…,"time":…}` a line. A line that a
// crash tore is passed over. Following polls the file, since inotify is not to be had everywhere a store can be.

import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { LogFiles } from './log-files.ts';
import { isAlive } from './records.ts';

export interface LogEntry {
  /** Usually with a newline at the end. */
  log: string;
  stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds. */
  time: string;
}

export interface LogRequest {
  /** The last n entries; undefined: all. */
  tail: number | undefined;
  /** Unix nanoseconds. */
  sinceNs: bigint | undefined;
  untilNs: bigint | undefined;
  follow: boolean;
}

const POLL_MS = 50;

/** @throws CONTAINER_STATE when the container keeps no log */
export async function* readLog(
  root: StoreRoot,
  spec: ContainerSpec,
  request: LogRequest,
  signal?: AbortSignal,
): AsyncGenerator<LogEntry> {
  checkDriver(spec);
  const files = new LogFiles(`${containerDir(root, spec.id)}/log`, spec.host.logOptions.maxFiles);
  try {
    yield* request.tail === undefined ? entriesOf(files, request) : lastEntries(files, request, request.tail);
    while (request.follow && signal?.aborted !== true) {
      const alive = isAlive(root, spec.id); // asked first: what it wrote before it died is then still read
      const isOver = request.untilNs !== undefined && BigInt(Date.now()) * 1_000_000n > request.untilNs;
      yield* entriesOf(files, request);
      if (!alive || isOver) return;
      await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  } finally {
    files.close();
  }
}

function* entriesOf(files: LogFiles, request: LogRequest): Generator<LogEntry> {
  for (let lines = files.next(); lines !== undefined; lines = files.next()) {
    for (const line of lines) {
      const entry = select(line, request);
      if (entry !== undefined) yield entry;
    }
  }
}

function lastEntries(files: LogFiles, request: LogRequest, count: number): LogEntry[] {
  let last: LogEntry[] = [];
  for (const entry of entriesOf(files, request)) {
    last.push(entry);
    if (last.length > 2 * count + 1024) last = last.slice(-count);
  }
  return count === 0 ? [] : last.slice(-count);
}

function checkDriver({ name, host }: ContainerSpec): void {
  if (host.logDriver === 'json-file') return;
  throw new EngineError(
    'CONTAINER_STATE',
    `reading the log of ${JSON.stringify(name)}: configured logging driver does not support reading (${host.logDriver})`,
    {
      hint: host.autoRemove
        ? 'a container run with --rm keeps a log only with --log-driver json-file'
        : 'run it with --log-driver json-file',
      exitCode: 1,
    },
  );
}

function select(line: string, { sinceNs, untilNs }: LogRequest): LogEntry | undefined {
  const entry = parseLogLine(line);
  if (entry === undefined || (sinceNs === undefined && untilNs === undefined)) return entry;
  const at = nanoseconds(entry.time);
  if (at === undefined || (sinceNs !== undefined && at < sinceNs) || (untilNs !== undefined && at > untilNs))
    return undefined;
  return entry;
}

/** undefined for a torn line. (pure) */
export function parseLogLine(line: string): LogEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<LogEntry>;
    if (typeof entry.log !== 'string' || typeof entry.time !== 'string') return undefined;
    return { log: entry.log, stream: entry.stream === 'stderr' ? 'stderr' : 'stdout', time: entry.time };
  } catch {
    return undefined;
  }
}

/** Unix nanoseconds of an RFC 3339 time. (pure) */
function nanoseconds(time: string): bigint | undefined {
  const match = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(time);
  const seconds = match === null ? NaN : Date.parse(`${match[1]}${match[3]}`) / 1000;
  return Number.isNaN(seconds)
    ? undefined
    : BigInt(seconds) * 1_000_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0'));
}

/**
 * --since and --until as docker takes them: a duration before now (`10m`, `1h30m`), Unix seconds (`1700000000.5`), or
 * RFC 3339 with parts left out (in local time without a zone). (pure) @throws USAGE
 */
export function parseTime(text: string, flag: string, nowMs: number): bigint {
  const duration = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text);
  if (text !== '' && duration !== null) {
    const [hours, minutes, seconds] = duration
      .slice(1)
      .map((part) => Number((part as string | undefined) ?? 0)) as [number, number, number];
    return BigInt(Math.round(nowMs - (hours * 3600 + minutes * 60 + seconds) * 1000)) * 1_000_000n;
  }
  const unix = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (unix !== null && text.length >= 6)
    return BigInt(unix[1] as string) * 1_000_000_000n + BigInt((unix[2] ?? '').padEnd(9, '0'));
  const date = /^\d{4}-\d\d-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)
    ? completeDate(text)
    : undefined;
  const at = date === undefined ? undefined : nanoseconds(date);
  if (at !== undefined) return at;
  throw new EngineError(
    'USAGE',
    `${flag} ${JSON.stringify(text)}: expected a duration (10m, 1h30m), a date (2026-01-02T15:04:05Z) or Unix seconds`,
  );
}

function completeDate(text: string): string {
  const [, day, rest = '', zone] = /^(\d{4}-\d\d-\d\d)(?:T([\d:.]*))?(Z|[+-]\d\d:\d\d)?$/.exec(
    text,
  ) as unknown as [string, string, string?, string?];
  const [whole = '', fraction] = rest.split('.');
  const full = [...whole.split(':').filter((part) => part !== ''), '00', '00', '00'].slice(0, 3).join(':');
  const local = `${day}T${full}`;
  const date = new Date(local);
  if (Number.isNaN(date.getTime())) return ''; // a thirteenth month
  const withZone = zone === undefined ? `${date.toISOString().slice(0, 19)}Z` : local + zone;
  return fraction === undefined ? withZone : withZone.replace(/(Z|[+-]\d\d:\d\d)$/, `.${fraction}$1`);
}
