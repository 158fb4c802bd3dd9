// Argument comparisons of one system call as BPF. seccomp shows arguments as 64 bit, BPF has registers of 32: each
// comparison looks at the high half first. (pure)

import { and, JEQ, JGE, JGT, jump, load, offsetOfArg, ret, type Instruction } from './bpf.ts';
import type { ArgRule } from './profile.ts';

export interface Case {
  args: readonly ArgRule[];
  verdict: number;
}

/** The first case whose comparisons all hold decides, else `otherwise`. */
export function argumentChain(cases: readonly Case[], otherwise: number): Instruction[] {
  return [...cases.flatMap(({ args, verdict }) => [...allOf(args), ret(verdict)]), ret(otherwise)];
}

/** Falls through when all comparisons hold, else jumps over the one instruction behind the block. */
function allOf(args: readonly ArgRule[]): Instruction[] {
  let block: Instruction[] = [];
  for (const arg of [...args].reverse()) {
    const test = comparison(arg);
    // `no` is counted from the end of the test: over the rest of the block and the return.
    block = [...resolve(test, block.length + 1), ...block];
  }
  return block;
}

/** Where a jump goes: on with the next comparison, or out. */
type Target = 'yes' | 'no' | 'next';

interface Test {
  load: Instruction[];
  code: number;
  k: number;
  then: Target;
  otherwise: Target;
}

function resolve(tests: readonly Test[], skip: number): Instruction[] {
  const length = tests.reduce((sum, test) => sum + test.load.length + 1, 0);
  const out: Instruction[] = [];
  for (const test of tests) {
    out.push(...test.load);
    const left = length - out.length - 1; // instructions of this comparison after the jump
    const distance = (to: Target): number => (to === 'next' ? 0 : to === 'yes' ? left : left + skip);
    out.push(jump(test.code, test.k, distance(test.then), distance(test.otherwise)));
  }
  return out;
}

function comparison({ index, op, value, valueTwo }: ArgRule): Test[] {
  const high = (mask?: number): Instruction[] => loads(index, 'high', mask);
  const low = (mask?: number): Instruction[] => loads(index, 'low', mask);
  const [h, l] = halves(value);
  switch (op) {
    case 'SCMP_CMP_EQ':
      return [
        { load: high(), code: JEQ, k: h, then: 'next', otherwise: 'no' },
        { load: low(), code: JEQ, k: l, then: 'yes', otherwise: 'no' },
      ];
    case 'SCMP_CMP_NE':
      return [
        { load: high(), code: JEQ, k: h, then: 'next', otherwise: 'yes' },
        { load: low(), code: JEQ, k: l, then: 'no', otherwise: 'yes' },
      ];
    case 'SCMP_CMP_GT':
    case 'SCMP_CMP_GE':
      return [
        { load: high(), code: JGT, k: h, then: 'yes', otherwise: 'next' },
        { load: [], code: JEQ, k: h, then: 'next', otherwise: 'no' },
        { load: low(), code: op === 'SCMP_CMP_GT' ? JGT : JGE, k: l, then: 'yes', otherwise: 'no' },
      ];
    case 'SCMP_CMP_LT':
    case 'SCMP_CMP_LE':
      return [
        { load: high(), code: JGT, k: h, then: 'no', otherwise: 'next' },
        { load: [], code: JEQ, k: h, then: 'next', otherwise: 'yes' },
        { load: low(), code: op === 'SCMP_CMP_LT' ? JGE : JGT, k: l, then: 'no', otherwise: 'yes' },
      ];
    case 'SCMP_CMP_MASKED_EQ': {
      const [wantHigh, wantLow] = halves(valueTwo);
      const lowTest: Test = { load: low(l), code: JEQ, k: wantLow, then: 'yes', otherwise: 'no' };
      if (h === 0 && wantHigh === 0) return [lowTest];
      return [{ load: high(h), code: JEQ, k: wantHigh, then: 'next', otherwise: 'no' }, lowTest];
    }
  }
}

function loads(index: number, half: 'low' | 'high', mask: number | undefined): Instruction[] {
  const word = load(offsetOfArg(index, half));
  return mask === undefined ? [word] : [word, and(mask)];
}

function halves(value: bigint): [high: number, low: number] {
  return [Number(value >> 32n), Number(value & 0xffff_ffffn)];
}
