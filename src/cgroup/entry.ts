// How one more process gets into the group of a running container.

import type { CgroupEntry } from '../native/plan.ts';
import { attachArgv } from './choose.ts';
import { findBus } from './facts.ts';
import type { ContainerCgroup } from './types.ts';

export function groupEntry(cgroup: ContainerCgroup, hostUid: number): CgroupEntry {
  if (cgroup.version === 1)
    return { version: 1, groups: [...new Set(Object.values(cgroup.paths))], attach: [] };
  const { unit, path } = cgroup;
  const attach = unit === undefined ? [] : attachArgv(findBus(hostUid), unit);
  return { version: 2, groups: [path], attach };
}
