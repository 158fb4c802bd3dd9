// Records of the plan about a container's keeper: its lifetime, clients, group, and whom it tells. Read by
// native/helper/plan.cc; docs/dev/native-protocol.md, "The plan".

import type { CgroupEntry, CgroupPlan, Client, HelperPlan, PlanEvents } from './plan.ts';
import type { Writer } from './plan-writer.ts';

export function writeLifetime(w: Writer, l: HelperPlan['lifetime']): void {
  w.str(l.containerDir);
  w.u32(l.lockFd);
  w.flag(l.removeOnExit);
  w.list(l.removePaths, (path) => w.str(path));
  w.u64(BigInt(l.timeoutMs));
  w.flag(l.dieWithParent);
  w.u32(l.parentFd ?? -1);
  w.str(l.pidFile ?? '');
  w.choice(['no', 'on-failure', 'always'], l.restart?.kind ?? 'no');
  w.u32(l.restart?.maxRetries ?? 0);
}

export function writeClient(w: Writer, client: Client): void {
  w.choice(['none', 'detached', 'attached'], client.kind);
  w.u32((client.stdin ? 1 : 0) | (client.stdout ? 2 : 0) | (client.stderr ? 4 : 0));
  w.flag(client.tty);
  w.flag(client.sigProxy);
  w.blob(client.detachKeys);
  w.str(client.print);
  w.flag(client.printOnFailure);
}

/** Of a process that joins the group of a running container. */
export function writeCgroupEntry(w: Writer, entry: CgroupEntry): void {
  writeCgroup(w, entryOnly(entry));
}

/** Nothing is made, so nothing is written either. */
function entryOnly({ groups, version, attach }: CgroupEntry): CgroupPlan {
  return {
    groups,
    version,
    scope: { argv: attach, dir: '', controllers: [] },
    limits: [],
    record: '',
    asked: true,
    required: false,
  };
}

export function writeCgroup(w: Writer, c: CgroupPlan): void {
  w.list(c.groups, (group) => w.str(group));
  w.flag(c.version === 1);
  w.list(c.scope?.argv ?? [], (arg) => w.str(arg));
  w.str(c.scope?.dir ?? '');
  w.list(c.scope?.controllers ?? [], (controller) => w.str(controller));
  w.list(c.limits, ({ name, path, value, instead, implied }) => {
    w.str(name);
    w.str(path);
    w.str(value);
    w.str(instead?.path ?? '');
    w.str(instead?.value ?? '');
    w.flag(implied);
  });
  w.str(c.record);
  w.str(c.oomEvents ?? '');
  w.str(c.memoryLimit === undefined ? '' : ` at its limit of ${c.memoryLimit}`);
  w.flag(c.asked);
  w.flag(c.required);
}

export function writeEvents(w: Writer, events: PlanEvents): void {
  w.str(events.log);
  w.str(events.subject);
  for (const subjects of [events.mounted, events.unmounted, events.destroyed])
    w.list(subjects, (subject) => w.str(subject));
}
