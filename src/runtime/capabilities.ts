// Capability names and masks: capabilities(7), docker's default set, --cap-add, --cap-drop and --privileged. (pure)

import { EngineError } from '../core/errors.ts';
import type { CapabilitySets } from '../native/plan.ts';

/** Index = number in linux/capability.h. */
export const CAPABILITY_NAMES = [
  'CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP',
  'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER',
  'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE',
  'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP',
  'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF',
  'CHECKPOINT_RESTORE',
] as const; // prettier-ignore

/** What docker gives a container that asks for nothing. */
export const DEFAULT_CAPABILITIES = [
  'CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP',
  'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE',
] as const; // prettier-ignore

export interface CapabilityFlags {
  add: readonly string[];
  drop: readonly string[];
  privileged: boolean;
}

/**
 * The bounding set as a mask, by docker's rules: --cap-add ALL starts from everything, --cap-drop ALL from nothing;
 * a name that is both added and dropped is dropped, unless the drop was ALL.
 * @throws USAGE for a name that is no capability.
 */
export function capabilityMask({ add, drop, privileged }: CapabilityFlags): bigint {
  const added = add.map((name) => parseName('--cap-add', name));
  const dropped = drop.map((name) => parseName('--cap-drop', name));
  if (privileged) return ALL_MASK;
  let mask = added.includes('ALL') ? ALL_MASK : dropped.includes('ALL') ? 0n : maskOf(DEFAULT_CAPABILITIES);
  for (const name of added) if (name !== 'ALL') mask |= bit(name);
  for (const name of dropped) if (name !== 'ALL') mask &= ~bit(name);
  return mask;
}

const ALL_MASK = (1n << BigInt(CAPABILITY_NAMES.length)) - 1n;

/** Mask of a list of names as in CAPABILITY_NAMES. */
export function maskOf(names: readonly string[]): bigint {
  let mask = 0n;
  for (const name of names) mask |= bit(name);
  return mask;
}

/** Names as docker prints them (`CAP_CHOWN`), in numeric order. */
export function capabilityNames(mask: bigint): string[] {
  return CAPABILITY_NAMES.filter((_, index) => (mask & (1n << BigInt(index))) !== 0n).map(
    (name) => `CAP_${name}`,
  );
}

/**
 * Container root holds the mask; any other user holds none of it after exec (docker sets no ambient capabilities),
 * so it gets the bounding set alone.
 */
export function capabilitySets(mask: bigint, containerUid: number): CapabilitySets {
  const held = containerUid === 0 ? mask : 0n;
  return { bounding: mask, effective: held, permitted: held, inheritable: 0n, ambient: 0n };
}

/** Canonical spelling for config.json and inspect: `CAP_NET_ADMIN`, or `ALL`. */
export function canonicalCapability(flag: string, name: string): string {
  const parsed = parseName(flag, name);
  return parsed === 'ALL' ? 'ALL' : `CAP_${parsed}`;
}

function parseName(flag: string, text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  if (name === 'ALL' || (CAPABILITY_NAMES as readonly string[]).includes(name)) return name;
  throw new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: not a capability`, {
    hint: 'names are those of capabilities(7) with or without CAP_, or ALL',
  });
}

function bit(name: string): bigint {
  return 1n << BigInt((CAPABILITY_NAMES as readonly string[]).indexOf(name));
}
