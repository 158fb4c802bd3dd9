// A tiny interpreter of classic BPF: what the kernel would say to a system call under a filter.

export interface Call {
  arch: number;
  nr: number;
  args?: bigint[];
}

export function interpret(
  filter: Uint8Array,
  { arch, nr, args = [] }: Call,
): { verdict: number; steps: number } {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  args.forEach((arg, i) => {
    data.setBigUint64(16 + 8 * i, arg, true);
  });
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let a = 0;
  for (let pc = 0, steps = 1; ; pc++, steps++) {
    if (pc * 8 >= filter.length) throw new Error(`ran off the end at ${pc}`);
    const code = program.getUint16(pc * 8, true);
    const [jt, jf] = [program.getUint8(pc * 8 + 2), program.getUint8(pc * 8 + 3)];
    const k = program.getUint32(pc * 8 + 4, true);
    const jump = (taken: boolean): void => {
      pc += taken ? jt : jf;
    };
    switch (code) {
      case 0x20:
        a = data.getUint32(k, true);
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        pc += k;
        break;
      case 0x15:
        jump(a === k);
        break;
      case 0x25:
        jump(a > k);
        break;
      case 0x35:
        jump(a >= k);
        break;
      case 0x06:
        return { verdict: k, steps };
      default:
        throw new Error(`instruction ${pc}: unknown code ${code.toString(16)}`);
    }
  }
}

export function describeVerdict(verdict: number): string {
  const errno = verdict & 0xffff;
  switch ((verdict & 0xffff_0000) >>> 0) {
    case 0x7fff_0000:
      return 'allow';
    case 0x7ffc_0000:
      return 'log';
    case 0x7ff0_0000:
      return `trace ${errno}`;
    case 0x0003_0000:
      return 'trap';
    case 0x8000_0000:
      return 'kill process';
    case 0x0000_0000:
      return 'kill';
    case 0x0005_0000:
      return errno === 1 ? 'EPERM' : errno === 38 ? 'ENOSYS' : `errno ${errno}`;
    default:
      return verdict.toString(16);
  }
}
