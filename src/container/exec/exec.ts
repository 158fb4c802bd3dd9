// `exec`: looks at the container that runs, decides (exec-plan.ts), and becomes the helper, which enters it. Takes no lock
// and makes nothing, so there is nothing to take away when it fails.

import { readCgroup } from '../../cgroup/record.ts';
import type { ContainerCgroup } from '../../cgroup/types.ts';
import { EngineError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { launchExec } from '../../native/launch.ts';
import type { CgroupEntry, ExecPlan } from '../../native/plan.ts';
import { capabilityMask, capabilityNames } from '../../runtime/capabilities.ts';
import { chooseSeccomp } from '../../runtime/seccomp/choose.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';
import type { StoreRoot } from '../../store/layout.ts';
import { addressContainer, runningInit, type AddressOptions } from '../address.ts';
import type { CallerEnv } from '../configure/environment.ts';
import { logExec, sessionEvents } from '../events.ts';
import { planExec, type ExecOptions } from './exec-plan.ts';
import { randomContainerId } from '../names.ts';
import { readRunningAccounts } from './running-accounts.ts';
import { isPausedGroup } from '../state.ts';

export interface ExecParts {
  paths: StoreRoot;
  env: CallerEnv;
  log: Log;
  hostUid: number;
}

/**
 * Executes `words` (the container first, unless the options name it) in a running container: on success this process is
 * replaced by the helper, which ends with the command's exit status.
 * @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS, CONTAINER_STATE (exit status 1), USAGE, USER_UNKNOWN
 */
export async function execInContainer(
  parts: ExecParts,
  words: readonly string[],
  options: ExecOptions & AddressOptions,
): Promise<never> {
  const { spec, typed, rest } = addressContainer(parts.paths, words, options);
  return launchExec(await execPlan(parts, spec, typed, rest, options));
}

/** What the helper is to do. @throws CONTAINER_STATE (exit status 1), USAGE, USER_UNKNOWN */
export async function execPlan(
  parts: ExecParts,
  spec: ContainerSpec,
  typed: string,
  words: readonly string[],
  options: ExecOptions,
): Promise<ExecPlan> {
  const init = runningInit(parts.paths, spec);
  const group = readCgroup(parts.paths, spec.id);
  if (isPausedGroup(group)) throw pausedContainer(spec);
  const { host } = spec;
  const mask = capabilityMask({ add: host.capAdd, drop: host.capDrop, privileged: host.privileged });
  const inputs = await lookAtOurselves(parts, spec, options);
  if (options.privileged === true) warnOfMissing(parts.log, inputs.available);
  const execId = randomContainerId();
  const plan = planExec({
    spec,
    init,
    typed,
    words,
    options,
    caller: parts.env,
    accounts: options.user === undefined ? undefined : await readRunningAccounts(init.pid),
    cgroup: await entryOf(parts, group),
    seccomp: await chooseSeccomp({ choice: host.seccomp, capabilities: capabilityNames(mask) }),
    ...inputs,
    events: sessionEvents(parts.paths, spec, execId),
  });
  logExec(parts.paths, spec, plan.process.args, execId);
  return plan;
}

function pausedContainer({ id, name }: ContainerSpec): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `container ${name}: container ${id} is paused, unpause the container before exec`,
    { hint: `skiff unpause ${name}`, exitCode: 1 },
  );
}

async function entryOf(
  { hostUid }: ExecParts,
  group: ContainerCgroup | undefined,
): Promise<CgroupEntry | undefined> {
  if (group === undefined) return undefined;
  const { groupEntry } = await import('../../cgroup/entry.ts');
  return groupEntry(group, hostUid);
}

/** What seldom matters is loaded when it does. */
async function lookAtOurselves({ hostUid }: ExecParts, { idMap, host }: ContainerSpec, options: ExecOptions) {
  const oomMatters = host.oomScoreAdj !== undefined && hostUid !== 0;
  if (options['env-file'].length === 0 && idMap !== undefined && !oomMatters)
    return { envLines: [], available: undefined, lowestOomScore: undefined };
  const { ownOomScore, readKeyValueFiles } = await import('../configure/inputs.ts');
  const { ownCapabilities } = await import('../../runtime/own-capabilities.ts');
  return {
    envLines: readKeyValueFiles('--env-file', options['env-file']),
    available: idMap === undefined ? ownCapabilities() : undefined,
    lowestOomScore: oomMatters ? ownOomScore() : undefined,
  };
}

function warnOfMissing(log: Log, available: bigint | undefined): void {
  if (available === undefined) return;
  const missing = capabilityNames(capabilityMask({ add: [], drop: [], privileged: true }) & ~available);
  if (missing.length > 0)
    log.warn(`--privileged: not given, since skiff itself does not have them: ${missing.join(' ')}`);
}
