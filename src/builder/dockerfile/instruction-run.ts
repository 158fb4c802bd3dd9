// RUN: flags, mounts, command. (pure)

import type { RunInstruction } from './ast.ts';
import { Mistake, quoteShort } from './errors.ts';
import { parseFlags } from './flags.ts';
import { atLeastOne, commandForm } from './instruction-input.ts';
import type { InstructionInput } from './instruction-input.ts';
import { parseMountFlag } from './mounts.ts';
import { didYouMean } from './suggest.ts';

const NETWORKS = ['default', 'none', 'host'] as const;
const SECURITY = ['sandbox', 'insecure'] as const;

export function parseRun(input: InstructionInput): RunInstruction {
  const flags = parseFlags(input.flags, { mount: 'list', network: 'string', security: 'string' });
  const command = commandForm(atLeastOne(input));
  if (command.form === 'exec' && command.argv.length === 0) {
    throw new Mistake('RUN requires at least one argument');
  }
  return {
    ...input.source,
    kind: 'run',
    command,
    heredocs: input.heredocs,
    mounts: flags.mount.map(({ text, offset }) => {
      try {
        return parseMountFlag(text, input.source.range);
      } catch (error) {
        if (!(error instanceof Mistake)) throw error;
        throw new Mistake(error.message, { hint: error.hint, offset });
      }
    }),
    network: oneOf(flags.network, NETWORKS, 'invalid network mode'),
    security: oneOf(flags.security, SECURITY, 'invalid security mode'),
  };
}

function oneOf<T extends string>(
  value: string | undefined,
  known: readonly T[],
  what: string,
): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((name) => name === value.toLowerCase());
  if (found !== undefined) return found;
  throw new Mistake(`${what} ${quoteShort(value)}${didYouMean(value.toLowerCase(), known)}`, {
    hint: `it is one of ${known.join(', ')}`,
  });
}
