// logind ends the systemd of a user who is logged out, and every scope with it, unless the user "lingers".

import { existsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { errnoOf } from '../core/errors.ts';
import { ensurePrivateDir } from '../core/fs.ts';

export const LINGER_COMMAND = 'loginctl enable-linger';

/** Where logind remembers it: loginctl(1), "enable-linger". */
export function lingers(): boolean {
  return existsSync(`/var/lib/systemd/linger/${userInfo().username}`);
}

/** A line for stderr, at the first such container of a login. `runRoot` goes with the login. */
export function logoutLine(runRoot: string): string | undefined {
  if (lingers()) return undefined;
  try {
    ensurePrivateDir(runRoot);
    writeFileSync(`${runRoot}/logout-said`, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    // Where it cannot be noted, it is said again.
    if (errnoOf(error) === 'EEXIST') return undefined;
  }
  return `containers end when you log out, with everything that systemd keeps for you; to let them live on: ${LINGER_COMMAND}`;
}
