// Which of a process's ids exist in a container's user namespace. (pure)

import { EngineError } from '../core/errors.ts';
import type { IdMap, IdMapping } from '../native/plan.ts';
import type { ResolvedUser } from './users.ts';

/** Host id of a container id, or undefined when the map leaves it out. */
export function toHostId(mappings: readonly IdMapping[], containerId: number): number | undefined {
  for (const { containerID, hostID, size } of mappings) {
    if (containerId >= containerID && containerId < containerID + size)
      return hostID + (containerId - containerID);
  }
  return undefined;
}

/** Container id of a host id; the inverse. */
export function toContainerId(mappings: readonly IdMapping[], hostId: number): number | undefined {
  for (const { containerID, hostID, size } of mappings) {
    if (hostId >= hostID && hostId < hostID + size) return containerID + (hostId - hostID);
  }
  return undefined;
}

/** Root is the only id of the container: others can be emulated (docs/decisions/0033). */
export function isRootAlone(idMap: IdMap | undefined): boolean {
  return (
    idMap !== undefined && [idMap.uid, idMap.gid].every((list) => isOneId(list) && list[0]?.containerID === 0)
  );
}

function isOneId(list: readonly IdMapping[]): boolean {
  return list.length === 1 && list[0]?.size === 1;
}

/** A user without a host id cannot exist in the container. `text`: the user as typed. @throws USER_UNKNOWN */
export function checkMapped(user: ResolvedUser, idMap: IdMap | undefined, text: string): void {
  if (idMap === undefined) return;
  for (const [kind, id, list] of [
    ['uid', user.containerUid, idMap.uid],
    ['gid', user.containerGid, idMap.gid],
  ] as const) {
    if (toHostId(list, id) !== undefined) continue;
    const single = isOneId(list);
    throw new EngineError(
      'USER_UNKNOWN',
      `user ${JSON.stringify(text)}: ${kind} ${id} has no id on the host`,
      {
        hint: single
          ? `only ${kind} ${list[0]?.containerID} exists in the container: use --user ${list[0]?.containerID}, or add subordinate ids ("skiff doctor" tells how)`
          : 'add a larger range to /etc/subuid and /etc/subgid, or choose another --user',
      },
    );
  }
}

/**
 * The groups that can be set. setgroups(2) fails as a whole when one gid has no host id, and is forbidden in a namespace
 * of one id, whose map we wrote ourselves (user_namespaces(7)): images with a generous /etc/group must lose some there.
 */
export function mappedGids(gids: readonly number[], idMap: IdMap | undefined): number[] {
  if (idMap === undefined) return [...gids];
  if ([idMap.uid, idMap.gid].every(isOneId)) return [];
  return gids.filter((gid) => toHostId(idMap.gid, gid) !== undefined);
}
