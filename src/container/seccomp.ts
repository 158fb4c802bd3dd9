// TEMPORARY until src/runtime/seccomp lands.
import type { ContainerSpec } from '../runtime/spec.ts';

export async function compileSeccompFor({
  host,
}: ContainerSpec): Promise<'default' | 'unconfined' | Uint8Array> {
  return host.seccomp.kind === 'unconfined' ? 'unconfined' : 'default';
}
