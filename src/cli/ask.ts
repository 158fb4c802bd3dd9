// The one question skiff asks: before something is removed that was not named. Only of a person at a terminal.

import { readSync } from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Io } from './context.ts';

/** @returns true for y or yes. @throws USAGE when stdin is no terminal: nobody could answer */
export function askYesNo(io: Pick<Io, 'stderr' | 'stdinIsTerminal'>, question: string): boolean {
  if (!io.stdinIsTerminal) {
    throw new EngineError('USAGE', 'nobody can be asked: stdin is no terminal', {
      hint: 'give --force to go ahead',
    });
  }
  io.stderr(`${question} [y/N]`);
  return /^y(es)?$/i.test(readLine().trim());
}

function readLine(): string {
  const buffer = Buffer.alloc(256);
  try {
    return buffer.subarray(0, readSync(0, buffer)).toString();
  } catch (error) {
    if (errnoOf(error) === 'EOF' || errnoOf(error) === 'EIO') return '';
    throw error;
  }
}
