// What adds blobs to the store before anything refers to them: load, commit, import.

import type { Digest } from '../core/digest.ts';
import { collectGarbage } from '../store/gc.ts';
import { gcLockFile, type StoreRoot } from '../store/layout.ts';
import { withLock } from '../store/lock.ts';

const NONE: ReadonlySet<Digest> = new Set();

/**
 * Runs `work` with gc.lock shared, so that what it adds stays. Of the blobs that it notes in `added`, those that nothing
 * refers to afterwards go again, whether it succeeded or not: not one by one while the lock is shared, since others may
 * have found them in the store and rely on them.
 */
export async function addingBlobs<T>(
  root: StoreRoot,
  signal: AbortSignal,
  work: (added: Set<Digest>) => Promise<T>,
): Promise<T> {
  const added = new Set<Digest>();
  try {
    return await withLock(gcLockFile(root), 'shared', () => work(added), { signal });
  } finally {
    if (added.size > 0)
      await collectGarbage(root, { idMap: undefined, only: { blobs: added, chainIds: NONE } });
  }
}
