// `run`: decide, make containers/<id>/, and become the helper. In the foreground with --rm the helper keeps the container
// in the place of this process; else it forks a monitor that does, and becomes its client (docs/dev/run-lifecycle.md).

import { rmSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { addon } from '../native/addon.ts';
import { launchContainer } from '../native/launch.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { attachedClient, detachedClient, parseStreams } from './client.ts';
import { again, makeContainer, unmakeContainer } from './create.ts';
import { parseDetachKeys } from './configure/detach-keys.ts';
import { logContainerEvent } from './events.ts';
import { helperPlan, type Keeping } from './helper-plan.ts';
import type { RunOptions } from './configure/options.ts';
import {
  checkEarly,
  checkHealthFlags,
  idMapFor,
  imageOf,
  limitsOf,
  prepareRun,
  treesOf,
  type PreparedContainer,
  type RunParts,
  type RunRequest,
} from './configure/prepare.ts';

/**
 * Runs a container: on success this process is replaced by the native helper, which ends with the container's exit
 * status, or detached with that of its start.
 * @throws everything that goes wrong before that; nothing is left behind then
 */
export async function runContainer(parts: RunParts, request: RunRequest): Promise<never> {
  checkRun(request);
  await checkHealthFlags(request);
  return await again(() => attempt(parts, request));
}

async function attempt(parts: RunParts, request: RunRequest): Promise<never> {
  const limits = await limitsOf(request);
  const ids = idMapFor(parts, request);
  const image = await imageOf(parts, request, ids);
  const trees = await treesOf(parts, request, image, ids);
  request.onImageReady?.();
  const monitored = !isKeptByUs(request.options);
  const prepared = await prepareRun(parts, request, { ids, limits, monitored }, image, trees);
  for (const note of prepared.notes) parts.log.warn(note);
  if (request.detached && prepared.spec.host.scope === 'service') {
    const { sayIfLogoutEndsIt } = await import('./logout-facts.ts');
    sayIfLogoutEndsIt(parts, prepared);
  }
  return await launch(parts, request, prepared);
}

/** Mistakes of `run` that can be told without looking at anything. @throws USAGE */
export function checkRun(request: RunRequest): void {
  checkEarly(request);
  const { options } = request;
  parseStreams(options.attach, options.interactive === true);
  if (options['detach-keys'] !== undefined) parseDetachKeys(options['detach-keys']);
  if (options.detach === true && options.attach.length > 0)
    throw new EngineError('USAGE', 'conflicting options: -a and -d');
  if (options['log-driver'] === 'passthrough' && !isKeptByUs(options)) {
    throw new EngineError(
      'USAGE',
      '--log-driver passthrough: gives the container the streams of this command, and so only works in the foreground, without --detach, --restart, --sig-proxy=false, --detach-keys or --attach of some streams',
    );
  }
}

/**
 * Whether this very process keeps the container, with inherited streams and no client in between: what is part of its
 * caller's job, or of its caller's streams. All else may outlive its client, and so needs a monitor.
 */
export function isKeptByUs(options: RunOptions): boolean {
  const { stdout, stderr } = parseStreams(options.attach, true);
  const special =
    options.detach === true ||
    !options['sig-proxy'] ||
    options['detach-keys'] !== undefined ||
    !stdout ||
    !stderr ||
    (options.restart !== undefined && options.restart !== 'no') ||
    options.scope === 'service' ||
    options['health-on-failure'] === 'restart';
  return !special && (options.rm === true || options['log-driver'] === 'passthrough');
}

async function launch(parts: RunParts, request: RunRequest, prepared: PreparedContainer): Promise<never> {
  const { spec } = prepared;
  const { options } = request;
  await readyGroup(parts, prepared);
  const made = await makeContainer(parts, spec, options, prepared);
  logContainerEvent(parts.paths, spec, 'create');
  try {
    const keeping = keepingOf(options, spec);
    const { parentFd } = keeping;
    const plan = helperPlan(parts.paths, prepared, made, keeping);
    await parts.handOver();
    if (options.detach !== true) logContainerEvent(parts.paths, spec, 'attach');
    return launchContainer(plan, parentFd === undefined ? [] : [parentFd]);
  } catch (error) {
    if (options.cidfile !== undefined) rmSync(options.cidfile, { force: true });
    await unmakeContainer(parts.paths, spec, made);
    logContainerEvent(parts.paths, spec, 'destroy');
    throw error;
  }
}

/** A --rm container in the foreground is part of its caller's job; one that stays may be looked at by others. */
function keepingOf(options: RunOptions, spec: ContainerSpec): Keeping {
  if (isKeptByUs(options)) return { client: undefined, dieWithParent: options.rm === true };
  const client =
    options.detach === true
      ? detachedClient(spec.id, true)
      : attachedClient(spec, parseStreams(options.attach, options.interactive === true), {
          sigProxy: options['sig-proxy'],
          detachKeys: options['detach-keys'],
        });
  return { client, dieWithParent: false, parentFd: spec.host.scope === 'job' ? callerFd() : undefined };
}

/** A pidfd of the process that called us. @throws CONTAINER_STATE when it is gone already, and the job with it */
export function callerFd(): number {
  const { ppid } = process;
  const fd = ppid > 1 ? addon().pidfdOpen(ppid) : undefined;
  if (fd !== undefined && process.ppid === ppid) return fd;
  throw new EngineError('CONTAINER_STATE', '--scope job: the process that called skiff has ended');
}

/**
 * Before anything is made: opens the group the container's is to be in, where that is ours and limits need it.
 * @throws HOST_MISSING
 */
export async function readyGroup(
  parts: Pick<RunParts, 'log' | 'paths'>,
  { limits }: PreparedContainer,
): Promise<void> {
  const group = limits?.group;
  if (group?.opening === undefined) return;
  const { openPlaced } = await import('./configure/limits.ts');
  openPlaced(parts, group);
}
