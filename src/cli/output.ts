// Where an archive goes: to the file of -o, or to stdout, which must not be a terminal. docker's words.

import { EngineError } from '../core/errors.ts';
import { openOutputFile } from '../core/output-file.ts';
import type { Io } from './context.ts';
import { writeFully } from './io.ts';

export interface Output {
  fd: number;
  /** Puts all of it there. */
  write: (bytes: Uint8Array) => void;
}

/**
 * Lets `work` fill the file or stdout; a file of -o appears when that is done, and not when it fails.
 * @throws USAGE with exit status 1
 */
export async function withOutput(
  path: string | undefined,
  io: Pick<Io, 'stdoutIsTerminal'>,
  work: (output: Output) => Promise<void>,
): Promise<void> {
  if (path === undefined || path === '' || path === '-') {
    if (io.stdoutIsTerminal) {
      throw new EngineError('USAGE', 'cowardly refusing to save to a terminal. Use the -o flag or redirect', {
        exitCode: 1,
      });
    }
    await work(outputOf(1));
    return;
  }
  const file = openOutputFile(path);
  try {
    await work(outputOf(file.fd));
    file.commit();
  } finally {
    file.discard();
  }
}

function outputOf(fd: number): Output {
  return { fd, write: (bytes) => writeFully(fd, bytes) };
}
