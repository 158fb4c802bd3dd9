// Synchronous output that is complete at exit, whatever stdout is: process.stdout buffers pipes and loses the rest
// when the process ends. Text goes out by core/bytes.ts, so a path that is not UTF-8 leaves as it came.

import { writeSync } from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { errnoOf } from '../core/errors.ts';
import type { Io } from './context.ts';

/** Thrown when nobody reads stdout any more: main.ts then dies of SIGPIPE, as cat does. */
export class BrokenPipe extends Error {}

/** Writes all of `bytes`; waits where the descriptor is a full non-blocking pipe. @throws BrokenPipe */
export function writeFully(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EAGAIN') sleep(2);
      else if (errno === 'EPIPE') throw new BrokenPipe();
      else if (errno !== 'EINTR') throw error;
    }
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Messages are not worth dying for: a closed or full stderr is ignored. */
export function writeMessage(text: string): void {
  try {
    writeFully(2, encodeBytes(text));
  } catch {
    // Nobody is left to tell.
  }
}

/** node:tty takes 2 ms to load and few commands ask, so it is loaded by the first question. */
function isTerminal(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}

export const processIo: Io = {
  stdout: (line) => writeFully(1, encodeBytes(`${line}\n`)),
  stdoutBytes: (bytes) => writeFully(1, bytes),
  stderrBytes: (bytes) => writeFully(2, bytes),
  stderr: (line) => writeMessage(`${line}\n`),
  get stdinIsTerminal() {
    return isTerminal(0);
  },
  get stdoutIsTerminal() {
    return isTerminal(1);
  },
  get stderrIsTerminal() {
    return isTerminal(2);
  },
};
