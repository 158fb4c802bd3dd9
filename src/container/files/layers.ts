// Where a container's files are: its own upper directory, on the trees of its image.

import { EngineError } from '../../core/errors.ts';
import { encodeBytes } from '../../core/bytes.ts';
import type { UpperDirectory } from '../../image/layer/diff.ts';
import type { RootFs } from '../../native/plan.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';
import { containerDir, treeDir, type StoreRoot } from '../../store/layout.ts';

/** @throws CONTAINER_STATE for one made from a directory, which has no layer of its own. doing: `comparing` */
export function upperOf(root: StoreRoot, spec: ContainerSpec, doing: string): UpperDirectory {
  if (spec.rootfs.kind === 'directory') {
    throw new EngineError(
      'CONTAINER_STATE',
      `${doing} container ${JSON.stringify(spec.name)}: it was made from the directory ${JSON.stringify(spec.rootfs.path)}, not from an image`,
      { hint: 'what it changed is in that directory itself', exitCode: 1 },
    );
  }
  return {
    upper: `${containerDir(root, spec.id)}/upper`,
    lowerTrees: lowerTrees(root, spec),
    mountPoints: ownMountPoints(spec),
    volumes: spec.host.mounts.filter(({ type }) => type === 'volume').map(({ target }) => byteString(target)),
  };
}

/** Bottom first. */
function lowerTrees(root: StoreRoot, { rootfs, mapKey }: ContainerSpec): string[] {
  return rootfs.kind === 'layers' ? rootfs.chainIds.map((chainId) => treeDir(root, mapKey, chainId)) : [];
}

/**
 * The container's whole file system without its mounts. writable: changes go to its upper directory, which nobody else may
 * use meanwhile; else that is one more lower directory, and may be in use.
 */
export function rootFsOf(root: StoreRoot, spec: ContainerSpec, { writable }: { writable: boolean }): RootFs {
  if (spec.rootfs.kind === 'directory') return { kind: 'bind', path: spec.rootfs.path, noDev: true };
  const dir = containerDir(root, spec.id);
  const trees = lowerTrees(root, spec).reverse();
  const lower = trees.length === 0 ? [`${dir}/empty`] : trees;
  return writable
    ? { kind: 'overlay', lower, upper: `${dir}/upper`, work: `${dir}/work`, noDev: true }
    : { kind: 'overlay', lower: [`${dir}/upper`, ...lower], upper: '', work: '', noDev: true };
}

/** Where every container has something of skiff's (runtime/mounts.ts, container/network.ts). */
function ownMountPoints({ network }: ContainerSpec): string[] {
  return [
    '/proc',
    '/sys',
    '/dev',
    ...(network.manageHosts ? ['/etc/hosts'] : []),
    ...(network.manageHostname ? ['/etc/hostname'] : []),
    ...(network.dns.includes('none') ? [] : ['/etc/resolv.conf']),
  ];
}

/** Text of a command line as the bytes that file names are compared as. */
export function byteString(text: string): string {
  return encodeBytes(text).toString('latin1');
}
