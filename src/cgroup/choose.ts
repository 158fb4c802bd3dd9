// Where a container's group comes from. (pure) By what the host lets us do, in this order: cgroup v1 where its controllers
// are; a scope of systemd; a group of our own in the unified hierarchy. docs/decisions/0016.

import type { CgroupFacts, UnifiedHierarchy } from './facts.ts';
import { DELEGATE } from './mend.ts';
import { V1_CONTROLLERS, type ContainerCgroup, type ScopeUnit, type V1Controller } from './types.ts';

export interface GroupWish {
  id: string;
  /** --cgroup-parent; '' for none. */
  parent: string;
  /** Part of the scope's name, which must not be that of one that is just ending. */
  nonce: string;
}

export interface Group {
  cgroup: ContainerCgroup;
  /** Directories of the group. */
  dirs: string[];
  /** Controllers it has. */
  controllers: string[];
  /** To be asked for first: `argv` has systemd put the process `{pid}` into it. */
  scope: { dir: string; argv: string[] } | undefined;
  /** A group of cgroup v2 that must pass on controllers before, and may hold processes that must not be there then. */
  opening: Opening | undefined;
  /** A directory that has the same files, to see what the kernel knows; undefined: none is known. */
  like: (controller: string) => string | undefined;
  /** What to do about a missing controller. */
  mend: string;
}

export interface Opening {
  /** The topmost first: each passes on the controllers to the next, the last one to the group. */
  dirs: string[];
  /** Our own group, whose processes go into `leaf`, where it is one of `dirs` and no root. */
  move: { from: string; leaf: string } | undefined;
  controllers: string[];
}

/** There is none to be had: why, and what to do about it. */
export interface NoGroup {
  why: string;
  mend: string;
}

/** Where processes of our own group go when it must hold none. */
export const LEAF = 'skiff-callers';

export function chooseGroup(facts: CgroupFacts, wish: GroupWish): Group | NoGroup {
  const { v1, v2, systemd } = facts;
  if (v1.memory !== undefined || v1.cpu !== undefined || v1.pids !== undefined) return v1Group(facts, wish);
  if (v2 === undefined)
    return { why: 'no cgroup hierarchy is mounted', mend: 'mount -t cgroup2 none /sys/fs/cgroup' };
  if (systemd !== undefined && (wish.parent === '' || wish.parent.endsWith('.slice')))
    return scopeGroup(facts, wish);
  if (wish.parent !== '') return ownGroup(v2, `${v2.mount}/${clean(wish.parent)}`, wish);
  if (v2.writable) return ownGroup(v2, withoutLeaf(v2.own), wish);
  return {
    why: `the cgroup ${v2.own} is not ours to change, and no systemd of this user answers`,
    mend:
      facts.hostUid === 0
        ? 'mount /sys/fs/cgroup writable'
        : `log in as this user itself, or start its systemd with: sudo loginctl enable-linger ${facts.hostUid}`,
  };
}

function v1Group({ v1, hostUid }: CgroupFacts, { id, parent }: GroupWish): Group | NoGroup {
  const paths: Partial<Record<V1Controller, string>> = {};
  const like = new Map<string, string>();
  for (const controller of V1_CONTROLLERS) {
    const hierarchy = v1[controller];
    if (hierarchy?.writable !== true) continue;
    const { mount, own } = hierarchy;
    paths[controller] = `${parent === '' ? own : `${mount}/${clean(parent)}`}/skiff-${id}`;
    if (own !== mount) like.set(controller, own);
  }
  const controllers = Object.keys(paths);
  if (controllers.length === 0) {
    return hostUid === 0
      ? { why: 'the hierarchies of cgroup v1 are read-only', mend: 'mount them writable' }
      : {
          why: 'the host has cgroup v1, which gives limits to root alone',
          mend: 'boot it with systemd.unified_cgroup_hierarchy=1',
        };
  }
  return {
    cgroup: { version: 1, paths },
    dirs: [...new Set(Object.values(paths))],
    controllers,
    scope: undefined,
    opening: undefined,
    like: (controller) => like.get(controller),
    mend: 'mount that hierarchy of cgroup v1',
  };
}

