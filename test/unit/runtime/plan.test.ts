// ContainerSpec → HelperPlan, without a kernel.

import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../../src/container/configure/options.ts';
import type { HelperPlan, SetupOp } from '../../../src/native/plan.ts';
import { chooseIdMap } from '../../../src/runtime/idmap.ts';
import { planContainer, type PlanInput } from '../../../src/runtime/plan.ts';
import type { VolumeSource } from '../../../src/runtime/mount-spec.ts';
import type { ContainerSpec } from '../../../src/runtime/spec.ts';
import { fromFlags } from '../container/spec.ts';
import { TESTER } from './idmap.cases.ts';

const LOG = { path: '/c/log', maxSizeBytes: 0, maxFiles: 1 };

const FILES = [
  { target: '/etc/hosts', content: 'hosts' },
  { target: '/etc/resolv.conf', content: 'resolv' },
];

function planOf(
  options: Partial<RunOptions> = {},
  rest: Partial<PlanInput> = {},
  specInput: Parameters<typeof fromFlags>[1] = {},
  change: (spec: ContainerSpec) => void = () => {},
): HelperPlan {
  const { spec } = fromFlags(options, specInput);
  change(spec);
  return planContainer({
    spec,
    user: chooseIdMap({ ...TESTER, userns: options.userns }).user,
    rootfs: { kind: 'overlay', lower: ['/l'], upper: '/u', work: '/w' },
    network: {
      namespace: { kind: 'new' },
      files: FILES,
      sysctls: [['net.ipv4.ip_unprivileged_port_start', '0']],
    },
    seccomp: 'default',
    available: undefined,
    client: undefined,
    cgroup: undefined,
    pidOf: () => 42,
    isDirectory: (path) => !path.endsWith('.sock'),
    isOnHost: () => true,
    lifetime: {
      containerDir: '/c',
      lockFd: 5,
      removeOnExit: true,
      removePaths: [],
      timeoutMs: 0,
      dieWithParent: true,
    },
    log: undefined,
    label: 'true',
    ...rest,
  });
}

const targets = (plan: HelperPlan): string[] =>
  plan.setup.map((op) => `${op.op} ${'target' in op ? op.target : ''}`.trim());
const opAt = (plan: HelperPlan, target: string): SetupOp | undefined =>
  plan.setup.find((op) => 'target' in op && op.target === target);

