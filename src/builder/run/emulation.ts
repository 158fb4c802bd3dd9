// Programs of another architecture: they run where the kernel has an emulator registered for them (binfmt_misc).

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { formatPlatform, hostPlatform } from '../../core/platform.ts';
import { runInUserNamespace } from '../../native/launch.ts';
import type { Platform } from '../../oci/image.ts';

const HANDLERS = '/proc/sys/fs/binfmt_misc';

/** ELF's class, byte order and machine (elf.h), and what qemu calls its emulator. */
const MACHINES: Readonly<Record<string, Machine>> = {
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

export type Emulation =
  /** The processor's own, or the kernel decides. */
  | 'none'
  /** By a handler whose emulator the kernel has open (flag F). */
  | 'handler'
  /** By a handler that looks for its emulator in the container. */
  | 'handler-inside'
  | 'missing';

/**
 * How programs of `platform` run here. Inside of a container the handlers that count are often out of sight: then a program
 * is tried. folder: where one can be made
 */
export async function emulationOf({ architecture }: Platform, folder: () => string): Promise<Emulation> {
  const host = hostPlatform(process.arch);
  if (architecture === host.architecture || ALSO_RUNS[host.architecture] === architecture) return 'none';
  const machine = MACHINES[architecture];
  if (machine === undefined) return 'none';
  const handlers = readHandlers();
  if (handlers === undefined) return (await isStarted(machine, folder())) ? 'handler' : 'missing';
  const fitting = handlers.filter((text) => handles(text, architecture));
  if (fitting.length === 0) return 'missing';
  return fitting.some(hasOpenEmulator) ? 'handler' : 'handler-inside';
}

/** RUNs of these platforms have nothing that runs their programs. */
export function missingHandlers(platforms: readonly Platform[]): EngineError {
  const names = [...new Set(platforms.map(formatPlatform))];
  const emulators = [
    ...new Set(platforms.map(({ architecture }) => `qemu-${MACHINES[architecture]?.qemu ?? architecture}`)),
  ];
  const host = formatPlatform(hostPlatform(process.arch));
  return new EngineError(
    'HOST_MISSING',
    `RUN for ${names.join(', ')} needs ${names.length === 1 ? 'a binfmt handler' : 'binfmt handlers'} (${emulators.join(', ')}), and this ${host} machine has none`,
    {
      exitCode: 1,
      hint: `"apt-get install qemu-user-static binfmt-support", or what your distribution has in their place, registers ${emulators.length === 1 ? 'it' : 'them'}: see /proc/sys/fs/binfmt_misc/${emulators[0] ?? ''}`,
    },
  );
}

/** Whether a file of binfmt_misc describes an enabled handler of programs for `architecture`. (pure) */
export function handles(text: string, architecture: string): boolean {
  const wanted = MACHINES[architecture];
  if (wanted === undefined || !/^enabled$/m.test(text)) return false;
  const magic = Buffer.from(field(text, 'magic'), 'hex');
  const mask = Buffer.from(field(text, 'mask'), 'hex');
  const header = elfHeader(wanted);
  if (magic.length < header.length || Number(field(text, 'offset')) !== 0) return false;
  return header.every((byte, i) => ((byte ^ (magic[i] as number)) & (mask[i] ?? 0xff)) === 0);
}

/** With the flag F the kernel has the emulator open, which no image needs to contain. (pure) */
export function hasOpenEmulator(text: string): boolean {
  return field(text, 'flags').includes('F');
}

function field(text: string, name: string): string {
  return new RegExp(`^${name}:? (.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
}

/** Whether the kernel finds something to run a program with that ends at once, for want of any code. */
async function isStarted(machine: Machine, folder: string): Promise<boolean> {
  const file = `${folder}/program`;
  writeFileSync(file, Buffer.concat([elfHeader(machine), Buffer.alloc(44)]), { mode: 0o755 });
  try {
    await runInUserNamespace({
      idMap: undefined,
      argv: [file],
      stdio: ['ignore', 'ignore', 'ignore'],
      env: {},
    }).result;
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return errnoOf(error) !== 'ENOEXEC';
  }
}

interface Machine {
  bits: 32 | 64;
  big?: boolean;
  machine: number;
  qemu: string;
}

/** The first 20 bytes of an executable. */
function elfHeader({ bits, big = false, machine }: Machine): Buffer {
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

/** undefined: not mounted. */
function readHandlers(): string[] | undefined {
  try {
    const names = readdirSync(HANDLERS);
    if (!names.includes('register')) return undefined;
    return names
      .filter((name) => name !== 'register' && name !== 'status')
      .map((name) => readFileSync(`${HANDLERS}/${name}`, 'latin1'));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
