// `logs`: reads systemd's journal (journal.ts), or containers/<id>/log, docker's json-file format: one
// `{"log":…,"stream":…,"time":…}` a line. A line that a crash tore is passed over. Following polls the file, since inotify
// is not to be had everywhere a store can be.

import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';
import { currentNs, parseDate } from '../../core/time-flag.ts';
import { containerDir, type StoreRoot } from '../../store/layout.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';
import type { LogEntry, LogRequest } from './log-entry.ts';
import { LogFiles } from './log-files.ts';
import { isAlive } from '../records.ts';

const POLL_MS = 50;

/** What each look at the files gives: entries in their order, never none. @throws CONTAINER_STATE when it keeps no log */
export async function* readLog(
  root: StoreRoot,
  spec: ContainerSpec,
  request: LogRequest,
  signal?: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  checkDriver(spec);
  if (spec.host.logDriver === 'journald') {
    yield* journalEntries(root, spec, request, signal);
    return;
  }
  const files = new LogFiles(`${containerDir(root, spec.id)}/log`, spec.host.logOptions.maxFiles);
  const selection = new Selection(request);
  try {
    if (request.tail === undefined) yield* entriesOf(files, selection);
    else yield* someOf(selection, lastLines(files, request.tail));
    while (request.follow && !selection.isOver && signal?.aborted !== true) {
      const alive = isAlive(root, spec.id); // asked first: what it wrote before it died is then still read
      const isPast = request.untilNs !== undefined && currentNs() > request.untilNs;
      yield* entriesOf(files, selection);
      if (!alive || isPast) return;
      await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  } finally {
    files.close();
  }
}

async function* journalEntries(
  root: StoreRoot,
  { id }: ContainerSpec,
  request: LogRequest,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogEntry[]> {
  const { readJournal } = await import('./journal.ts');
  const selection = new Selection(request);
  const isPast = (): boolean => request.untilNs !== undefined && currentNs() > request.untilNs;
  const isOver = (): boolean => signal?.aborted === true || isPast() || !isAlive(root, id);
  // A container that does not run writes no more: there is nothing to follow.
  const query = { id, uid: process.getuid?.() ?? 0, ...request, follow: request.follow && !isOver() };
  for await (const entries of readJournal(query, isOver)) {
    if (signal?.aborted === true) return;
    const taken = selection.take(entries);
    if (taken.length > 0) yield taken;
    if (selection.isOver) return;
  }
}

function* entriesOf(files: LogFiles, selection: Selection): Generator<LogEntry[]> {
  for (let lines = files.next(); lines !== undefined && !selection.isOver; lines = files.next())
    yield* someOf(selection, lines);
}

function* someOf(selection: Selection, lines: readonly string[]): Generator<LogEntry[]> {
  const entries = selection.take(lines.flatMap((line) => parseLogLine(line) ?? []));
  if (entries.length > 0) yield entries;
}

/** As docker, of all entries: only then those are looked for that --since and --until select. */
function lastLines(files: LogFiles, count: number): string[] {
  let last: string[] = [];
  for (let lines = files.next(); lines !== undefined; lines = files.next()) {
    last.push(...lines.filter((line) => line.endsWith('}')));
    if (last.length > 2 * count + 1024) last = last.slice(-count);
  }
  return count === 0 ? [] : last.slice(-count);
}

/**
 * docker's rules, which hold where a clock was set back too: from the first entry of --since on everything, up to the
 * first that is later than --until.
 */
class Selection {
  #sinceNs: bigint | undefined;
  readonly #untilNs: bigint | undefined;
  /** What comes is later than --until. */
  isOver = false;

  constructor({ sinceNs, untilNs }: LogRequest) {
    this.#sinceNs = sinceNs;
    this.#untilNs = untilNs;
  }

  take(entries: readonly LogEntry[]): LogEntry[] {
    const taken: LogEntry[] = [];
    for (const entry of entries) {
      if (!this.#wants(entry)) continue;
      if (this.isOver) break;
      taken.push(entry);
    }
    return taken;
  }

  #wants({ time }: LogEntry): boolean {
    if (this.#sinceNs === undefined && this.#untilNs === undefined) return true;
    const at = parseDate(time);
    if (at === undefined || (this.#sinceNs !== undefined && at < this.#sinceNs)) return false;
    this.#sinceNs = undefined;
    this.isOver = this.#untilNs !== undefined && at > this.#untilNs;
    return true;
  }
}

function checkDriver({ name, host }: ContainerSpec): void {
  if (host.logDriver === 'json-file' || host.logDriver === 'journald') return;
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
