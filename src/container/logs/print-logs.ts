// `logs` as a use case: flags → which entries, entries → bytes for the right stream.

import { encodeBytes } from '../../core/bytes.ts';
import { EngineError } from '../../core/errors.ts';
import { currentNs, parseTimeFlag } from '../../core/time-flag.ts';
import type { StoreRoot } from '../../store/layout.ts';
import type { LogEntry, LogRequest } from './log-entry.ts';
import { readLog } from './logs.ts';
import { findContainer } from '../records.ts';

export interface LogFlags {
  details?: boolean | undefined;
  follow: boolean | undefined;
  since: string | undefined;
  until: string | undefined;
  tail: string;
  timestamps: boolean | undefined;
}

export type LogOutput = Record<LogEntry['stream'], (bytes: Uint8Array) => void>;

/** @throws CONTAINER_NOT_FOUND, CONTAINER_STATE, USAGE */
export async function printLogs(
  parts: { paths: StoreRoot; readonly signal: AbortSignal },
  reference: string,
  flags: LogFlags,
  output: LogOutput,
): Promise<void> {
  const request = requestOf(flags, currentNs());
  const spec = findContainer(parts.paths, reference);
  const signal = request.follow ? parts.signal : undefined;
  for await (const entries of readLog(parts.paths, spec, request, signal)) {
    for (const { stream, text } of textOf(entries, flags)) output[stream](encodeBytes(text));
  }
}

/** Neighbours of one stream together: a write for each line would not keep up with a container that writes many. (pure) */
export function textOf(
  entries: readonly LogEntry[],
  flags: Pick<LogFlags, 'details' | 'timestamps'>,
): { stream: LogEntry['stream']; text: string }[] {
  const texts: { stream: LogEntry['stream']; text: string }[] = [];
  for (const { log, stream, time } of entries) {
    const line = (flags.timestamps === true ? `${time} ` : '') + (flags.details === true ? ' ' : '') + log;
    const last = texts.at(-1);
    if (last?.stream === stream) last.text += line;
    else texts.push({ stream, text: line });
  }
  return texts;
}

function requestOf(flags: LogFlags, nowNs: bigint): LogRequest {
  return {
    tail: tailOf(flags.tail),
    sinceNs: flags.since === undefined ? undefined : parseTimeFlag(flags.since, '--since', nowNs),
    untilNs: flags.until === undefined ? undefined : parseTimeFlag(flags.until, '--until', nowNs),
    follow: flags.follow === true,
  };
}

function tailOf(text: string): number | undefined {
  if (text === 'all' || text === '' || /^-\d+$/.test(text)) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new EngineError('USAGE', `--tail ${JSON.stringify(text)}: expected a number or "all"`);
}
