// How `stop` and `restart` end a container.

import { EngineError } from '../core/errors.ts';
import type { Flags } from './command.ts';

export const STOP_FLAGS = {
  signal: { type: 'string', short: 's', value: 'SIGNAL', help: "instead of the container's stop signal" },
  time: {
    type: 'number',
    short: 't',
    aliases: ['timeout'],
    value: 'SECONDS',
    help: 'time until it is killed (10); -1: never',
  },
} as const satisfies Flags;

/** @throws USAGE unless the time is whole seconds */
export function checkTime(time: number | undefined): void {
  if (time !== undefined && !Number.isInteger(time))
    throw new EngineError('USAGE', `--time ${time}: expected a whole number of seconds`);
}
