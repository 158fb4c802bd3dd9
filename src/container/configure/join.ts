// `container:NAME`: whose namespaces a new container joins. Whoever joins one of them needs rights over it, which only
// the user namespace that owns it gives: so the new container lives in the other's user namespace, with its id map.

import { EngineError } from '../../core/errors.ts';
import type { IdMapChoice } from '../../runtime/idmap.ts';
import type { ContainerId, ContainerSpec } from '../../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../../store/layout.ts';
import { findContainer, isAlive, readSpec } from '../records.ts';
import { withHostNamespaces } from './shared-modes.ts';
import { readPid } from '../state.ts';

export interface JoinChoice extends IdMapChoice {
  joined: { id: ContainerId; pid: number; hostname: string };
}

/** @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS; CONTAINER_STATE when it does not run */
export function joinTarget(root: StoreRoot, reference: string): JoinChoice {
  const { id, name, idMap, mapKey, config } = findContainer(root, reference);
  const pid = livePid(root, id);
  if (pid === undefined) throw notRunning(name);
  return {
    user: idMap === undefined ? { kind: 'host' } : { kind: 'join', path: `/proc/${pid}/ns/user` },
    idMap,
    mapKey,
    defaultUser: undefined,
    notes: [],
    joined: { id, pid, hostname: config.hostname },
  };
}

/** Id of the container whose namespaces this one lives in. */
export function joinedContainer({ network, host }: ContainerSpec): string | undefined {
  const modes = [host.pidMode, host.ipcMode].flatMap((mode) => (mode.kind === 'container' ? [mode.id] : []));
  return network.mode.startsWith('container:') ? network.mode.slice('container:'.length) : modes[0];
}

/** The spec with the host's namespaces where those it joins are the host's. */
export function carriedOut(root: StoreRoot, spec: ContainerSpec): ContainerSpec {
  return withHostNamespaces(spec, (id) => readSpec(root, id));
}

/** Host pid of the container's init. @throws CONTAINER_STATE */
export function pidOfRunning(root: StoreRoot, id: ContainerId): number {
  const pid = livePid(root, id);
  if (pid === undefined) throw notRunning(readSpec(root, id)?.name ?? id);
  return pid;
}

function livePid(root: StoreRoot, id: ContainerId): number | undefined {
  return isAlive(root, id) ? readPid(containerDir(root, id))?.pid : undefined;
}

function notRunning(name: string): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `joining container ${JSON.stringify(name)}: container is not running`,
  );
}
