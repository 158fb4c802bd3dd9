// Commands over several targets: a failure is told, the others are still done, and the exit status says so.

import { EngineError } from '../core/errors.ts';
import type { Io } from './context.ts';
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
