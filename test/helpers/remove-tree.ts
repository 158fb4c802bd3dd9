// Removes what a rootless engine left on disk: files owned by subordinate ids are out of reach of their user.

import { rmSync } from 'node:fs';
import { isRoot, type Account } from './accounts.ts';
import { execAny } from './exec.ts';

/** Never fails because something is missing; throws when something remains. */
export async function removeTree(dir: string, user: Account): Promise<void> {
  if (!isRoot() && user.subUids.length > 0) {
    // As root of a user namespace with the same ranges; Debian 12's unshare knows --map-auto.
    await execAny('unshare', ['--user', '--map-root-user', '--map-auto', 'rm', '-rf', dir]);
  }
  await execAny('chmod', ['-R', 'u+rwX', dir]);
  rmSync(dir, { recursive: true, force: true });
}
