// The mounts every container gets, in docker's choice and order, and where the user's go between them. (pure)

import type { MountFlags, SetupOp } from '../native/plan.ts';
import type { MountSpec, VolumeMount } from './mount-spec.ts';

/** docker's (and runc's) hidden and read-only places. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
export const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** Nodes every container has; bound from the host, since a user namespace may make none. */
const DEVICE_NODES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

export interface MountPlanInput {
  mounts: readonly MountSpec[];
  /** Bind sources that are no directory get a file as mount point. */
  isDirectory: (hostPath: string) => boolean;
  /** Whether the host has it: not every host has a /dev/mqueue to share. */
  isOnHost: (hostPath: string) => boolean;
  files: readonly { target: string; content: string }[];
  devices: readonly { hostPath: string; containerPath: string }[];
  shmSizeBytes: number;
  privileged: boolean;
  readOnlyRootfs: boolean;
  hostPid: boolean;
  hostIpc: boolean;
  /** A user namespace of our own may not mount a /proc or mqueue that belongs to the host's namespaces. */
  inUserNamespace: boolean;
  maskedPaths: readonly string[];
  readonlyPaths: readonly string[];
}

/**
 * Everything to do in the new root, in order: /proc and /dev; the user's mounts and our files by depth, so that a parent
 * comes before what lies in it; masks; last the read-only root.
 */
export function planMounts(input: MountPlanInput): SetupOp[] {
  const taken = new Set(input.mounts.map((mount) => mount.target));
  const system = systemMounts(input).filter(({ target }) => !taken.has(target));
  // A /dev of the user's own is left alone, as docker does.
  const dev = taken.has('/dev')
    ? []
    : devOps(input).filter((op) => !('target' in op) || !taken.has(op.target));
  const devices = input.devices
    .filter(({ containerPath }) => !taken.has(containerPath))
    .map(({ hostPath, containerPath }): SetupOp => ({ op: 'device', path: hostPath, target: containerPath }));
  const files = input.files
    .filter(({ target }) => !taken.has(target))
    .map(({ target, content }): Targeted => ({ op: 'file', target, content, mode: 0o644, readOnly: false }));
  const own = [...input.mounts.map((mount) => userMount(mount, input)), ...files].sort(byDepth);
  const masks: SetupOp[] = [
    ...input.maskedPaths.map((target): SetupOp => ({ op: 'mask', target })),
    ...input.readonlyPaths.map((target): SetupOp => ({ op: 'readonly', target })),
  ];
  const seal: SetupOp[] = input.readOnlyRootfs ? [{ op: 'remount-root-readonly' }] : [];
  return [...system, ...dev, ...devices, ...own, ...masks, ...seal];
}

/**
 * Root without a user namespace may make device nodes (CAP_MKNOD is in docker's default set), which the kernel would then
 * let it open: no file system where it can make one may hold devices. In a user namespace the kernel sees to that.
 */
export function mayOpenDevices({
  inUserNamespace,
  privileged,
}: Pick<MountPlanInput, 'inUserNamespace' | 'privileged'>): boolean {
  return inUserNamespace || privileged;
}

type Targeted = Extract<SetupOp, { target: string }>;

function systemMounts({ privileged, hostPid, inUserNamespace }: MountPlanInput): Targeted[] {
  const readOnly = !privileged;
  return [
    hostPid && inUserNamespace ? bindHost('/proc') : { op: 'proc', target: '/proc' },
    { op: 'sysfs', target: '/sys', readOnly },
    { op: 'cgroup', target: '/sys/fs/cgroup', readOnly },
  ];
}

function devOps(input: MountPlanInput): SetupOp[] {
  const { shmSizeBytes, hostIpc, inUserNamespace, isOnHost } = input;
  const noDev = mayOpenDevices(input) ? {} : { noDev: true };
  const link = (target: string, to: string): SetupOp => ({ op: 'symlink', target, to });
  const mqueue = (): SetupOp[] => {
    if (!hostIpc || !inUserNamespace) return [{ op: 'mqueue', target: '/dev/mqueue' }];
    return isOnHost('/dev/mqueue') ? [bindHost('/dev/mqueue')] : [];
  };
  return [
    { op: 'tmpfs', target: '/dev', flags: { noSuid: true, ...noDev }, data: 'mode=755,size=65536k' },
    ...DEVICE_NODES.map((name): SetupOp => ({ op: 'device', path: `/dev/${name}`, target: `/dev/${name}` })),
    { op: 'devpts', target: '/dev/pts' },
    link('/dev/ptmx', 'pts/ptmx'),
    link('/dev/fd', '/proc/self/fd'),
    link('/dev/stdin', '/proc/self/fd/0'),
    link('/dev/stdout', '/proc/self/fd/1'),
    link('/dev/stderr', '/proc/self/fd/2'),
    link('/dev/core', '/proc/kcore'),
    hostIpc && isOnHost('/dev/shm') ? bindHost('/dev/shm', noDev) : shm(shmSizeBytes),
    ...mqueue(),
  ];
}

function shm(sizeBytes: number): SetupOp {
  return {
    op: 'tmpfs',
    target: '/dev/shm',
    flags: { noSuid: true, noDev: true, noExec: true },
    data: `mode=1777,size=${sizeBytes}`,
  };
}

function bindHost(path: string, flags: MountFlags = {}): Targeted {
  return {
    op: 'bind',
    source: path,
    target: path,
    recursive: true,
    flags,
    propagation: 'rprivate',
    create: 'dir',
  };
}

function userMount(mount: MountSpec, input: MountPlanInput): Targeted {
  const { isDirectory } = input;
  // The host's own devices, named by the user on purpose: `-v /dev:/dev`, `-v /dev/fuse:/dev/fuse`.
  const isGivenDevice = (source: string): boolean =>
    source === '/dev' || (source.startsWith('/dev/') && !isDirectory(source));
  switch (mount.type) {
    case 'tmpfs':
      return { op: 'tmpfs', target: mount.target, flags: mount.flags, data: mount.data };
    case 'volume':
      return volumeOp(mount);
    case 'bind':
      return {
        op: 'bind',
        source: mount.source,
        target: mount.target,
        recursive: mount.recursive,
        flags:
          mayOpenDevices(input) || isGivenDevice(mount.source)
            ? mount.flags
            : { ...mount.flags, noDev: true },
        propagation: mount.propagation,
        create: isDirectory(mount.source) ? 'dir' : 'file',
      };
  }
}

/** Read-only and the like hold when either the volume or its mount says so. */
function volumeOp({ name, target, source, flags, subpath }: VolumeMount): Targeted {
  const all = { ...source?.flags, ...flags };
  if (source?.flags.readOnly === true) all.readOnly = true;
  if (source?.kind === 'tmpfs') return { op: 'tmpfs', target, flags: all, data: source.data };
  return {
    op: 'bind',
    source: source?.path ?? `volume ${name ?? ''}`, // not made yet: a plan that is only shown
    ...(subpath === undefined ? {} : { subpath }),
    target,
    recursive: source?.recursive ?? false,
    flags: all,
    propagation: 'rprivate',
    create: 'dir',
  };
}

/** Stable, so that equal depths keep the order of the command line. */
function byDepth(a: Targeted, b: Targeted): number {
  return depth(a.target) - depth(b.target);
}

function depth(path: string): number {
  return path.split('/').length;
}
