// Which filter a container gets: the one built into the helper, none, or one compiled now.

import { release } from 'node:os';
import { EngineError } from '../../core/errors.ts';
import type { ContainerProcess } from '../../native/plan.ts';
import type { SeccompChoice } from '../spec.ts';
import { nativeArchitecture } from './architectures.ts';

export interface SeccompInput {
  choice: SeccompChoice;
  /** `CAP_X` names of the container's bounding set. */
  capabilities: readonly string[];
}

/**
 * Loads the compiler only when it is needed: the default filter with docker's default capabilities comes ready made.
 * @throws USAGE for a profile that is wrong, HOST_MISSING on an architecture without tables
 */
export async function chooseSeccomp({
  choice,
  capabilities,
}: SeccompInput): Promise<ContainerProcess['seccomp']> {
  if (choice.kind === 'unconfined') return 'unconfined';
  if (choice.kind === 'default' && opensSame(capabilities)) return 'default';
  const arch = nativeArchitecture();
  if (arch === undefined) {
    throw new EngineError(
      'HOST_MISSING',
      `making the seccomp filter: no table of system calls for architecture ${JSON.stringify(process.arch)}`,
      { hint: 'run without a filter: --security-opt seccomp=unconfined' },
    );
  }
  const { compileSeccomp } = await import('./compile.ts');
  const options = { arch, capabilities: new Set(capabilities), kernel: kernelVersion(release()) };
  if (choice.kind === 'default') {
    const { DEFAULT_PROFILE } = await import('./default-profile.ts');
    return compileSeccomp(DEFAULT_PROFILE, options);
  }
  const { parseSeccompProfile } = await import('./profile.ts');
  return compileSeccomp(parseSeccompProfile(choice.text, choice.path), options);
}

/**
 * Of docker's default capabilities, SYS_CHROOT alone opens something; these open more. A test keeps the list equal to
 * what the default profile says (which is not loaded here).
 */
export const OPENING_CAPABILITIES: ReadonlySet<string> = new Set([
  'CAP_DAC_READ_SEARCH',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_MODULE',
  'CAP_SYS_PACCT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_SYS_NICE',
  'CAP_SYSLOG',
  'CAP_BPF',
  'CAP_PERFMON',
]);

/** True when the default profile allows exactly what the built-in filter does. */
function opensSame(capabilities: readonly string[]): boolean {
  return (
    capabilities.includes('CAP_SYS_CHROOT') && !capabilities.some((cap) => OPENING_CAPABILITIES.has(cap))
  );
}

/** `6.1.0-13-amd64` → [6, 1]. Something unreadable counts as new. */
export function kernelVersion(text: string): [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(text);
  return match === null ? [99, 0] : [Number(match[1]), Number(match[2])];
}
