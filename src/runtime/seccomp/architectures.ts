// The architectures a filter can be made for, and the 32-bit ones each kernel also runs. (pure)

import type { SYSCALL_TABLES } from './syscalls.ts';

export type TableName = keyof typeof SYSCALL_TABLES;

export interface Abi {
  table: TableName;
  /** AUDIT_ARCH_*, linux/audit.h */
  audit: number;
  /** Names in profiles. */
  scmp: string;
}

export interface Architecture extends Abi {
  /** Go's name, used by `arches` of docker's profiles. */
  goName: string;
  compat: Abi[];
}

export const ARCHITECTURES = {
  x86_64: {
    table: 'x86_64',
    audit: 0xc000_003e,
    scmp: 'SCMP_ARCH_X86_64',
    goName: 'amd64',
    compat: [{ table: 'x86', audit: 0x4000_0003, scmp: 'SCMP_ARCH_X86' }],
  },
  aarch64: {
    table: 'aarch64',
    audit: 0xc000_00b7,
    scmp: 'SCMP_ARCH_AARCH64',
    goName: 'arm64',
    compat: [{ table: 'arm', audit: 0x4000_0028, scmp: 'SCMP_ARCH_ARM' }],
  },
} as const satisfies Record<string, Architecture>;

export type ArchitectureName = keyof typeof ARCHITECTURES;

/** Of this process. @throws nothing: an architecture we have no table for is `undefined`. */
export function nativeArchitecture(nodeArch: string = process.arch): ArchitectureName | undefined {
  return nodeArch === 'x64' ? 'x86_64' : nodeArch === 'arm64' ? 'aarch64' : undefined;
}
