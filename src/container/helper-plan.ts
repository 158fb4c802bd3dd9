// A prepared container and its folder → the plan for the helper. (pure, but for looking at the host through its inputs)

import { existsSync } from 'node:fs';
import type { Client, HelperPlan, RootTree, UserNamespace } from '../native/plan.ts';
import { planContainer, type PlanInput } from '../runtime/plan.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { namesDir, type StoreRoot } from '../store/layout.ts';
import { planEvents } from './events.ts';
import { journalFields } from './logs/journal-fields.ts';
import { carriedOut, pidOfRunning } from './configure/join.ts';
import type { PreparedContainer } from './configure/prepare.ts';
import type { NewContainer } from './records.ts';

/** Who keeps the container: this process, or a monitor of which this process is the client. */
export interface Keeping {
  client: Client | undefined;
  /** Die with our parent. */
  dieWithParent: boolean;
  /** Die with the process of this pidfd. */
  parentFd?: number | undefined;
}

export function helperPlan(
  root: StoreRoot,
  prepared: PreparedContainer,
  made: NewContainer,
  { client, dieWithParent, parentFd }: Keeping,
): HelperPlan {
  const { spec, ids, network, joined } = prepared;
  const { host } = spec;
  const user: UserNamespace =
    joined === undefined || ids.idMap === undefined
      ? ids.user
      : { kind: 'join', path: `/proc/${joined.pid}/ns/user` };
  return planContainer({
    spec: carriedOut(root, spec),
    user,
    rootfs: rootFsOf(prepared, made.dir),
    network,
    seccomp: prepared.seccomp,
    available: prepared.available,
    pidOf: (id) => pidOfRunning(root, id),
    isDirectory: prepared.sources.isDirectory,
    isOnHost: existsSync,
    log: logOf(spec, made.dir),
    cgroup: prepared.limits?.group?.plan,
    client,
    events: planEvents(root, spec),
    label: spec.process.args[0] as string,
    lifetime: {
      containerDir: made.dir,
      lockFd: made.lockFd,
      removeOnExit: host.autoRemove,
      removePaths: host.autoRemove ? [`${namesDir(root)}/${spec.name}`] : [],
      timeoutMs: host.timeoutMs,
      dieWithParent,
      ...(parentFd === undefined ? {} : { parentFd }),
      ...restartOf(spec),
      ...(host.pidFile === undefined ? {} : { pidFile: host.pidFile }),
    },
  });
}

function logOf(spec: ContainerSpec, dir: string): PlanInput['log'] {
  const { logDriver, logOptions } = spec.host;
  if (logDriver === 'journald') return { journal: journalFields(spec) };
  if (logDriver !== 'json-file') return undefined;
  return { path: `${dir}/log`, maxSizeBytes: logOptions.maxSizeBytes, maxFiles: logOptions.maxFiles };
}

function restartOf({ host: { restart } }: ContainerSpec): Pick<HelperPlan['lifetime'], 'restart'> {
  if (restart.name === 'no') return {};
  const kind = restart.name === 'on-failure' ? 'on-failure' : 'always';
  return { restart: { kind, maxRetries: restart.maxRetries } };
}

function rootFsOf({ spec, trees }: PreparedContainer, dir: string): RootTree {
  if (spec.rootfs.kind === 'directory') return { kind: 'bind', path: spec.rootfs.path };
  const lower = trees.length === 0 ? [`${dir}/empty`] : [...trees].reverse();
  return { kind: 'overlay', lower, upper: `${dir}/upper`, work: `${dir}/work` };
}
