// What a person types: a line, a password without showing it. Only at a terminal.

import { EngineError } from '../core/errors.ts';
import type { Io } from './context.ts';

/** @throws USAGE when stdin is no terminal: nobody could answer; CANCELLED for Ctrl-C or Ctrl-D */
export async function askLine(
  io: Pick<Io, 'stdinIsTerminal'>,
  question: string,
  { hidden }: { hidden: boolean },
): Promise<string> {
  if (!io.stdinIsTerminal)
    throw new EngineError('USAGE', 'cannot perform an interactive login from a non-terminal', {
      exitCode: 1,
      hint: 'give --username and --password-stdin',
    });
  const { stdin } = process;
  process.stderr.write(question);
  stdin.setRawMode(hidden);
  try {
    let line = '';
    for await (const chunk of stdin) {
      for (const key of String(chunk as Buffer)) {
        if (key === '\r' || key === '\n') return line;
        if (key === '\u0003' || key === '\u0004') throw new EngineError('CANCELLED', 'login: cancelled');
        line = key === '\u007f' || key === '\b' ? line.slice(0, -1) : line + key;
      }
    }
    throw new EngineError('CANCELLED', 'login: cancelled');
  } finally {
    stdin.setRawMode(false);
    if (hidden) process.stderr.write('\n');
  }
}

/** All of stdin. */
export async function readStdin(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
