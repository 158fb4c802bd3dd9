// `inspect` and `container inspect`: what was found as JSON, and a line for each that was not.

import type { Io } from './context.ts';
import { formatInspect } from './format.ts';

/** @returns the exit status: 1 when one was missing */
export function printInspected(
  io: Pick<Io, 'stdout' | 'stderr'>,
  { found, missing }: { found: readonly unknown[]; missing: readonly string[] },
  { type, format }: { type: string | undefined; format: string | undefined },
): number {
  if (found.length > 0 || format === undefined)
    for (const line of formatInspect(found, format)) io.stdout(line);
  for (const reference of missing) io.stderr(`Error: no such ${type ?? 'object'}: ${reference}`);
  return missing.length === 0 ? 0 : 1;
}
