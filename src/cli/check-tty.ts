// docker's rule for -i with -t: scripts and CI runners look for these words to find out that they have no terminal.

import { EngineError } from '../core/errors.ts';
import type { Io } from './context.ts';

/** @throws USAGE (exit status 1) when a terminal is to be fed from what is none */
export function checkTty(
  io: Pick<Io, 'stdinIsTerminal'>,
  flags: { interactive: boolean | undefined; tty: boolean | undefined; detach: boolean | undefined },
): void {
  if (flags.interactive !== true || flags.tty !== true || flags.detach === true || io.stdinIsTerminal) return;
  throw new EngineError('USAGE', 'the input device is not a TTY', {
    hint: 'leave out --tty where stdin is no terminal',
    exitCode: 1,
  });
}
