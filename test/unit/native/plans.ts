// Plans for the tests of the encoder, the decoder and its fuzzer.

import type { ExecPlan, HelperPlan } from '../../../src/native/plan.ts';

/** Nothing but what every plan has. */
export function smallPlan(): HelperPlan {
  const host = { kind: 'host' } as const;
  return {
    namespaces: { user: host, pid: host, net: host, ipc: host, uts: host, cgroup: host },
    rootfs: { kind: 'bind', path: '/rootfs', noDev: false },
    rootPropagation: 'rprivate',
    setup: [],
    sysctls: [],
    process: {
      args: ['true'],
      env: [],
      cwd: '/',
      createCwd: false,
      containerUid: 0,
      containerGid: 0,
      additionalGids: [],
      keepGroups: false,
      capabilities: { bounding: 0n, effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n },
      noNewPrivileges: false,
      seccomp: 'unconfined',
      rlimits: [],
      init: false,
    },
    stdio: { kind: 'inherit', stdin: false },
    lifetime: {
      containerDir: '/c',
      lockFd: 3,
      removeOnExit: false,
      removePaths: [],
      timeoutMs: 0,
      dieWithParent: false,
    },
    label: 'true',
  };
}

export function execPlan(): ExecPlan {
  return {
    container: 'web',
    pid: 4_000_000,
    startTicks: '18446744073709551615',
    process: fullPlan().process,
    stdio: { kind: 'tty', stdin: true },
    detach: true,
    detachKeys: Uint8Array.of(0x10, 0x11),
    dieWithParent: true,
    cgroup: { groups: ['/sys/fs/cgroup/c'], version: 2, attach: ['/usr/bin/busctl', '{pid}'] },
  };
}

/** Every field set to something else than its default, every operation once. */
export function fullPlan(): HelperPlan {
  const added = { kind: 'new' } as const;
  return {
    namespaces: {
      user: {
        kind: 'new',
        via: 'newidmap',
        map: {
          uid: [
            { containerID: 0, hostID: 1001, size: 1 },
            { containerID: 1, hostID: 100000, size: 65536 },
          ],
          gid: [{ containerID: 0, hostID: 4294967294, size: 1 }],
        },
      },
      pid: added,
      net: { kind: 'join', path: '/proc/7/ns/net' },
      ipc: added,
      uts: added,
      cgroup: { kind: 'host' },
    },
    rootfs: {
      kind: 'overlay',
      lower: ['/l/top', '/l/bottom,with:odd\\names'],
      upper: '/u',
      work: '/w',
      noDev: true,
    },
    rootPropagation: 'rslave',
    setup: [
      { op: 'proc', target: '/proc' },
      { op: 'sysfs', target: '/sys', readOnly: true },
      { op: 'cgroup', target: '/sys/fs/cgroup', readOnly: false },
      { op: 'devpts', target: '/dev/pts' },
      { op: 'mqueue', target: '/dev/mqueue' },
      {
        op: 'tmpfs',
        target: '/dev',
        flags: { readOnly: true, noSuid: true, noDev: true, noExec: true },
        data: 'mode=755',
      },
      {
        op: 'bind',
        source: '/host/\udcff',
        target: '/data',
        recursive: true,
        flags: { noDev: true },
        propagation: 'rshared',
        create: 'file',
      },
      { op: 'file', target: '/etc/hosts', content: '127.0.0.1\tlocalhost\n', mode: 0o644, readOnly: true },
      { op: 'device', path: '/dev/null', target: '/dev/zero' },
      { op: 'symlink', target: '/dev/fd', to: '/proc/self/fd' },
      { op: 'mask', target: '/proc/kcore' },
      { op: 'readonly', target: '/proc/sys' },
      { op: 'remount-root-readonly' },
    ],
    hostname: 'box',
    domainname: 'example.org',
    sysctls: [['net.ipv4.ip_forward', '1']],
    process: {
      args: ['printf', '%s', 'caf\udce9 \u00e9 \u{1f6a3}'],
      env: ['A=\udcfe', 'PATH=/bin'],
      cwd: '/work',
      createCwd: true,
      containerUid: 1000,
      containerGid: 4294967294,
      additionalGids: [5, 29],
      keepGroups: true,
      capabilities: {
        bounding: 0xa80425fbn,
        effective: 1n << 40n,
        permitted: (1n << 64n) - 1n,
        inheritable: 2n,
        ambient: 4n,
      },
      noNewPrivileges: true,
      seccomp: Uint8Array.of(6, 0, 0, 0, 0, 0, 255, 127),
      rlimits: [{ resource: 7, soft: 1024n, hard: -1n }],
      oomScoreAdj: -500,
      emulateIds: true,
      init: true,
    },
    stdio: {
      kind: 'tty',
      stdin: true,
      stdinOnce: true,
      log: { path: '/c/log', maxSizeBytes: 5_000_000_000, maxFiles: 3 },
    },
    networkHelper: {
      kind: 'slirp4netns',
      program: '/usr/bin/slirp4netns',
      args: ['-c', '{netns}'],
      api: { socket: '/run/s', requests: ['{"execute":"add_hostfwd"}'] },
    },
    cgroup: {
      groups: ['/cg/memory/c', '/cg/pids/c'],
      version: 1,
      scope: { argv: ['/usr/bin/busctl', '{pid}'], dir: '/cg/scope', controllers: ['memory', 'pids'] },
      limits: [
        {
          name: '--blkio-weight',
          path: '/cg/blkio.weight',
          value: '10',
          instead: { path: '/cg/blkio.bfq.weight', value: '11' },
          implied: true,
        },
      ],
      record: 'version=1\n',
      oomEvents: '/cg/memory.oom_control',
      memoryLimit: '64 MiB (--memory)',
      asked: true,
      required: true,
    },
    lifetime: {
      containerDir: '/c',
      lockFd: 9,
      removeOnExit: true,
      removePaths: ['/names/x'],
      timeoutMs: 5_000_000_000,
      dieWithParent: true,
      parentFd: 7,
      restart: { kind: 'on-failure', maxRetries: 5 },
      pidFile: '/run/pid',
    },
    client: {
      kind: 'attached',
      stdin: true,
      stdout: false,
      stderr: true,
      tty: true,
      sigProxy: true,
      detachKeys: Uint8Array.of(16, 17),
      print: 'id',
      printOnFailure: true,
    },
    health: {
      args: ['/bin/sh', '-c', 'check'],
      intervalMs: 30_000,
      timeoutMs: 5_000_000_000,
      startPeriodMs: 0,
      startIntervalMs: 1,
      retries: 4,
      timeoutText: '5000000s',
      action: 'restart',
      stopSignal: 15,
      stopTimeoutMs: 10_000,
    },
    label: 'printf',
    events: {
      log: '/events.log',
      subject: '"type":"container"',
      mounted: ['"id":"v"', '"id":"w"'],
      unmounted: ['"id":"u"'],
      destroyed: ['"id":"d"'],
    },
  };
}