describe('mounts', () => {
  test("docker's, in order", () => {
    const all = targets(planOf());
    expect(all.filter((text) => !/^(mask|readonly|device|symlink)/.test(text))).toEqual([
      'proc /proc',
      'sysfs /sys',
      'cgroup /sys/fs/cgroup',
      'tmpfs /dev',
      'devpts /dev/pts',
      'tmpfs /dev/shm',
      'mqueue /dev/mqueue',
      'file /etc/hosts',
      'file /etc/resolv.conf',
    ]);
    expect(all.filter((text) => text.startsWith('device'))).toEqual(
      ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => `device /dev/${name}`),
    );
    expect(all.filter((text) => text.startsWith('mask')).length).toBe(12);
    expect(all.at(-1)).toBe('readonly /proc/sysrq-trigger');
  });

  test("the user's by depth, after the system's and before the masks; parents before what lies in them", () => {
    const all = targets(planOf({ volume: ['/x:/a/b/c', '/y:/a', '/z.sock:/run/z.sock'], tmpfs: ['/a/b'] }));
    const own = all.slice(
      all.indexOf('mqueue /dev/mqueue') + 1,
      all.findIndex((text) => text.startsWith('mask')),
    );
    expect(own).toEqual([
      'bind /a',
      'bind /run/z.sock',
      'tmpfs /a/b',
      'file /etc/hosts',
      'file /etc/resolv.conf',
      'bind /a/b/c',
    ]);
  });

  test("a mount of the user's replaces ours at the same place", () => {
    const plan = planOf({ volume: ['/h:/etc/hosts', '/d:/dev', '/p:/proc'], tmpfs: [] });
    expect(targets(plan).filter((text) => text.endsWith(' /etc/hosts'))).toEqual(['bind /etc/hosts']);
    expect(targets(plan).some((text) => text.startsWith('devpts'))).toBe(false);
    expect(targets(plan)).not.toContain('proc /proc');
    expect(
      targets(planOf({ tmpfs: ['/dev/shm:size=5'] })).filter((text) => text === 'tmpfs /dev/shm'),
    ).toHaveLength(1);
  });

  test('what is made at a missing target', () => {
    const plan = planOf({ volume: ['/d:/d', '/s.sock:/s'] });
    expect(opAt(plan, '/d')).toMatchObject({ create: 'dir', recursive: true, propagation: 'rprivate' });
    expect(opAt(plan, '/s')).toMatchObject({ create: 'file' });
  });

  test('as root nothing that can hold device nodes made inside lets them be opened', () => {
    const host = { user: { kind: 'host' } } as const;
    const root = planOf({ volume: ['/d:/d', '/dev/shm:/m', '/dev/s.sock:/n', '/dev:/h'], ipc: 'host' }, host);
    for (const target of ['/dev', '/dev/shm', '/d', '/m']) {
      expect(opAt(root, target), target).toMatchObject({ flags: { noDev: true } });
    }
    expect(root.rootfs.noDev).toBe(true);
    for (const target of ['/n', '/h']) expect(opAt(root, target), target).not.toHaveProperty('flags.noDev');
    for (const plan of [
      planOf({ volume: ['/d:/d'] }),
      planOf({ privileged: true, volume: ['/d:/d'] }, host),
    ]) {
      expect(plan.rootfs.noDev).toBe(false);
      for (const target of ['/dev', '/d']) expect(opAt(plan, target)).not.toHaveProperty('flags.noDev');
    }
  });

  test('--read-only comes last', () => {
    expect(planOf({ 'read-only': true }).setup.at(-1)).toEqual({ op: 'remount-root-readonly' });
    expect(planOf().setup).not.toContainEqual({ op: 'remount-root-readonly' });
  });

  test('--privileged: writable /sys, nothing hidden', () => {
    const plan = planOf({ privileged: true });
    expect(opAt(plan, '/sys')).toMatchObject({ readOnly: false });
    expect(targets(plan).some((text) => /^(mask|readonly)/.test(text))).toBe(false);
  });

  test("the host's /proc and IPC mounts are bound, where a user namespace cannot mount them", () => {
    const plan = planOf({ pid: 'host', ipc: 'host' });
    for (const target of ['/proc', '/dev/shm', '/dev/mqueue'])
      expect(opAt(plan, target)).toMatchObject({ op: 'bind', source: target });
    const without = planOf({ ipc: 'host' }, { isOnHost: () => false });
    expect(opAt(without, '/dev/mqueue')).toBeUndefined();
    expect(opAt(without, '/dev/shm')).toMatchObject({ op: 'tmpfs' });
    const root = planOf({ pid: 'host', ipc: 'host' }, { user: { kind: 'host' } });
    expect(opAt(root, '/proc')).toMatchObject({ op: 'proc' });
    expect(opAt(root, '/dev/mqueue')).toMatchObject({ op: 'mqueue' });
  });

  const sources: [text: string, source: VolumeSource, op: object][] = [
    [
      'vol:/data',
      { kind: 'directory', path: '/s/vol/_data', recursive: false, flags: {} },
      {
        op: 'bind',
        source: '/s/vol/_data',
        target: '/data',
        recursive: false,
        flags: {},
        propagation: 'rprivate',
        create: 'dir',
      },
    ],
    [
      'vol:/data:rw,exec',
      {
        kind: 'directory',
        path: '/dev1',
        recursive: true,
        flags: { readOnly: true, noExec: true, noDev: true },
      },
      { op: 'bind', recursive: true, flags: { readOnly: true, noExec: false, noDev: true } },
    ],
    [
      'vol:/data:ro',
      { kind: 'tmpfs', data: 'size=1m', flags: { noSuid: true } },
      { op: 'tmpfs', target: '/data', data: 'size=1m', flags: { readOnly: true, noSuid: true } },
    ],
  ];
  test('a part of a volume', () => {
    const plan = planOf({ mount: ['source=vol,target=/data,volume-subpath=a/b'] }, {}, {}, ({ host }) => {
      const source: VolumeSource = { kind: 'directory', path: '/s', recursive: false, flags: {} };
      for (const mount of host.mounts) if (mount.type === 'volume') mount.source = source;
    });
    expect(opAt(plan, '/data')).toMatchObject({ op: 'bind', source: '/s', subpath: 'a/b' });
  });
  test.each(sources)('volume %s', (text, source, op) => {
    const plan = planOf({ volume: [text] }, {}, {}, ({ host }) => {
      for (const mount of host.mounts) if (mount.type === 'volume') mount.source = source;
    });
    expect(opAt(plan, '/data')).toMatchObject(op);
  });
});

