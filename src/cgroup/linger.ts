// logind ends the systemd of a user who is logged out, and every scope with it, unless the user "lingers".

import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';

export const LINGER_COMMAND = 'loginctl enable-linger';

/** Where logind remembers it: loginctl(1), "enable-linger". */
export function lingers(): boolean {
  return existsSync(`/var/lib/systemd/linger/${userInfo().username}`);
}
