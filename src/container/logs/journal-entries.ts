// How journalctl is asked for the log of a container, and what its answers mean. (pure)

import { decodeBytes } from '../../core/bytes.ts';
import type { LogEntry, LogRequest } from './log-entry.ts';

export interface JournalQuery extends Pick<LogRequest, 'tail' | 'sinceNs' | 'follow'> {
  id: string;
  /** Who keeps the container: others may write entries that look alike. */
  uid: number;
  /** Only what came after. */
  cursor?: string | undefined;
}

/** --until is left to the reader, who knows nanoseconds; so is --since with --tail, which counts before. */
export function journalArguments({ id, uid, tail, sinceNs, follow, cursor }: JournalQuery): string[] {
  const args = ['--quiet', '--no-pager', '--all', '--output=json'];
  if (cursor !== undefined) args.push(`--after-cursor=${cursor}`);
  else if (tail !== undefined) args.push(`--lines=${tail}`);
  else if (sinceNs !== undefined && sinceNs > 0n) args.push(`--since=@${secondsOf(sinceNs)}`);
  if (follow) args.push('--follow');
  if (follow && tail === undefined) args.push('--no-tail');
  return [...args, `CONTAINER_ID_FULL=${id}`, `_UID=${uid}`];
}

/** With the microseconds that the journal knows. */
function secondsOf(ns: bigint): string {
  const fraction = String((ns % 1_000_000_000n) / 1000n).padStart(6, '0');
  return `${ns / 1_000_000_000n}.${fraction}`;
}

export interface JournalEntry extends LogEntry {
  cursor: string;
}

/** undefined for what is no entry of ours. */
export function parseJournalLine(line: string): JournalEntry | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = (JSON.parse(line) ?? {}) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const text = textOf(fields['MESSAGE']);
  const { __CURSOR: cursor, __REALTIME_TIMESTAMP: micros } = fields;
  if (text === undefined || typeof cursor !== 'string' || typeof micros !== 'string') return undefined;
  if (!/^\d{7,16}$/.test(micros)) return undefined;
  return {
    log: fields['CONTAINER_PARTIAL_MESSAGE'] === 'true' ? text : `${text}\n`,
    stream: fields['PRIORITY'] === '3' ? 'stderr' : 'stdout',
    time: timeOf(micros),
    cursor,
  };
}

/** A text, or an array of bytes where it is not printable. */
function textOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  if (!Array.isArray(message)) return undefined;
  return decodeBytes(Uint8Array.from(message as number[]));
}

/** RFC 3339 with nanoseconds, of microseconds. */
function timeOf(micros: string): string {
  const date = new Date(Number(micros.slice(0, -6)) * 1000).toISOString();
  return `${date.slice(0, 19)}.${micros.slice(-6).padStart(6, '0')}000Z`;
}
