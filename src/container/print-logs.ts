// `logs` as a use case: flags → which entries, entries → bytes for the right stream.

import { EngineError } from '../core/errors.ts';
import type { StoreRoot } from '../store/layout.ts';
import { parseTime, readLog, type LogRequest } from './logs.ts';
import { findContainer } from './records.ts';

export interface LogFlags {
  details?: boolean | undefined;
  follow: boolean | undefined;
  since: string | undefined;
  until: string | undefined;
  tail: string;
  timestamps: boolean | undefined;
}

export interface LogOutput {
  stdout: (bytes: Uint8Array) => void;
  /** One line without its newline. */
  stderr: (line: string) => void;
}

/** @throws CONTAINER_NOT_FOUND, CONTAINER_STATE, USAGE */
export async function printLogs(
  parts: { paths: StoreRoot; readonly signal: AbortSignal },
  reference: string,
  flags: LogFlags,
  output: LogOutput,
): Promise<void> {
  const request = requestOf(flags, Date.now());
  const spec = findContainer(parts.paths, reference);
  const signal = request.follow ? parts.signal : undefined;
  for await (const { log, stream, time } of readLog(parts.paths, spec, request, signal)) {
    const prefix = (flags.timestamps === true ? `${time} ` : '') + (flags.details === true ? ' ' : '');
    if (stream === 'stdout') output.stdout(Buffer.from(prefix + log));
    else output.stderr(prefix + log.replace(/\n$/, ''));
  }
}

function requestOf(flags: LogFlags, nowMs: number): LogRequest {
  return {
    tail: tailOf(flags.tail),
    sinceNs: flags.since === undefined ? undefined : parseTime(flags.since, '--since', nowMs),
    untilNs: flags.until === undefined ? undefined : parseTime(flags.until, '--until', nowMs),
    follow: flags.follow === true,
  };
}

function tailOf(text: string): number | undefined {
  if (text === 'all' || text === '' || /^-\d+$/.test(text)) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new EngineError('USAGE', `--tail ${JSON.stringify(text)}: expected a number or "all"`);
}
