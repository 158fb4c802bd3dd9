// How one more process gets into the group of a running container.

import type { CgroupEntry } from '../native/plan.ts';
import type { StoreRoot } from '../store/layout.ts';
import { attachArgv } from './choose.ts';
import { findBus } from './facts.ts';
import { readCgroup } from './record.ts';

/** undefined: it has none of its own. */
export function groupEntry(root: StoreRoot, id: string, hostUid: number): CgroupEntry | undefined {
  const cgroup = readCgroup(root, id);
  if (cgroup === undefined) return undefined;
  if (cgroup.version === 1)
    return { version: 1, groups: [...new Set(Object.values(cgroup.paths))], attach: [] };
  const { unit, path } = cgroup;
  const attach = unit === undefined ? [] : attachArgv(findBus(hostUid), unit);
  return { version: 2, groups: [path], attach };
}
