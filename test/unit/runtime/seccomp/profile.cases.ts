// Profiles and what their filters say. Numbers are those of x86_64: read 0, write 1, mount 165, openat 257.

interface ProfileCase {
  what: string;
  profile: unknown;
  caps?: string[];
  kernel?: [number, number];
  calls: { nr: number; args?: bigint[]; compat?: boolean; verdict: string }[];
}

const rule = (names: string, rest: object = {}): object => ({
  names: names.split(' '),
  action: 'SCMP_ACT_ALLOW',
  ...rest,
});

export const PROFILE_CASES: ProfileCase[] = [
  {
    what: 'every action',
    profile: {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [
        rule('read', { action: 'SCMP_ACT_KILL' }),
        rule('write', { action: 'SCMP_ACT_KILL_PROCESS' }),
        rule('open', { action: 'SCMP_ACT_TRAP' }),
        rule('close', { action: 'SCMP_ACT_ERRNO' }),
        rule('stat', { action: 'SCMP_ACT_ERRNO', errnoRet: 13 }),
        rule('fstat', { action: 'SCMP_ACT_TRACE', errnoRet: 7 }),
        rule('lstat', { action: 'SCMP_ACT_LOG' }),
      ],
    },
    calls: [
      { nr: 0, verdict: 'kill' },
      { nr: 1, verdict: 'kill process' },
      { nr: 2, verdict: 'trap' },
      { nr: 3, verdict: 'EPERM' },
      { nr: 4, verdict: 'errno 13' },
      { nr: 5, verdict: 'trace 7' },
      { nr: 6, verdict: 'log' },
      { nr: 7, verdict: 'allow' },
      { nr: 5000, verdict: 'allow' },
      // A deny-list must not be walked around through another ABI.
      { nr: 0x4000_0000, verdict: 'ENOSYS' },
      { nr: 3, compat: true, verdict: 'ENOSYS' },
    ],
  },
  {
    what: 'default errno, and ENOSYS beyond the newest call named',
    profile: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 2, syscalls: [rule('read openat')] },
    calls: [
      { nr: 0, verdict: 'allow' },
      { nr: 1, verdict: 'errno 2' },
      { nr: 257, verdict: 'allow' },
      { nr: 258, verdict: 'ENOSYS' },
    ],
  },
  {
    what: 'a default that kills keeps killing what is new',
    profile: { defaultAction: 'SCMP_ACT_KILL_PROCESS', syscalls: [rule('read')] },
    calls: [
      { nr: 0, verdict: 'allow' },
      { nr: 400, verdict: 'kill process' },
    ],
  },
  {
    what: 'capabilities and kernels',
    profile: {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        rule('read', { includes: { caps: ['CAP_A'] } }),
        rule('write', { excludes: { caps: ['CAP_A'] } }),
        rule('open', { includes: { caps: ['CAP_A', 'CAP_B'] } }),
        rule('close', { includes: { minKernel: '5.9' } }),
        rule('stat', { includes: { minKernel: '5.10' } }),
        rule('fstat', { excludes: { minKernel: '4.8' } }),
        rule('lstat', { includes: { arches: ['amd64', 'arm64'] } }),
        rule('poll', { excludes: { arches: ['amd64'] } }),
        rule('lseek', { includes: {}, excludes: null }),
      ],
    },
    caps: ['CAP_A'],
    kernel: [5, 9],
    calls: [
      { nr: 0, verdict: 'allow' },
      { nr: 1, verdict: 'EPERM' },
      { nr: 2, verdict: 'EPERM' },
      { nr: 3, verdict: 'allow' },
      { nr: 4, verdict: 'EPERM' },
      { nr: 5, verdict: 'EPERM' },
      { nr: 6, verdict: 'allow' },
      { nr: 7, verdict: 'EPERM' },
      { nr: 8, verdict: 'allow' },
    ],
  },
  {
    what: 'comparisons in one rule: all; on one argument: any; first rule first',
    profile: {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        rule('read', {
          args: [
            { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
            { index: 1, value: 2, op: 'SCMP_CMP_GT' },
          ],
        }),
        rule('write', {
          args: [
            { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
            { index: 0, value: 2, op: 'SCMP_CMP_EQ' },
          ],
        }),
        rule('open', { action: 'SCMP_ACT_TRAP', args: [{ index: 0, value: 7, op: 'SCMP_CMP_EQ' }] }),
        rule('open', { action: 'SCMP_ACT_KILL', args: [{ index: 0, value: 7, op: 'SCMP_CMP_EQ' }] }),
        rule('open'),
      ],
    },
    calls: [
      { nr: 0, args: [1n, 3n], verdict: 'allow' },
      { nr: 0, args: [1n, 2n], verdict: 'EPERM' },
      { nr: 0, args: [0n, 3n], verdict: 'EPERM' },
      { nr: 1, args: [1n], verdict: 'allow' },
      { nr: 1, args: [2n], verdict: 'allow' },
      { nr: 1, args: [3n], verdict: 'EPERM' },
      { nr: 2, args: [7n], verdict: 'trap' },
      { nr: 2, args: [8n], verdict: 'allow' },
    ],
  },
  {
    what: '32-bit calls through archMap or architectures, socketcall included',
    profile: {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [rule('socket mount shmget no_such_call', { action: 'SCMP_ACT_ERRNO' })],
    },
    calls: [
      { nr: 41, verdict: 'EPERM' },
      { nr: 359, compat: true, verdict: 'EPERM' },
      { nr: 102, args: [1n], compat: true, verdict: 'EPERM' },
      { nr: 102, args: [2n], compat: true, verdict: 'allow' },
      { nr: 117, args: [23n], compat: true, verdict: 'EPERM' },
      { nr: 117, args: [22n], compat: true, verdict: 'allow' },
      { nr: 21, compat: true, verdict: 'EPERM' },
      { nr: 3, compat: true, verdict: 'allow' },
      { nr: 0x4000_0000, verdict: 'ENOSYS' },
    ],
  },
  {
    what: 'docker’s archMap',
    profile: {
      defaultAction: 'SCMP_ACT_ERRNO',
      archMap: [
        { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
        { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      ],
      syscalls: [rule('read')],
    },
    calls: [
      { nr: 0, verdict: 'allow' },
      { nr: 3, compat: true, verdict: 'allow' },
      { nr: 4, compat: true, verdict: 'ENOSYS' },
      { nr: 2, compat: true, verdict: 'EPERM' },
    ],
  },
];

const BIG = 0x1_0000_0005n;

export const COMPARISONS: { op: string; value: bigint; valueTwo?: bigint; yes: bigint[]; no: bigint[] }[] = [
  { op: 'SCMP_CMP_EQ', value: BIG, yes: [BIG], no: [5n, 0x2_0000_0005n, BIG + 1n] },
  { op: 'SCMP_CMP_NE', value: BIG, yes: [5n, 0x2_0000_0005n, BIG + 1n], no: [BIG] },
  { op: 'SCMP_CMP_LT', value: BIG, yes: [0n, 0xffff_ffffn, BIG - 1n], no: [BIG, BIG + 1n, 0x2_0000_0000n] },
  { op: 'SCMP_CMP_LE', value: BIG, yes: [0n, 0xffff_ffffn, BIG], no: [BIG + 1n, 0x2_0000_0000n] },
  { op: 'SCMP_CMP_GT', value: BIG, yes: [BIG + 1n, 0x2_0000_0000n], no: [0n, 0xffff_ffffn, BIG] },
  { op: 'SCMP_CMP_GE', value: BIG, yes: [BIG, 0x2_0000_0000n], no: [0n, 0xffff_ffffn, BIG - 1n] },
  {
    op: 'SCMP_CMP_MASKED_EQ',
    value: 0xff00n,
    valueTwo: 0x1200n,
    yes: [0x1234n, 0xf_0000_1200n],
    no: [0x1134n],
  },
  {
    op: 'SCMP_CMP_MASKED_EQ',
    value: 0xff_0000_00ffn,
    valueTwo: 0x12_0000_0034n,
    yes: [0x12_ffff_ff34n],
    no: [0x13_ffff_ff34n, 0x12_ffff_ff35n],
  },
  { op: 'SCMP_CMP_MASKED_EQ', value: 0xffn, valueTwo: BIG, yes: [], no: [5n, BIG] },
  { op: 'SCMP_CMP_GE', value: 0n, yes: [0n, 0xffff_ffff_ffff_ffffn], no: [] },
];

export const BAD_PROFILES = [
  { text: 'no', message: 'not valid JSON' },
  { text: '[]', message: 'expected an object' },
  { text: '{}', message: 'defaultAction: missing' },
  { text: '{"defaultAction":7}', message: 'defaultAction: expected a string' },
  {
    text: '{"defaultAction":"ALLOW"}',
    message:
      'defaultAction: "ALLOW" is not an action: expected one of SCMP_ACT_KILL, SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_LOG, SCMP_ACT_ALLOW',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]}',
    message: 'syscalls[0].action: SCMP_ACT_NOTIFY is not supported: nobody would answer',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/x"}',
    message: 'listenerPath: a listener is not supported',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"name":"b","action":"SCMP_ACT_KILL"}]}',
    message: 'syscalls[0].name: use either name or names',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"a"}]}',
    message: 'archMap: use either architectures or archMap',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_KILL"},{"names":["a"],"action":"SCMP_ACT_KILL","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]}',
    message: 'syscalls[1].args[0].index: 6 is out of range: 0 to 5',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":-1,"op":"SCMP_CMP_EQ"}]}]}',
    message: 'syscalls[0].args[0].value: -1 is not a number from 0 to 2^64-1',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":1,"op":"EQ"}]}]}',
    message:
      'syscalls[0].args[0].op: "EQ" is not a comparison: expected one of SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":70000}',
    message: 'defaultErrnoRet: 70000 is out of range: 0 to 4095',
  },
  { text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":{}}', message: 'syscalls: expected an array' },
  { text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[7]}', message: 'syscalls[0]: expected an object' },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[7],"action":"SCMP_ACT_KILL"}]}',
    message: 'syscalls[0].names[0]: expected a string',
  },
  {
    text: '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_KILL","includes":{"minKernel":"six"}}]}',
    message: 'syscalls[0].includes.minKernel: "six" is not MAJOR.MINOR',
  },
];
