// Work that threads of the addon do: in batches of some size, as many at a time as there are processors.

import { availableParallelism } from 'node:os';
import { FirstFailure } from '../image/first-failure.ts';

/** A failure ends it, once what is under way has ended. */
export async function inBatches<T>(
  items: readonly T[],
  size: number,
  work: (batch: readonly T[]) => Promise<void>,
): Promise<void> {
  const failure = new FirstFailure(() => undefined);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failure.any) await work(items.slice(next, (next += size)));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, () => worker().catch(failure.add)));
  failure.throwIfAny();
}
