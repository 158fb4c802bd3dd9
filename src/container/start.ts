// `start`, `restart` and `start -a`: a container that was made earlier is planned again from its config.json, with the
// ports and addresses of today, and gets a new monitor.

import { closeSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { readFileIfExists } from '../core/fs.ts';
import {
  launchContainer,
  MONITOR_LOCK_FD,
  MONITOR_PARENT_FD,
  newUserNamespace,
  startMonitor,
} from '../native/launch.ts';
import type { IdMapChoice } from '../runtime/idmap.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { hasTree } from '../store/layers.ts';
import { containerDir, treeDir, type StoreRoot } from '../store/layout.ts';
import { tryExclusive } from '../store/lock.ts';
import { attachTo, type AttachFlags } from './attach.ts';
import { makeMissing } from './configure/bind-sources.ts';
import { attachedClient, detachedClient } from './client.ts';
import { logContainerEvent, logLostEnd } from './events.ts';
import { helperPlan, type Keeping } from './helper-plan.ts';
import { joinedContainer, joinTarget, type JoinChoice } from './configure/join.ts';
import { sayIfLogoutEndsIt } from './logout-facts.ts';
import { placeContainer } from './place.ts';
import { rootfsDirectory, type PreparedContainer, type RunParts } from './configure/prepare.ts';
import { isStillThere, openLock, readSpec, updateSpec, type NewContainer } from './records.ts';
import { callerFd, readyGroup } from './run.ts';
import { clearStopped, killLeftover } from './signal.ts';
import { clearNewRestartPolicy } from './configure/restart-policy.ts';
import { isLost, isPaused, LOST, LOST_KEEPER } from './state.ts';

/**
 * Starts a container that does not run; one that does is left as it is. `line` is printed, by whoever does it, once the
 * command runs.
 * @returns 0, or the exit status of a failed start, whose error is on stderr already
 */
export async function startDetached(
  parts: RunParts,
  spec: ContainerSpec,
  line: string,
  print: (line: string) => void,
): Promise<number> {
  if (spec.host.logDriver === 'passthrough') throw needsStreams(spec);
  const made = await lockForStart(parts.paths, spec.id);
  if (made === undefined) {
    if (isPaused(parts.paths, spec.id)) throw pausedNotStopped(spec);
    if (line !== '') print(line);
    return 0;
  }
  let parentFd: number | undefined;
  try {
    const prepared = await prepareStart(parts, made);
    if (prepared.spec.host.scope === 'service') sayIfLogoutEndsIt(parts, prepared);
    parentFd = prepared.spec.host.scope === 'job' ? callerFd() : undefined;
    const plan = helperPlan(
      parts.paths,
      prepared,
      { dir: made.dir, lockFd: MONITOR_LOCK_FD },
      {
        client: detachedClient(line, false),
        dieWithParent: false,
        parentFd: parentFd === undefined ? undefined : MONITOR_PARENT_FD,
      },
    );
    return await startMonitor(plan, made.lockFd, parentFd);
  } finally {
    if (parentFd !== undefined) closeSync(parentFd);
    closeSync(made.lockFd);
  }
}

/** Becomes the client of the container, which is started if it does not run. */
export async function startAttached(
  parts: RunParts,
  spec: ContainerSpec,
  flags: AttachFlags & { interactive: boolean },
): Promise<never> {
  const streams = { stdin: flags.interactive, stdout: true, stderr: true };
  const made = await lockForStart(parts.paths, spec.id);
  if (made === undefined) return attachTo(parts.paths, spec, streams, flags);
  try {
    const prepared = await prepareStart(parts, made);
    const keeping: Keeping =
      spec.host.logDriver === 'passthrough'
        ? { client: undefined, dieWithParent: spec.host.autoRemove }
        : {
            client: attachedClient(prepared.spec, streams, flags),
            dieWithParent: false,
            parentFd: spec.host.scope === 'job' ? callerFd() : undefined,
          };
    const { parentFd } = keeping;
    logContainerEvent(parts.paths, prepared.spec, 'attach');
    return launchContainer(
      helperPlan(parts.paths, prepared, made, keeping),
      parentFd === undefined ? [] : [parentFd],
    );
  } catch (error) {
    closeSync(made.lockFd);
    throw error;
  }
}

interface Locked extends NewContainer {
  spec: ContainerSpec;
}

/** undefined: it runs, or somebody else starts it right now. @throws CONTAINER_NOT_FOUND when it has been removed */
async function lockForStart(root: StoreRoot, id: ContainerId): Promise<Locked | undefined> {
  const dir = containerDir(root, id);
  const lockFd = openLock(root, id);
  if (lockFd === undefined) throw gone(id);
  try {
    if (!tryExclusive(lockFd)) {
      closeSync(lockFd);
      return undefined;
    }
    // Before config.json is read: an update that comes later changes both.
    clearNewRestartPolicy(dir);
    // Whoever removes it does so under this lock: what is there now stays.
    const spec = isStillThere(root, id, lockFd) ? readSpec(root, id) : undefined;
    if (spec === undefined) throw gone(id);
    await killLeftover(dir, spec.name);
    clearStopped(dir);
    if (isLost(dir)) recordLostRun(root, spec);
    rmSync(`${dir}/pid`, { force: true });
    return { dir, lockFd, spec };
  } catch (error) {
    closeSync(lockFd);
    throw error;
  }
}

/** The run before ended with its monitor: said in an exit record, before the `pid` file that shows it goes. */
function recordLostRun(root: StoreRoot, spec: ContainerSpec): void {
  const dir = containerDir(root, spec.id);
  const startedAt = readFileIfExists(`${dir}/pid`)?.split(' ')[2]?.trim() ?? '0';
  const record = `code=${LOST}\nstartedAt=${startedAt}\nfinishedAt=${Date.now()}000000\nerror=${LOST_KEEPER}\n`;
  writeFileSync(`${dir}/exit.tmp`, record, { mode: 0o644 });
  renameSync(`${dir}/exit.tmp`, `${dir}/exit`);
  logLostEnd(root, spec);
}

function gone(id: ContainerId): EngineError {
  return new EngineError('CONTAINER_NOT_FOUND', `no such container: ${id}`, { exitCode: 1 });
}

/** docker's words. */
function pausedNotStopped({ name }: ContainerSpec): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `starting container ${JSON.stringify(name)}: cannot start a paused container, try unpause instead`,
    { hint: `skiff unpause ${name}`, exitCode: 1 },
  );
}

