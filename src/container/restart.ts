// `restart`: stop, then start.

import type { ContainerSpec } from '../runtime/spec.ts';
import { logContainerEvent } from './events.ts';
import type { RunParts } from './configure/prepare.ts';
import { startDetached } from './start.ts';
import { stopContainer, type StopOptions } from './stop.ts';

/** `line` is printed, by whoever does it, once the command runs. Returns and throws as startDetached and stopContainer. */
export async function restartContainer(
  parts: RunParts,
  spec: ContainerSpec,
  line: string,
  { print, ...options }: StopOptions & { print: (line: string) => void },
): Promise<number> {
  await stopContainer(parts.paths, spec, options);
  const status = await startDetached(parts, spec, line, print);
  if (status === 0) logContainerEvent(parts.paths, spec, 'restart');
  return status;
}
