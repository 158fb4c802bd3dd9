import { describe, expect, it } from 'vitest';
import { DEFAULT_CAPABILITIES } from '../../../../src/runtime/capabilities.ts';
import { ARCHITECTURES } from '../../../../src/runtime/seccomp/architectures.ts';
import {
  chooseSeccomp,
  kernelVersion,
  OPENING_CAPABILITIES,
} from '../../../../src/runtime/seccomp/choose.ts';
import { compileSeccomp } from '../../../../src/runtime/seccomp/compile.ts';
import { DEFAULT_PROFILE } from '../../../../src/runtime/seccomp/default-profile.ts';
import { SYSCALL_TABLES } from '../../../../src/runtime/seccomp/syscalls.ts';
import { DEFAULT_CASES, type DefaultCase } from './default-profile.cases.ts';
import { describeVerdict, interpret } from './interpret.ts';

const AUDIT = { x86_64: 0xc000_003e, x86: 0x4000_0003, aarch64: 0xc000_00b7, arm: 0x4000_0028 };
const defaultCaps = DEFAULT_CAPABILITIES.map((name) => `CAP_${name}`);

function numberOf(table: keyof typeof SYSCALL_TABLES, call: string): number {
  const match = new RegExp(`(?:^|\\s)${call}:(\\d+)`).exec(SYSCALL_TABLES[table]);
  if (match === null) throw new Error(`${call} is not in ${table}`);
  return Number(match[1]);
}

function verdictOf({ call, nr, args = [], table = 'x86_64', caps = [] }: DefaultCase): string {
  const arch = table === 'x86_64' || table === 'x86' ? 'x86_64' : 'aarch64';
  const capabilities = new Set([...defaultCaps, ...caps.filter((cap) => !cap.startsWith('-'))]);
  for (const cap of caps) if (cap.startsWith('-')) capabilities.delete(cap.slice(1));
  const filter = compileSeccomp(DEFAULT_PROFILE, { arch, capabilities, kernel: [5, 0] });
  return describeVerdict(
    interpret(filter, { arch: AUDIT[table], nr: nr ?? numberOf(table, call), args }).verdict,
  );
}

describe('default profile', () => {
  it.each(DEFAULT_CASES)('$call $table $args $caps: $verdict', (row) => {
    expect(verdictOf(row)).toBe(row.verdict);
  });

  it('answers ENOSYS to an architecture the kernel should not have', () => {
    const filter = compileSeccomp(DEFAULT_PROFILE, {
      arch: 'x86_64',
      capabilities: new Set(),
      kernel: [5, 0],
    });
    expect(describeVerdict(interpret(filter, { arch: 0x8000_0015, nr: 0 }).verdict)).toBe('ENOSYS');
  });

  it('names only calls that some table knows', () => {
    const known = new Set(Object.values(SYSCALL_TABLES).flatMap((table) => table.match(/\w+(?=:)/g) ?? []));
    // Spelled by other C libraries or kernels; harmless, and a profile may name them.
    const elsewhere = ['fstatat64', 'newfstatat', '_newselect', 'recv', 'send', 'stime'];
    const names = DEFAULT_PROFILE.syscalls.flatMap((rule) => rule.names);
    expect(names.filter((name) => !known.has(name) && !elsewhere.includes(name))).toEqual([]);
  });

  it('decides every allowed number within 16 instructions', () => {
    for (const [arch, { audit }] of Object.entries(ARCHITECTURES)) {
      const filter = compileSeccomp(DEFAULT_PROFILE, {
        arch: arch as keyof typeof ARCHITECTURES,
        capabilities: new Set(defaultCaps),
        kernel: [5, 0],
      });
      expect(filter.length / 8).toBeLessThan(700);
      for (let nr = 0; nr < 600; nr++) {
        const { verdict, steps } = interpret(filter, { arch: audit, nr, args: [0n] });
        if (describeVerdict(verdict) === 'allow') expect([nr, steps <= 16]).toEqual([nr, true]);
      }
    }
  });
});

describe('chooseSeccomp', () => {
  it('takes the filter of the helper for the default capabilities, and for fewer that open nothing', async () => {
    const choice = { kind: 'default' } as const;
    expect(await chooseSeccomp({ choice, capabilities: defaultCaps })).toBe('default');
    expect(await chooseSeccomp({ choice, capabilities: ['CAP_SYS_CHROOT'] })).toBe('default');
    expect(await chooseSeccomp({ choice, capabilities: [...defaultCaps, 'CAP_NET_ADMIN'] })).toBe('default');
  });

  it('compiles for other capabilities', async () => {
    const choice = { kind: 'default' } as const;
    expect(await chooseSeccomp({ choice, capabilities: [] })).toBeInstanceOf(Uint8Array);
    expect(await chooseSeccomp({ choice, capabilities: [...defaultCaps, 'CAP_BPF'] })).toBeInstanceOf(
      Uint8Array,
    );
  });

  it('knows the capabilities of the default profile', () => {
    expect(new Set([...OPENING_CAPABILITIES, 'CAP_SYS_CHROOT'])).toEqual(
      new Set(DEFAULT_PROFILE.syscalls.flatMap(({ includes }) => includes.caps)),
    );
  });

  it('takes a profile or none', async () => {
    expect(await chooseSeccomp({ choice: { kind: 'unconfined' }, capabilities: [] })).toBe('unconfined');
    const text = '{"defaultAction":"SCMP_ACT_ALLOW"}';
    const filter = await chooseSeccomp({ choice: { kind: 'profile', path: 'p', text }, capabilities: [] });
    expect(filter).toBeInstanceOf(Uint8Array);
  });

  it('reads kernel releases', () => {
    expect(kernelVersion('6.1.0-13-amd64')).toEqual([6, 1]);
    expect(kernelVersion('4.18.0-553.el8.x86_64')).toEqual([4, 18]);
    expect(kernelVersion('odd')).toEqual([99, 0]);
  });
});
