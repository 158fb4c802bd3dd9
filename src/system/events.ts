// `events`: what the log has, and what is added to it, until the time that was asked for or for ever. There is no daemon
// to subscribe to: the log is polled, which works on every file system a store can be on.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import { parseProcStat } from '../core/proc-stat.ts';
import { currentNs, parseTimeFlag } from '../core/time-flag.ts';
import { addon } from '../native/addon.ts';
import { EventFiles } from '../store/event-files.ts';
import { eventLogFile, type StoreRoot } from '../store/layout.ts';
import { parseEventFilters, parseEventLine, timeOfLine, type Event, type EventTest } from './event.ts';

export interface EventFlags {
  since: string | undefined;
  until: string | undefined;
  filter: readonly string[];
  /** Go on when everything that has happened was shown. */
  stream: boolean;
}

export interface EventRequest {
  sinceNs: bigint;
  /** undefined: for ever. */
  untilNs: bigint | undefined;
  test: EventTest;
  stream: boolean;
}

const POLL_MS = 50;
/** How many rounds between two looks at whether anybody still reads our output. */
const READER_ROUNDS = 20;
/** A process that has just been started is not older. */
const MAX_AGE_MS = 60_000;

/**
 * Flags → what is asked for. Without --since and --until, and with --stream=false alone, docker's rules: from now on, and
 * everything there is. @throws USAGE
 */
export function requestEvents(flags: EventFlags, startedNs: bigint): EventRequest {
  const test = parseEventFilters(flags.filter);
  const timeOf = (text: string | undefined, flag: string): bigint | undefined =>
    text === undefined || text === '' ? undefined : parseTimeFlag(text, flag, currentNs());
  const since = timeOf(flags.since, '--since');
  const untilNs = timeOf(flags.until, '--until');
  if (since !== undefined && untilNs !== undefined && since > untilNs) {
    throw new EngineError(
      'USAGE',
      `--since ${JSON.stringify(flags.since)}: that is after --until ${JSON.stringify(flags.until)}`,
    );
  }
  const sinceNs = since ?? (untilNs === undefined && flags.stream ? startedNs : 0n);
  return { sinceNs, untilNs, test, stream: flags.stream };
}

/** In the order of the log. Ends at `untilNs`, when `signal` is aborted, and when nobody reads `outputFd` any more. */
export async function* readEvents(
  root: StoreRoot,
  request: EventRequest,
  { signal, outputFd }: { signal: AbortSignal; outputFd: number },
): AsyncGenerator<Event> {
  const files = new EventFiles(eventLogFile(root));
  try {
    for (let round = 1; ; round++) {
      // Asked first: what was logged by then is still read.
      const isOver = !request.stream || (request.untilNs !== undefined && currentNs() > request.untilNs);
      for (const line of files.lines()) {
        const event = select(line, request);
        if (event !== undefined) yield event;
      }
      if (isOver || signal.aborted) return;
      if (round % READER_ROUNDS === 0 && addon().isHungUp(outputFd)) return;
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    files.close();
  }
}

/** The time is looked at before the rest: most of a log is too old. */
function select(line: string, { sinceNs, untilNs, test }: EventRequest): Event | undefined {
  const at = timeOfLine(line);
  if (at === undefined || at < sinceNs || (untilNs !== undefined && at > untilNs)) return undefined;
  const event = parseEventLine(line);
  return event !== undefined && test(event) ? event : undefined;
}

/**
 * When this process was started, in Unix nanoseconds, to a hundredth of a second: a container that is run after `events`
 * was started shows, although that took longer to be ready.
 */
export function processStartNs(): bigint {
  const ticks = parseProcStat(readFileSync('/proc/self/stat', 'latin1')).field(22); // in hundredths: USER_HZ
  const uptime = readFileSync('/proc/uptime', 'latin1').split(' ')[0] ?? '0';
  const ageMs = Math.round(Number(uptime) * 1000) - Number(ticks) * 10;
  // Where a sandbox makes up one of the two: now.
  return currentNs() - BigInt(ageMs >= 0 && ageMs < MAX_AGE_MS ? ageMs : 0) * 1_000_000n;
}
