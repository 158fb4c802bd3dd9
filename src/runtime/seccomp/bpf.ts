// Classic BPF for seccomp(2): a tiny assembler, and a search tree over system call numbers. Instructions are what
// linux/filter.h calls struct sock_filter. Conditional jumps reach 255 instructions; `ja` reaches anything. (pure)

const LD_W_ABS = 0x20;
const ALU_AND_K = 0x54;
const JA = 0x05;
const RET_K = 0x06;
export const JEQ = 0x15;
export const JGT = 0x25;
export const JGE = 0x35;

/** Offsets in struct seccomp_data, little endian. */
export const OFFSET_NR = 0;
export const OFFSET_ARCH = 4;
export const offsetOfArg = (index: number, half: 'low' | 'high'): number =>
  16 + 8 * index + (half === 'low' ? 0 : 4);

/** Most instructions the kernel takes (BPF_MAXINSNS). */
export const MAX_INSTRUCTIONS = 4096;

export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

export const load = (offset: number): Instruction => ({ code: LD_W_ABS, jt: 0, jf: 0, k: offset });
export const and = (mask: number): Instruction => ({ code: ALU_AND_K, jt: 0, jf: 0, k: mask });
export const ret = (verdict: number): Instruction => ({ code: RET_K, jt: 0, jf: 0, k: verdict });
export const jump = (code: number, k: number, jt: number, jf: number): Instruction => ({ code, jt, jf, k });

/** `if (A code k) then; else otherwise`: blocks that end in a return each. */
export function branch(
  code: number,
  k: number,
  then: Instruction[],
  otherwise: Instruction[],
): Instruction[] {
  if (then.length <= 255) return [jump(code, k, 0, then.length), ...then, ...otherwise];
  return [jump(code, k, 1, 0), { code: JA, jt: 0, jf: 0, k: then.length }, ...then, ...otherwise];
}

/** Numbers from `from` up to the next range's belong to `block`, which ends in a return and expects the number in A. */
export interface Range {
  from: number;
  block: Instruction[];
}

/** A balanced tree over sorted ranges; the first must begin at 0. */
export function searchTree(ranges: readonly Range[]): Instruction[] {
  if (ranges.length === 1) return ranges[0]!.block;
  const middle = ranges.length >> 1;
  const [low, high] = [searchTree(ranges.slice(0, middle)), searchTree(ranges.slice(middle))];
  const from = ranges[middle]!.from;
  return branch(JGE, from, high, low);
}

/** Eight bytes each, little endian: u16 code, u8 jt, u8 jf, u32 k. */
export function encode(program: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * 8));
  program.forEach(({ code, jt, jf, k }, i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k, true);
  });
  return new Uint8Array(view.buffer);
}
