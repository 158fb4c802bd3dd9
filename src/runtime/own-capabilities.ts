// What this process may do itself: where a container gets no user namespace, it can be given no more.

import { readFileSync } from 'node:fs';

/** Our permitted capabilities as a mask (proc_pid_status(5), CapPrm). */
export function ownCapabilities(): bigint {
  const match = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return match === null ? 0n : BigInt(`0x${match[1]}`);
}
