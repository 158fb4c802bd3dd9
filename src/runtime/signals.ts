// Signal names and numbers as docker takes them: `TERM`, `SIGTERM`, `15`, `RTMIN+3`. (pure)

import { constants } from 'node:os';
import { EngineError } from '../core/errors.ts';

const SIGRTMIN = 34; // glibc and musl take the first two real-time signals for themselves
const SIGRTMAX = 64;

/** @throws USAGE; `flag` names where the text came from. */
export function parseSignal(text: string, flag: string): number {
  const number = signalNumber(text);
  if (number === undefined) {
    throw new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: not a signal`, {
      hint: 'use a name such as SIGTERM or TERM, or a number from 1 to 64',
    });
  }
  return number;
}

/** What stops a container; an image may say anything there. */
export function stopSignalNumber(text: string | undefined): number {
  return (text === undefined ? undefined : signalNumber(text)) ?? constants.signals.SIGTERM;
}

/** Seconds until SIGKILL, where a container does not say. */
export const DEFAULT_STOP_TIMEOUT_S = 10;

/** undefined for a text that is no signal. */
export function signalNumber(text: string): number | undefined {
  if (/^\d{1,2}$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= SIGRTMAX ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realtime !== null) {
    const offset = Number(`${realtime[2] ?? '+'}${realtime[3] ?? '0'}`);
    const number = (realtime[1] === 'MIN' ? SIGRTMIN : SIGRTMAX) + offset;
    return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
  }
  return (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
}
