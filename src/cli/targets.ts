// Commands over several targets: a failure is told, the others are still done, and the exit status says so.

import { newest, readCidFile } from '../container/address.ts';
import { EngineError } from '../core/errors.ts';
import type { StoreRoot } from '../store/layout.ts';
import type { Io } from './context.ts';
import { usageError } from './parse.ts';
import { reportError } from './report.ts';

/**
 * Does `work` for each target in order.
 * @returns 0, or the highest exit status of the failures. One target alone: its error is thrown as it is.
 */
export async function forEachTarget(
  { io, signal }: { io: Pick<Io, 'stderr'>; signal: AbortSignal },
  targets: readonly string[],
  work: (target: string) => Promise<void> | void,
): Promise<number> {
  let status = 0;
  for (const target of targets) {
    try {
      await work(target);
    } catch (error) {
      if (targets.length === 1 || signal.aborted || !(error instanceof EngineError)) throw error;
      const { text, exitCode } = reportError(error, false);
      io.stderr(text.trimEnd());
      status = Math.max(status, exitCode);
    }
  }
  return status;
}

/** Begins `work` for all targets at once; the function returned gives the result for each when it is asked. */
export function inParallel<T>(
  targets: readonly string[],
  work: (target: string) => Promise<T>,
): (target: string) => Promise<T> {
  const results = new Map<string, Promise<T>>();
  for (const target of targets) {
    const result = results.get(target) ?? work(target);
    result.catch(() => undefined); // whoever asks for it hears of it
    results.set(target, result);
  }
  return (target) => results.get(target) as Promise<T>;
}

/**
 * The one container of a command: its first word, --latest, or --cidfile; `rest` are the words after it.
 * @throws USAGE unless as many words as that leaves are there; CONTAINER_NOT_FOUND for --latest of none
 */
export function oneTarget(
  root: StoreRoot,
  command: { name: string; args: string; min?: number; max?: number },
  words: readonly string[],
  { latest, cidfile }: { latest: boolean | undefined; cidfile: string | undefined },
): { target: string; rest: string[] } {
  const { min = 0, max = min } = command;
  const named = latest === true || cidfile !== undefined;
  if (latest === true && cidfile !== undefined)
    throw usageError(command, '--latest and --cidfile: give one of the two');
  const count = words.length - (named ? 0 : 1);
  if (count < min || count > max) {
    const bound = (count < min ? min : max) + (named ? 0 : 1);
    const kind = min === max ? 'exactly' : count < min ? 'at least' : 'at most';
    throw usageError(
      command,
      `needs ${kind} ${bound} argument${bound === 1 ? '' : 's'} (${command.args}), got ${words.length}`,
    );
  }
  if (latest === true) return { target: newest(root).name, rest: [...words] };
  const [target = '', ...rest] = cidfile === undefined ? words : [readCidFile(cidfile), ...words];
  return { target, rest };
}
