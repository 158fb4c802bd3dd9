// Programs of another architecture: they run where the kernel has an emulator registered for them (binfmt_misc).

import { readdirSync, readFileSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { formatPlatform, hostPlatform } from '../../image/platform.ts';
import type { Platform } from '../../spec/image.ts';

const HANDLERS = '/proc/sys/fs/binfmt_misc';

/** ELF's class, byte order and machine (elf.h), and what qemu calls its emulator. */
const MACHINES: Readonly<Record<string, { bits: 32 | 64; big?: boolean; machine: number; qemu: string }>> = {
  '386': { bits: 32, machine: 3, qemu: 'i386' },
  amd64: { bits: 64, machine: 62, qemu: 'x86_64' },
  arm: { bits: 32, machine: 40, qemu: 'arm' },
  arm64: { bits: 64, machine: 183, qemu: 'aarch64' },
  loong64: { bits: 64, machine: 258, qemu: 'loongarch64' },
  mips64le: { bits: 64, machine: 8, qemu: 'mips64el' },
  ppc64le: { bits: 64, machine: 21, qemu: 'ppc64le' },
  riscv64: { bits: 64, machine: 243, qemu: 'riscv64' },
  s390x: { bits: 64, big: true, machine: 22, qemu: 's390x' },
};

/** Processors that run the older architecture themselves. */
const ALSO_RUNS: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };

/** @throws HOST_MISSING (exit status 1) when nothing here runs programs of that platform */
export function checkRunnable(platform: Platform): void {
  const host = hostPlatform(process.arch);
  const { architecture } = platform;
  if (architecture === host.architecture || ALSO_RUNS[host.architecture] === architecture) return;
  const machine = MACHINES[architecture];
  if (machine === undefined) return; // the kernel decides
  if (readHandlers().some((text) => handles(text, architecture))) return;
  throw new EngineError(
    'HOST_MISSING',
    `no binfmt handler for ${architecture} (qemu-${machine.qemu}): a ${formatPlatform(platform)} image cannot run its programs on this ${formatPlatform(host)} machine`,
    {
      exitCode: 1,
      hint: `install qemu-user-static and binfmt-support; /proc/sys/fs/binfmt_misc/qemu-${machine.qemu} must have the flag F`,
    },
  );
}

/**
 * Whether a file of binfmt_misc describes an enabled handler that containers can use: with the flag F the kernel has the
 * emulator open, which no image contains. (pure)
 */
export function handles(text: string, architecture: string): boolean {
  const wanted = MACHINES[architecture];
  const field = (name: string): string => new RegExp(`^${name}:? (.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  if (wanted === undefined || !/^enabled$/m.test(text) || !field('flags').includes('F')) return false;
  const magic = Buffer.from(field('magic'), 'hex');
  const mask = Buffer.from(field('mask'), 'hex');
  const header = elfHeader(wanted);
  if (magic.length < header.length || Number(field('offset')) !== 0) return false;
  return header.every((byte, i) => ((byte ^ (magic[i] as number)) & (mask[i] ?? 0xff)) === 0);
}

/** The first 20 bytes of an executable. */
function elfHeader({
  bits,
  big = false,
  machine,
}: {
  bits: 32 | 64;
  big?: boolean;
  machine: number;
}): Buffer {
  const header = Buffer.alloc(20);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits / 32, big ? 2 : 1, 1]);
  for (const [offset, value] of [
    [16, 2],
    [18, machine],
  ] as const)
    if (big) header.writeUInt16BE(value, offset);
    else header.writeUInt16LE(value, offset);
  return header;
}

function readHandlers(): string[] {
  try {
    return readdirSync(HANDLERS)
      .filter((name) => name !== 'register' && name !== 'status')
      .map((name) => readFileSync(`${HANDLERS}/${name}`, 'latin1'));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return []; // not mounted
  }
}
