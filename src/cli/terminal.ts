// The terminal that stderr is.

import { WriteStream } from 'node:tty';
import { writeMessage } from './io.ts';

export interface Terminal {
  write(text: string): void;
  size(): { columns: number; rows: number };
  /** Off with NO_COLOR. */
  hasColour: boolean;
}

const STANDARD = { columns: 80, rows: 24 };

export function openTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const noColour = env['NO_COLOR'];
  return {
    write: writeMessage,
    size: () => windowSize(),
    hasColour: noColour === undefined || noColour === '',
  };
}

/** Asked anew each time: a window has no size of its own that lasts. */
function windowSize(): { columns: number; rows: number } {
  const { stderr } = process;
  if (!(stderr instanceof WriteStream)) return STANDARD;
  const [columns, rows] = stderr.getWindowSize();
  // A serial line says 0.
  return columns > 0 && rows > 0 ? { columns, rows } : STANDARD;
}
