// HEALTHCHECK [OPTIONS] CMD command, HEALTHCHECK NONE. (pure)

import { parseDuration } from '../../core/duration.ts';
import type { HealthConfig } from '../../oci/image.ts';
import type { HealthcheckInstruction } from './ast.ts';
import { Mistake, quoteShort } from './errors.ts';
import { parseFlags } from './flags.ts';
import { atLeastOne, commandForm } from './instruction-input.ts';
import type { InstructionInput } from './instruction-input.ts';
import { splitFirst } from './words.ts';

const MIN_NS = 1e6;
const MAX_RETRIES = 2 ** 31 - 1;
/** Flag → key of the config, in the config's order. */
const DURATIONS = [
  ['interval', 'Interval'],
  ['timeout', 'Timeout'],
  ['start-period', 'StartPeriod'],
  ['start-interval', 'StartInterval'],
] as const;

export function parseHealthcheck(input: InstructionInput): HealthcheckInstruction {
  const [word, rest] = splitFirst(atLeastOne(input)) ?? [input.rest, ''];
  const type = word.toUpperCase();
  if (type === 'NONE') {
    parseFlags(input.flags, {});
    if (rest !== '') throw new Mistake('HEALTHCHECK NONE takes no arguments');
    return { ...input.source, kind: 'healthcheck', health: { Test: ['NONE'] } };
  }
  const flags = parseFlags(input.flags, {
    interval: 'string',
    timeout: 'string',
    'start-period': 'string',
    'start-interval': 'string',
    retries: 'string',
  });
  if (type !== 'CMD') throw new Mistake(`Unknown type ${quoteShort(type)} in HEALTHCHECK (try CMD)`);
  const health: HealthConfig = { Test: testOf(rest) };
  for (const [flag, key] of DURATIONS) {
    const duration = durationOf(flags[flag], flag);
    if (duration > 0) health[key] = duration;
  }
  const retries = retriesOf(flags.retries);
  if (retries > 0) health.Retries = retries;
  return { ...input.source, kind: 'healthcheck', health };
}

function testOf(text: string): string[] {
  const command = commandForm(text);
  const words = command.form === 'exec' ? command.argv : [command.line];
  if (words.length === 0 || text === '') throw new Mistake('Missing command after HEALTHCHECK CMD');
  return [command.form === 'exec' ? 'CMD' : 'CMD-SHELL', ...words];
}

/** Zero, as nothing: what the image inherits is not known here, so the engine's default. */
function durationOf(value: string | undefined, flag: string): number {
  if (value === undefined || value === '') return 0;
  const parsed = parseDuration(value);
  if ('problem' in parsed) {
    throw new Mistake(`invalid duration ${quoteShort(value)} for --${flag}`, {
      hint: 'a number with its unit, as in 30s or 1m30s',
    });
  }
  if (parsed.ns !== 0 && parsed.ns < MIN_NS) throw new Mistake(`Interval "${flag}" cannot be less than 1ms`);
  return parsed.ns;
}

function retriesOf(value: string | undefined): number {
  if (value === undefined || value === '') return 0;
  if (/^-\d+$/.test(value)) throw new Mistake(`--retries cannot be negative (${value})`);
  const retries = /^\+?\d{1,10}$/.test(value) ? Number(value) : NaN;
  if (retries <= MAX_RETRIES) return retries;
  throw new Mistake(`invalid number ${quoteShort(value)} for --retries`);
}
