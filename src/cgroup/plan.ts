// Limits and a chosen group → what the helper does, and what cannot be honoured. (pure, but for `exists`)

import type { CgroupPlan, CgroupWrite } from '../native/plan.ts';
import type { Group, NoGroup } from './choose.ts';
import { FLAG_OF, size } from './limit-options.ts';
import { limitWrites, unsupportedLimits } from './limit-writes.ts';
import { formatRecord } from './record.ts';
import type { Limits, LimitWrite } from './types.ts';

export interface Unhonoured {
  /** Flags, as the user typed them. */
  flags: string[];
  why: string;
  mend: string | undefined;
}

export interface PlannedGroup {
  plan: CgroupPlan;
  unhonoured: Unhonoured[];
}

/** Without a group nothing is honoured. */
export function allUnhonoured(limits: Limits, { why, mend }: NoGroup): Unhonoured[] {
  const flags = (Object.keys(limits) as (keyof Limits)[])
    .filter((limit) => !isImplied(limits, limit))
    .map((limit) => FLAG_OF[limit]);
  return flags.length === 0 ? [] : [{ flags, why, mend }];
}

export function planGroup(
  group: Group,
  limits: Limits,
  { required, exists }: { required: boolean; exists: (path: string) => boolean },
): PlannedGroup {
  const { cgroup, dirs, scope, mend } = group;
  const version = cgroup.version;
  const unhonoured: Unhonoured[] = [];
  const absent = unsupportedLimits(limits, version).map((limit) => FLAG_OF[limit]);
  if (absent.length > 0)
    unhonoured.push({ flags: absent, why: 'cgroup v2 has no such limit', mend: undefined });
  const writes = limitWrites(limits, version);
  const lacking = writes.filter(({ controller }) => !group.controllers.includes(controller));
  if (lacking.length > 0) {
    const names = unique(lacking.map(({ controller }) => controller));
    unhonoured.push({
      flags: unique(lacking.filter(({ implied }) => implied !== true).map(({ limit }) => FLAG_OF[limit])),
      why: `the cgroup controller${names.length === 1 ? '' : 's'} ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not delegated to us`,
      mend,
    });
  }
  const there = writes.filter(({ controller }) => group.controllers.includes(controller));
  const unknown = there.filter((write) => !isKnown(write, group, exists));
  const missed = unknown.filter(({ implied }) => implied !== true);
  if (missed.length > 0)
    unhonoured.push({
      flags: unique(missed.map(({ limit }) => FLAG_OF[limit])),
      why: `the kernel has no ${unique(missed.map(({ file }) => file)).join(', ')}`,
      mend: undefined,
    });
  const dirOf = (controller: LimitWrite['controller']): string =>
    cgroup.version === 2 ? cgroup.path : (cgroup.paths[controller as keyof typeof cgroup.paths] as string);
  const oomDir = group.controllers.includes('memory') ? dirOf('memory') : undefined;
  return {
    unhonoured,
    plan: {
      version,
      groups: dirs,
      ...(scope && { scope: { ...scope, controllers: group.controllers } }),
      limits: there
        .filter((write) => !unknown.includes(write))
        .map((write) => toWrite(write, dirOf(write.controller))),
      record: formatRecord(cgroup),
      ...(oomDir !== undefined && {
        oomEvents: `${oomDir}/${version === 2 ? 'memory.events' : 'memory.oom_control'}`,
      }),
      ...(limits.memoryBytes !== undefined && { memoryLimit: `${size(limits.memoryBytes)} (--memory)` }),
      asked: Object.keys(limits).length > 0,
      required,
    },
  };
}

function toWrite({ limit, file, value, instead, implied }: LimitWrite, dir: string): CgroupWrite {
  return {
    name: FLAG_OF[limit],
    path: `${dir}/${file}`,
    value,
    ...(instead && { instead: { path: `${dir}/${instead.file}`, value: instead.value } }),
    implied: implied === true,
  };
}

function isKnown(
  { controller, file, instead }: LimitWrite,
  { like }: Group,
  exists: (path: string) => boolean,
): boolean {
  const dir = like(controller);
  if (dir === undefined) return true;
  return exists(`${dir}/${file}`) || (instead !== undefined && exists(`${dir}/${instead.file}`));
}

function isImplied(limits: Limits, limit: keyof Limits): boolean {
  return limitWrites({ ...limits }, 1).some((write) => write.limit === limit && write.implied === true);
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
