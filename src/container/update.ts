// `update`: other limits and another restart policy, from the next start on and, where the container runs, at once. All that
// is asked for, or nothing: the group goes back to what it was when config.json cannot be written.

import { changeLimits, type Undo } from '../cgroup/change-limits.ts';
import { FLAG_OF, limitNotes, readLimits, type LimitOptions } from '../cgroup/limit-options.ts';
import { mergeLimits } from '../cgroup/merge-limits.ts';
import { readCgroup } from '../cgroup/record.ts';
import type { Limits } from '../cgroup/types.ts';
import { EngineError, retold } from '../core/errors.ts';
import type { ContainerSpec, RestartPolicy } from '../runtime/spec.ts';
import { containerDir, type StoreRoot } from '../store/layout.ts';
import { logContainerEvent } from './events.ts';
import { holdContainer } from './files/hold.ts';
import { joinedContainer } from './configure/join.ts';
import { updateSpec } from './records.ts';
import { HOST } from './configure/limits.ts';
import { parseRestartPolicy, stageRestartPolicy } from './configure/restart-policy.ts';
import { readState } from './state.ts';

export interface ContainerUpdate {
  /** Those that are to change. */
  limits: Limits;
  restart: RestartPolicy | undefined;
}

/** Keys are the flags' names, texts are as typed. */
export interface UpdateOptions extends Omit<LimitOptions, keyof typeof CREATE_ONLY> {
  restart: string | undefined;
}

/** What `update` has no flags for. */
const CREATE_ONLY = {
  'memory-swappiness': undefined,
  'blkio-weight-device': [],
  'device-read-bps': [],
  'device-write-bps': [],
  'device-read-iops': [],
  'device-write-iops': [],
  'oom-kill-disable': undefined,
} satisfies Partial<LimitOptions>;

/** @throws USAGE, with exit status 1 when nothing is to change */
export function parseUpdate(options: UpdateOptions): { update: ContainerUpdate; notes: string[] } {
  const asked = { ...CREATE_ONLY, ...options };
  const limits = readLimits(asked, HOST);
  const restart = (options.restart ?? '') === '' ? undefined : parseRestartPolicy(options.restart);
  const notes = limitNotes(asked, limits);
  if (restart === undefined && notes.length === 0 && Object.keys(limits).length === 0)
    throw new EngineError('USAGE', 'you must provide one or more flags when using this command', {
      hint: '"skiff update --help" lists them',
      exitCode: 1,
    });
  return { update: { limits, restart }, notes };
}

/** @throws USAGE, CONTAINER_STATE, HOST_MISSING (exit status 1), CONTAINER_NOT_FOUND, IO */
export function updateContainer(root: StoreRoot, spec: ContainerSpec, update: ContainerUpdate): void {
  const doing = `updating container ${JSON.stringify(spec.name)}`;
  // Between two lives its monitor holds the lock and keeps the group. One that does not run cannot be started meanwhile.
  const held =
    readState(root, spec.id).status === 'restarting' ? undefined : holdContainer(root, spec, doing);
  try {
    const isLive = held === undefined || held.pid !== undefined;
    told(doing, () => change(root, spec.id, update, isLive));
    logContainerEvent(root, spec, 'update');
  } finally {
    held?.release();
  }
}

function change(
  root: StoreRoot,
  id: ContainerSpec['id'],
  { limits, restart }: ContainerUpdate,
  isLive: boolean,
): void {
  let undo: Undo = () => undefined;
  let publish: () => void = () => undefined;
  try {
    const apply = (spec: ContainerSpec): void => {
      if (restart !== undefined) {
        checkRestart(spec, restart);
        spec.host.restart = restart;
        if (isLive) publish = stageRestartPolicy(containerDir(root, id), restart);
      }
      if (Object.keys(limits).length === 0) return;
      const next = mergeLimits(spec.host.limits, limits, HOST);
      if (isLive) undo = changeGroup(root, spec, limits, next);
      spec.host.limits = next;
    };
    // config.json before the monitor hears of it: a start in between reads the one and takes away the other.
    if (updateSpec(root, id, apply, () => publish()) === undefined) {
      throw new EngineError('CONTAINER_NOT_FOUND', 'it has been removed', { exitCode: 1 });
    }
  } catch (error) {
    undo();
    throw error;
  }
}

function changeGroup(root: StoreRoot, { id, name, host }: ContainerSpec, asked: Limits, next: Limits): Undo {
  const group = readCgroup(root, id);
  if (group !== undefined) return changeLimits(group, host.limits, next);
  const flags = Object.keys(asked).map((limit) => FLAG_OF[limit as keyof Limits]);
  throw new EngineError(
    'HOST_MISSING',
    `${flags.join(', ')}: it runs without a control group, which is what has limits`,
    {
      hint: `"skiff doctor" says why; after "skiff stop ${name}" an update counts from the next start`,
      exitCode: 1,
    },
  );
}

/** The rules of `create`. docker's words. */
function checkRestart(spec: ContainerSpec, { name }: RestartPolicy): void {
  if (spec.host.autoRemove) {
    throw new EngineError(
      'USAGE',
      'restart policy cannot be updated because AutoRemove is enabled for the container (it was made with --rm)',
      { exitCode: 1 },
    );
  }
  if (name !== 'no' && joinedContainer(spec) !== undefined) {
    throw new EngineError(
      'USAGE',
      `--restart ${name}: not with namespaces of another container, which may be others by then`,
      { exitCode: 1 },
    );
  }
}

/** Adds what was being done to errors that only say why. */
function told(doing: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'IO' || error.code === 'NO_SPACE') throw error;
    throw retold(error, { message: `${doing}: ${error.message}` });
  }
}
