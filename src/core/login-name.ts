// Who a uid logs in as.

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

/** undefined for a uid that nobody has given a name, as in many CI containers. `hostUid` is our own. */
export function loginName(hostUid: number): string | undefined {
  for (const line of readPasswd().split('\n')) {
    const [name, , uid] = line.split(':', 3);
    if (uid === String(hostUid) && name !== undefined) return name;
  }
  try {
    const { username } = userInfo(); // LDAP, NIS, systemd-homed: whatever NSS knows
    return username === 'unknown' ? undefined : username; // Bun's word for nobody
  } catch {
    return undefined;
  }
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}