describe('the rest', () => {
  test('namespaces', () => {
    expect(planOf().namespaces).toMatchObject({
      pid: { kind: 'new' },
      ipc: { kind: 'new' },
      uts: { kind: 'new' },
      cgroup: { kind: 'new' },
    });
    expect(planOf({ pid: 'host', ipc: 'container:x', cgroupns: 'host' }).namespaces).toMatchObject({
      pid: { kind: 'host' },
      ipc: { kind: 'join', path: '/proc/42/ns/ipc' },
      cgroup: { kind: 'host' },
    });
  });

  test('the host name belongs to a UTS namespace of its own', () => {
    expect(planOf({ hostname: 'h', domainname: 'd' })).toMatchObject({ hostname: 'h', domainname: 'd' });
    expect(planOf({ uts: 'host' })).not.toHaveProperty('hostname');
  });

  test("--sysctl wins over the network's", () => {
    expect(
      planOf({ sysctl: ['net.ipv4.ip_unprivileged_port_start=80', 'net.ipv4.ip_forward=1'] }).sysctls,
    ).toEqual([
      ['net.ipv4.ip_unprivileged_port_start', '80'],
      ['net.ipv4.ip_forward', '1'],
    ]);
  });

  test('groups without a host id are left out; with a single id, all', () => {
    expect(planOf({ user: 'app' }).process.additionalGids).toEqual([1001, 1]);
    const single = chooseIdMap({ ...TESTER, hasNewidmap: false });
    expect(planOf({}, { user: single.user }, { ids: single }).process.additionalGids).toEqual([]);
  });

  test('no more capabilities than we have ourselves', () => {
    expect(planOf({ privileged: true }, { available: 0b101n }).process.capabilities).toMatchObject({
      bounding: 0b101n,
      effective: 0b101n,
    });
  });

  test('stdio: inherited, logged, or a terminal', () => {
    expect(planOf({ interactive: true }).stdio).toEqual({ kind: 'inherit', stdin: true });
    expect(planOf({}, { log: LOG }).stdio).toEqual({
      kind: 'pipes',
      stdin: false,
      stdinOnce: false,
      log: LOG,
    });
    expect(planOf({ tty: true }).stdio).toEqual({ kind: 'tty', stdin: false, stdinOnce: false });
    expect(planOf({ tty: true, interactive: true }, { log: LOG }).stdio).toEqual({
      kind: 'tty',
      stdin: true,
      stdinOnce: true,
      log: LOG,
    });
  });

  test('root propagation follows the binds', () => {
    expect(planOf().rootPropagation).toBe('rprivate');
    expect(planOf({ volume: ['/a:/b:slave'] }).rootPropagation).toBe('rslave');
    expect(planOf({ volume: ['/a:/b:slave', '/c:/d:rshared'] }).rootPropagation).toBe('rshared');
  });
});