function needsStreams({ name }: ContainerSpec): EngineError {
  return new EngineError(
    'CONTAINER_STATE',
    `starting container ${JSON.stringify(name)}: its log driver passthrough gives it the streams of the command that starts it`,
    { hint: `skiff start --attach ${name}`, exitCode: 1 },
  );
}

async function prepareStart(parts: RunParts, { spec }: Locked): Promise<PreparedContainer> {
  const choice = idsOf(parts.paths, spec);
  const joined = 'joined' in choice ? (choice as JoinChoice).joined : undefined;
  const trees = treesOf(parts.paths, spec);
  const placed = await placeContainer(parts, spec, {
    joined,
    monitored: spec.host.logDriver !== 'passthrough',
  });
  for (const note of placed.notes) parts.log.warn(note);
  makeMissing(placed.sources);
  const { ports, address } = spec.network;
  updateSpec(parts.paths, spec.id, ({ network }) => Object.assign(network, { ports, address }));
  const prepared = { ...placed, spec, ids: choice, trees, joined };
  await readyGroup(parts, prepared);
  return prepared;
}

/** The map the container's files were made with; the user namespace of another container where it joins one. */
function idsOf(root: StoreRoot, spec: ContainerSpec): IdMapChoice {
  const { idMap, mapKey } = spec;
  const other = joinedContainer(spec);
  if (other !== undefined) return joinTarget(root, other);
  return {
    user: idMap === undefined ? { kind: 'host' } : newUserNamespace(idMap),
    idMap,
    mapKey,
    defaultUser: undefined,
    notes: [],
  };
}

/** Kept from deletion as long as the container is there, so they can only be missing after damage. */
function treesOf(root: StoreRoot, { name, rootfs, mapKey, image }: ContainerSpec): string[] {
  if (rootfs.kind === 'directory') return [rootfsDirectory(rootfs.path)];
  if (rootfs.chainIds.every((chainId) => hasTree(root, mapKey, chainId)))
    return rootfs.chainIds.map((chainId) => treeDir(root, mapKey, chainId));
  throw new EngineError(
    'STORE_INVALID',
    `starting container ${JSON.stringify(name)}: a layer of its image is missing from the store`,
    { hint: `fetch it again with "skiff pull ${image?.name ?? 'IMAGE'}"`, exitCode: 1 },
  );
}
