// logind ends the systemd of a user who is logged out, and every scope with it, unless the user "lingers".

import { existsSync } from 'node:fs';

export const LINGER_COMMAND = 'loginctl enable-linger';

/** Where logind remembers it: loginctl(1), "enable-linger". user: undefined for one without a name, who does not log in. */
export function lingers(user: string | undefined): boolean {
  return user !== undefined && existsSync(`/var/lib/systemd/linger/${user}`);
}
