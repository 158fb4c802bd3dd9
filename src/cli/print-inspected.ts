// `inspect` and `container inspect`: what was found as JSON, and a line for each that was not.

import { inspectObjects } from '../container/inspect-objects.ts';
import type { Context } from './context.ts';
import { formatInspect } from './format.ts';

/** @returns the exit status: 1 when one was missing */
export async function printInspected(
  { io, paths }: Pick<Context, 'io' | 'paths'>,
  references: readonly string[],
  { type, size, format }: { type: string | undefined; size: boolean; format: string | undefined },
): Promise<number> {
  const { found, missing } = await inspectObjects(paths, references, { type, size });
  if (found.length > 0 || format === undefined)
    for (const line of formatInspect(found, format)) io.stdout(line);
  for (const reference of missing) io.stderr(`Error: no such ${type ?? 'object'}: ${reference}`);
  return missing.length === 0 ? 0 : 1;
}