function scopeGroup({ systemd, hostUid }: CgroupFacts, wish: GroupWish): Group {
  const { manager, busctl, address, dir: managerDir, controllers } = systemd as NonNullable<typeof systemd>;
  const slice = wish.parent !== '' ? wish.parent : manager === 'user' ? 'app.slice' : 'system.slice';
  const unit: ScopeUnit = { name: `skiff-${wish.id}-${wish.nonce}.scope`, manager };
  const scope = `${managerDir}/${slicePath(slice)}/${unit.name}`;
  const group = `${scope}/container`;
  return {
    cgroup: { version: 2, path: group, unit },
    dirs: [group],
    controllers,
    scope: { dir: scope, argv: startScope({ busctl, address, unit, slice, id: wish.id }) },
    opening: undefined,
    like: () => (hostUid === 0 ? undefined : managerDir),
    mend: hostUid === 0 ? 'enable that controller' : DELEGATE,
  };
}

function ownGroup(v2: UnifiedHierarchy, parent: string, { id }: GroupWish): Group {
  const path = `${parent}/skiff-${id}`;
  // From the mount down, since a named parent need not have what ours has.
  const named = parent !== withoutLeaf(v2.own);
  const dirs = named ? ancestors(v2.mount, parent) : [parent];
  const mustMove = !v2.isRoot && v2.own === parent;
  return {
    cgroup: { version: 2, path },
    dirs: [path],
    controllers: v2.controllers,
    scope: undefined,
    opening: {
      dirs,
      controllers: v2.controllers,
      move: mustMove ? { from: parent, leaf: `${parent}/${LEAF}` } : undefined,
    },
    like: () => (v2.isRoot ? undefined : v2.own),
    mend: `have it passed on by the cgroup above ${v2.own}`,
  };
}

/** Moved there by an earlier run of ours. */
function withoutLeaf(own: string): string {
  return own.endsWith(`/${LEAF}`) ? own.slice(0, -LEAF.length - 1) : own;
}

function ancestors(mount: string, dir: string): string[] {
  const parts = dir.slice(mount.length + 1).split('/');
  return [mount, ...parts.map((_, i) => `${mount}/${parts.slice(0, i + 1).join('/')}`)];
}

/** --cgroup-parent is meant from the mount on, and never leads out of it. */
function clean(parent: string): string {
  return parent
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/');
}

/** systemd.slice(5): "a-b.slice" is in "a.slice". */
export function slicePath(slice: string): string {
  const parts = slice.slice(0, -'.slice'.length).split('-');
  return parts.map((_, i) => `${parts.slice(0, i + 1).join('-')}.slice`).join('/');
}

interface Unit {
  busctl: string;
  address: string;
  unit: ScopeUnit;
}

function startScope({ busctl, address, unit, slice, id }: Unit & { slice: string; id: string }): string[] {
  const properties = [
    ['PIDs', 'au', '1', '{pid}'],
    ['Delegate', 'b', 'true'],
    ['CollectMode', 's', 'inactive-or-failed'],
    ['Slice', 's', slice],
    ['Description', 's', `skiff container ${id.slice(0, 12)}`],
  ];
  return [
    ...call(busctl, address, 'StartTransientUnit', 'ssa(sv)a(sa(sv))'),
    ...[unit.name, 'fail', String(properties.length), ...properties.flat(), '0'],
  ];
}

/**
 * What moves `{pid}` into a container's scope, beside its monitor, from where it may go into the container's group itself:
 * systemd would not know which, once the container has made others below. Empty where nobody can be asked.
 */
export function attachArgv(systemd: Pick<Unit, 'busctl' | 'address'> | undefined, unit: ScopeUnit): string[] {
  if (systemd === undefined) return [];
  const { busctl, address } = systemd;
  return [
    ...call(busctl, address, 'AttachProcessesToUnit', 'ssau'),
    ...[unit.name, '/monitor', '1', '{pid}'],
  ];
}

/** busctl(1). The bus is named, since the environment may be another login's, as after su. */
function call(busctl: string, address: string, method: string, signature: string): string[] {
  const manager = [
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
  ];
  return [busctl, '--quiet', '--timeout=10', `--address=${address}`, 'call', ...manager, method, signature];
}
