// The log of a container in systemd's journal, read by journalctl, which knows its files.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { currentNs } from '../../core/time-flag.ts';
import {
  journalArguments,
  parseJournalLine,
  type JournalEntry,
  type JournalQuery,
} from './journal-entries.ts';

const SOCKET = '/run/systemd/journal/socket'; // as in native/helper/journal_log.cc
const POLL_MS = 50;

/** @throws HOST_MISSING */
export function requireJournal(): void {
  if (existsSync(SOCKET)) return;
  throw new EngineError(
    'HOST_MISSING',
    `--log-driver journald: there is no journal here: ${SOCKET} is missing`,
    {
      hint: 'use --log-driver json-file',
    },
  );
}

/**
 * Entries in their order, as they come.
 * @param isOver asked every now and then by a query that follows: nothing new will come; what came before is still given
 * @throws HOST_MISSING without journalctl, CONTAINER_STATE when it fails
 */
export async function* readJournal(
  query: JournalQuery,
  isOver: () => boolean,
): AsyncGenerator<JournalEntry[]> {
  const beginNs = currentNs();
  let cursor: string | undefined;
  for await (const entries of journalctl(query, isOver)) {
    cursor = entries.at(-1)?.cursor ?? cursor;
    yield entries;
  }
  // journalctl may have been ended before it had seen the last ones.
  if (!query.follow) return;
  const rest = { ...query, follow: false, cursor };
  yield* journalctl(query.tail === 0 ? { ...rest, tail: undefined, sinceNs: beginNs } : rest, () => false);
}

async function* journalctl(query: JournalQuery, isOver: () => boolean): AsyncGenerator<JournalEntry[]> {
  const child = spawn('journalctl', journalArguments(query), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const stopped = new AbortController();
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)));
  const status = new Promise<number | NodeJS.ErrnoException>((resolve) => {
    child.on('error', resolve).on('close', (code) => resolve(code ?? 0)); // a signal is ours
  });
  const timer = query.follow
    ? setInterval(() => {
        if (!isOver()) return;
        stopped.abort();
        child.kill();
      }, POLL_MS)
    : undefined;
  try {
    let rest = '';
    for await (const chunk of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      const entries = lines.flatMap((line) => parseJournalLine(line) ?? []);
      if (entries.length > 0) yield entries;
    }
    const result = await status;
    if (!stopped.signal.aborted && result !== 0) throw failure(result, said);
  } finally {
    clearInterval(timer);
    child.kill();
  }
}

function failure(result: number | NodeJS.ErrnoException, said: string): EngineError {
  const doing = 'reading the log from the journal';
  if (typeof result !== 'number' && errnoOf(result) === 'ENOENT') {
    return new EngineError('HOST_MISSING', `${doing}: there is no "journalctl" in PATH`, {
      hint: 'install systemd, or run containers with --log-driver json-file',
      exitCode: 1,
    });
  }
  const cause =
    typeof result === 'number' ? said.trim() || `journalctl ended with ${result}` : result.message;
  return new EngineError('CONTAINER_STATE', `${doing}: ${cause}`, {
    hint: 'a journal that is not kept on disk can only be read by members of the group systemd-journal',
    exitCode: 1,
  });
}
