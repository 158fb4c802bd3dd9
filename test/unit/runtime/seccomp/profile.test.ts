import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../src/core/errors.ts';
import { compileSeccomp } from '../../../../src/runtime/seccomp/compile.ts';
import { parseSeccompProfile } from '../../../../src/runtime/seccomp/profile.ts';
import { BAD_PROFILES, COMPARISONS, PROFILE_CASES } from './profile.cases.ts';
import { describeVerdict, interpret } from './interpret.ts';

const X86_64 = 0xc000_003e;
const X86 = 0x4000_0003;

function compile(
  profile: unknown,
  capabilities: string[] = [],
  kernel: [number, number] = [5, 0],
): Uint8Array {
  const text = typeof profile === 'string' ? profile : JSON.stringify(profile);
  return compileSeccomp(parseSeccompProfile(text, 'p.json'), {
    arch: 'x86_64',
    capabilities: new Set(capabilities),
    kernel,
  });
}

describe('parseSeccompProfile', () => {
  it.each(BAD_PROFILES)('refuses $text', ({ text, message }) => {
    let caught: unknown;
    try {
      parseSeccompProfile(text, 'p.json');
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(EngineError);
    expect((caught as EngineError).message).toBe(`reading seccomp profile "p.json": ${message}`);
  });

  it('keeps 64-bit numbers exact, also where they look like numbers within strings', () => {
    const text = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a 12345678901234567890","action":"SCMP_ACT_KILL",
      "args":[{"index":1,"value":18446744073709551615,"valueTwo":9007199254740993,"op":"SCMP_CMP_MASKED_EQ"}]}]}`;
    const rule = parseSeccompProfile(text, 'p').syscalls[0]!;
    expect(rule.names).toEqual(['a 12345678901234567890']);
    expect(rule.args[0]).toEqual({
      index: 1,
      value: 0xffff_ffff_ffff_ffffn,
      valueTwo: 9007199254740993n,
      op: 'SCMP_CMP_MASKED_EQ',
    });
  });
});

describe('compileSeccomp', () => {
  it.each(PROFILE_CASES)('$what', ({ profile, caps, kernel, calls }) => {
    const filter = compile(profile, caps, kernel);
    const seen = calls.map(({ nr, args, compat }) =>
      describeVerdict(
        interpret(filter, { arch: compat === true ? X86 : X86_64, nr, ...(args && { args }) }).verdict,
      ),
    );
    expect(seen).toEqual(calls.map(({ verdict }) => verdict));
  });

  it.each(COMPARISONS)('$op $value $valueTwo', ({ op, value, valueTwo, yes, no }) => {
    const arg = `{"index":2,"op":"${op}","value":${value},"valueTwo":${valueTwo ?? 0n}}`;
    const filter = compile(
      `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_TRAP","args":[${arg}]}]}`,
    );
    const verdict = (third: bigint): string =>
      describeVerdict(interpret(filter, { arch: X86_64, nr: 0, args: [0n, 0n, third] }).verdict);
    expect(yes.map(verdict)).toEqual(yes.map(() => 'trap'));
    expect(no.map(verdict)).toEqual(no.map(() => 'allow'));
  });

  it('agrees with a plain reading of random profiles, far jumps included', () => {
    let seed = 42;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const names = [
      'read',
      'write',
      'open',
      'close',
      'stat',
      'poll',
      'mmap',
      'brk',
      'ioctl',
      'dup',
      'kill',
      'uname',
      'fsync',
    ];
    const numbers = [0, 1, 2, 3, 4, 7, 9, 12, 16, 32, 62, 63, 74];
    const actions = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRAP', 'SCMP_ACT_KILL_PROCESS'];
    const verdicts = ['allow', 'log', 'trap', 'kill process'];
    for (let round = 0; round < 20; round++) {
      const rules = Array.from({ length: 60 }, () => ({
        name: random(names.length),
        value: random(4),
        action: random(4),
      }));
      const filter = compile({
        defaultAction: 'SCMP_ACT_KILL',
        syscalls: rules.map(({ name, value, action }) => ({
          names: [names[name]],
          action: actions[action],
          args: [{ index: 5, value, op: 'SCMP_CMP_EQ' }],
        })),
      });
      for (const [name, nr] of numbers.entries()) {
        for (let value = 0; value < 5; value++) {
          const rule = rules.find((each) => each.name === name && each.value === value);
          const args = [0n, 0n, 0n, 0n, 0n, BigInt(value)];
          expect(describeVerdict(interpret(filter, { arch: X86_64, nr, args }).verdict)).toBe(
            rule === undefined ? 'kill' : verdicts[rule.action],
          );
        }
      }
    }
  });

  it('refuses a filter the kernel would not take', () => {
    const syscalls = Array.from({ length: 1500 }, (_, value) => ({
      names: ['ioctl'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 1, value, op: 'SCMP_CMP_EQ' }],
    }));
    expect(() => compile({ defaultAction: 'SCMP_ACT_ERRNO', syscalls })).toThrow(/the kernel takes 4096/);
  });
});
