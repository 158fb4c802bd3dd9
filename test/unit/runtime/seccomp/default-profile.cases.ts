// System calls under the default profile: what docker documents for its default profile.

export interface DefaultCase {
  call: string;
  args?: bigint[];
  /** Number, for calls no table knows. */
  nr?: number;
  table?: 'x86_64' | 'x86' | 'aarch64' | 'arm';
  caps?: string[];
  verdict: 'allow' | 'EPERM' | 'ENOSYS';
}

const NEWUSER = 0x1000_0000n;
const THREAD = 0x3d0f00n;
const UPPER = 0x1_0000_0000n;

export const DEFAULT_CASES: DefaultCase[] = [
  { call: 'read', verdict: 'allow' },
  { call: 'write', verdict: 'allow' },
  { call: 'openat2', verdict: 'allow' },
  { call: 'getxattrat', verdict: 'allow' },
  { call: 'ptrace', verdict: 'allow' },
  { call: 'io_uring_setup', verdict: 'EPERM' },
  { call: 'keyctl', verdict: 'EPERM' },
  { call: 'add_key', verdict: 'EPERM' },
  { call: 'userfaultfd', verdict: 'EPERM' },
  { call: 'kexec_load', verdict: 'EPERM' },
  { call: 'swapon', verdict: 'EPERM' },
  { call: 'pivot_root', verdict: 'EPERM' },
  { call: 'nfsservctl', verdict: 'EPERM' },
  // beyond the profile: the C library must fall back
  { call: 'open_tree_attr', verdict: 'ENOSYS' },
  { call: 'future', nr: 600, verdict: 'ENOSYS' },
  { call: 'minus one', nr: 0xffff_ffff, verdict: 'ENOSYS' },
  // clone: no new namespaces
  { call: 'clone', args: [THREAD], verdict: 'allow' },
  { call: 'clone', args: [17n], verdict: 'allow' },
  { call: 'clone', args: [UPPER | 17n], verdict: 'allow' },
  { call: 'clone', args: [NEWUSER | 17n], verdict: 'EPERM' },
  { call: 'clone', args: [0x2_0000n], verdict: 'EPERM' },
  { call: 'clone', args: [0x200_0000n], verdict: 'EPERM' },
  { call: 'clone', args: [NEWUSER | 17n], caps: ['CAP_SYS_ADMIN'], verdict: 'allow' },
  { call: 'clone3', verdict: 'ENOSYS' },
  { call: 'clone3', caps: ['CAP_SYS_ADMIN'], verdict: 'allow' },
  { call: 'unshare', args: [NEWUSER], verdict: 'EPERM' },
  { call: 'unshare', args: [NEWUSER], caps: ['CAP_SYS_ADMIN'], verdict: 'allow' },
  { call: 'setns', verdict: 'EPERM' },
  { call: 'mount', verdict: 'EPERM' },
  { call: 'mount', caps: ['CAP_SYS_ADMIN'], verdict: 'allow' },
  // socket: all families but AF_ALG and AF_VSOCK
  { call: 'socket', args: [1n], verdict: 'allow' },
  { call: 'socket', args: [2n], verdict: 'allow' },
  { call: 'socket', args: [10n], verdict: 'allow' },
  { call: 'socket', args: [37n], verdict: 'allow' },
  { call: 'socket', args: [38n], verdict: 'EPERM' },
  { call: 'socket', args: [39n], verdict: 'allow' },
  { call: 'socket', args: [40n], verdict: 'EPERM' },
  { call: 'socket', args: [41n], verdict: 'allow' },
  { call: 'socket', args: [40n], caps: ['CAP_SYS_ADMIN'], verdict: 'EPERM' },
  // personality
  { call: 'personality', args: [0n], verdict: 'allow' },
  { call: 'personality', args: [8n], verdict: 'allow' },
  { call: 'personality', args: [0x20000n], verdict: 'allow' },
  { call: 'personality', args: [0x20008n], verdict: 'allow' },
  { call: 'personality', args: [0xffff_ffffn], verdict: 'allow' },
  { call: 'personality', args: [0x40000n], verdict: 'EPERM' },
  { call: 'personality', args: [UPPER], verdict: 'EPERM' },
  { call: 'personality', args: [UPPER | 8n], verdict: 'EPERM' },
  // capabilities
  { call: 'chroot', verdict: 'EPERM', caps: ['-CAP_SYS_CHROOT'] },
  { call: 'chroot', verdict: 'allow' },
  { call: 'open_by_handle_at', verdict: 'EPERM' },
  { call: 'open_by_handle_at', caps: ['CAP_DAC_READ_SEARCH'], verdict: 'allow' },
  { call: 'reboot', caps: ['CAP_SYS_BOOT'], verdict: 'allow' },
  { call: 'init_module', verdict: 'EPERM' },
  { call: 'init_module', caps: ['CAP_SYS_MODULE'], verdict: 'allow' },
  { call: 'bpf', verdict: 'EPERM' },
  { call: 'bpf', caps: ['CAP_BPF'], verdict: 'allow' },
  { call: 'perf_event_open', caps: ['CAP_PERFMON'], verdict: 'allow' },
  { call: 'syslog', caps: ['CAP_SYSLOG'], verdict: 'allow' },
  { call: 'settimeofday', verdict: 'EPERM' },
  { call: 'settimeofday', caps: ['CAP_SYS_TIME'], verdict: 'allow' },
  { call: 'mbind', caps: ['CAP_SYS_NICE'], verdict: 'allow' },
  { call: 'mbind', verdict: 'EPERM' },
  { call: 'kcmp', caps: ['CAP_SYS_PTRACE'], verdict: 'allow' },
  { call: 'iopl', caps: ['CAP_SYS_RAWIO'], verdict: 'allow' },
  { call: 'vhangup', caps: ['CAP_SYS_TTY_CONFIG'], verdict: 'allow' },
  { call: 'acct', caps: ['CAP_SYS_PACCT'], verdict: 'allow' },
  // architecture
  { call: 'arch_prctl', verdict: 'allow' },
  { call: 'modify_ldt', verdict: 'allow' },
  { call: 'x32 read', nr: 0x4000_0000, verdict: 'ENOSYS' },
  { call: 'x32 execve', nr: 0x4000_0000 + 520, verdict: 'ENOSYS' },
  { call: 'socketcall', table: 'x86', verdict: 'allow' },
  { call: 'mmap2', table: 'x86', verdict: 'allow' },
  { call: 'clone', table: 'x86', args: [NEWUSER], verdict: 'EPERM' },
  { call: 'stime', table: 'x86', verdict: 'EPERM' },
  { call: 'umount', table: 'x86', verdict: 'EPERM' },
  { call: 'openat', table: 'aarch64', verdict: 'allow' },
  { call: 'mount', table: 'aarch64', verdict: 'EPERM' },
  { call: 'clone', table: 'aarch64', args: [NEWUSER], verdict: 'EPERM' },
  { call: 'clone3', table: 'aarch64', verdict: 'ENOSYS' },
  { call: 'set_tls', table: 'arm', verdict: 'allow' },
  { call: 'open', table: 'arm', verdict: 'allow' },
  { call: 'reboot', table: 'arm', verdict: 'EPERM' },
];
