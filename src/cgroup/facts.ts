// What this host has in the way of cgroups: which hierarchies are mounted where, which group of each we are in, what we may
// do there, and whether systemd can be asked. Looks; makes nothing.

import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import { V1_CONTROLLERS, type V1Controller } from './types.ts';

export interface CgroupFacts {
  hostUid: number;
  /** The hierarchies of cgroup v1; several controllers may share one. */
  v1: Partial<Record<V1Controller, Hierarchy>>;
  v2: UnifiedHierarchy | undefined;
  systemd: Systemd | undefined;
}

export interface Hierarchy {
  /** Where it is mounted. */
  mount: string;
  /** The directory of the group we are in. */
  own: string;
  /** We may make groups in it. */
  writable: boolean;
}

export interface UnifiedHierarchy extends Hierarchy {
  /** Controllers our own group has, and those it passes on. */
  controllers: string[];
  passedOn: string[];
  /** The root of the hierarchy, which alone may hold processes and pass on controllers. */
  isRoot: boolean;
}

/** A manager that makes scopes on the unified hierarchy. */
export interface Systemd {
  manager: 'user' | 'system';
  /** Program that speaks to it, and the address of its bus. */
  busctl: string;
  address: string;
  /** Directory of its own group, and the controllers that it can pass on. */
  dir: string;
  controllers: string[];
}

export function readCgroupFacts(hostUid: number): CgroupFacts {
  const mounts = parseMounts(read('/proc/self/mountinfo'));
  const own = parseOwnGroups(read('/proc/self/cgroup'));
  const v1: CgroupFacts['v1'] = {};
  for (const controller of V1_CONTROLLERS) {
    const hierarchy = locate(mounts.get(controller), own.get(controller));
    if (hierarchy !== undefined) v1[controller] = hierarchy;
  }
  const unified = locate(mounts.get(''), own.get(''));
  return {
    hostUid,
    v1,
    v2: unified && {
      ...unified,
      controllers: words(`${unified.own}/cgroup.controllers`),
      passedOn: words(`${unified.own}/cgroup.subtree_control`),
      isRoot: !existsSync(`${unified.own}/cgroup.type`),
    },
    systemd: unified && findSystemd(hostUid, unified.mount),
  };
}

interface Mount {
  /** The group that is seen at `point`. */
  root: string;
  point: string;
}

/** By controller, '' for cgroup v2: proc_pid_mountinfo(5). The last one mounted on a point hides the others. (pure) */
export function parseMounts(mountinfo: string): Map<string, Mount> {
  const mounts = new Map<string, Mount>();
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = left.split(' ');
    const [type, , options = ''] = right.split(' ');
    const mount = { root: unescape(root), point: unescape(point) };
    if (type === 'cgroup2') mounts.set('', mount);
    if (type === 'cgroup')
      for (const option of options.split(',')) if (option !== '') mounts.set(option, mount);
  }
  return mounts;
}

/** mountinfo writes blanks and backslashes as octal numbers. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** By controller, '' for cgroup v2: cgroups(7), "/proc/PID/cgroup". (pure) */
export function parseOwnGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    for (const controller of (match[1] as string).split(',')) groups.set(controller, match[2] as string);
  }
  return groups;
}

/** Path and mount are both as our cgroup namespace has them; a mount of another one shows a root above it. (pure) */
export function directoryOf({ root, point }: Mount, path: string): string | undefined {
  const top = root === '/' ? '' : root;
  if (path.includes('/..') || top.includes('/..')) return undefined;
  if (path !== top && !path.startsWith(`${top}/`)) return undefined;
  const below = path.slice(top.length);
  return below === '/' ? point : `${point}${below}`;
}

function locate(mount: Mount | undefined, path: string | undefined): Hierarchy | undefined {
  const own = mount === undefined || path === undefined ? undefined : directoryOf(mount, path);
  if (mount === undefined || own === undefined) return undefined;
  return { mount: mount.point, own, writable: mayWrite(own) && mayWrite(`${own}/cgroup.procs`) };
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The user's own manager, or for root the system's: where its bus is and its group is to be seen. */
function findSystemd(hostUid: number, mount: string): Systemd | undefined {
  const bus = findBus(hostUid);
  const dir = hostUid === 0 ? mount : `${mount}/user.slice/user-${hostUid}.slice/user@${hostUid}.service`;
  if (bus === undefined || !existsSync(`${dir}/cgroup.controllers`)) return undefined;
  return {
    manager: hostUid === 0 ? 'system' : 'user',
    ...bus,
    dir,
    controllers: words(`${dir}/cgroup.controllers`),
  };
}

/** How to speak to it. The paths are logind's, whatever the environment says: that may be another login's, as after su. */
export function findBus(hostUid: number): Pick<Systemd, 'busctl' | 'address'> | undefined {
  if (!existsSync('/run/systemd/system')) return undefined;
  const busctl = BUSCTL.find((path) => existsSync(path));
  const socket = hostUid === 0 ? '/run/dbus/system_bus_socket' : `/run/user/${hostUid}/bus`;
  if (busctl === undefined || !existsSync(socket)) return undefined;
  return { busctl, address: `unix:path=${socket}` };
}

const BUSCTL = ['/usr/bin/busctl', '/bin/busctl', '/run/current-system/sw/bin/busctl'];

function words(path: string): string[] {
  return read(path)
    .split(/\s+/)
    .filter((word) => word !== '');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return '';
  }
}
