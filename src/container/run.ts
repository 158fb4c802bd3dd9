// `run` in the foreground, second half: containers/<id>/, then the exec of the helper. Everything that can fail for the
// user's reasons has been judged before the first thing is made; what is made and then cannot start is taken away.

import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { HelperPlan, RootTree, UserNamespace } from '../native/plan.ts';
import { launchContainer } from '../native/launch.ts';
import { planContainer } from '../runtime/plan.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import { namesDir } from '../store/layout.ts';
import { makeMissing } from './bind-sources.ts';
import { pidOfRunning } from './join.ts';
import { randomName } from './names.ts';
import {
  checkEarly,
  idMapFor,
  imageOf,
  prepareRun,
  treesOf,
  type PreparedRun,
  type RunParts,
  type RunRequest,
} from './prepare.ts';
import { claimName, dropName, makeContainerDir, writeSpec, type NewContainer } from './records.ts';
import { replaceHolder } from './replace.ts';
import type { AttachedVolumes } from './volumes.ts';

/**
 * Runs a container and becomes its keeper: on success this process is replaced by the native helper, which ends with the
 * container's exit status.
 * @throws everything that goes wrong before that; nothing is left behind then
 */
export async function runContainer(parts: RunParts, request: RunRequest): Promise<never> {
  checkEarly(request);
  const ids = idMapFor(parts, request);
  const image = await imageOf(parts, request, ids);
  const trees = await treesOf(parts, request, image, ids);
  request.onImageReady?.();
  const prepared = await prepareRun(parts, request, ids, image, trees);
  for (const note of prepared.notes) parts.log.warn(note);
  return await launch(parts, request, prepared);
}

async function launch(parts: RunParts, request: RunRequest, prepared: PreparedRun): Promise<never> {
  const { spec } = prepared;
  const { options } = request;
  const made = makeContainerDir(parts.paths, spec.id);
  let volumes: AttachedVolumes | undefined;
  try {
    await takeName(parts, spec, options.replace === true);
    makeRootDirs(made, prepared);
    makeMissing(prepared.sources);
    volumes = await volumesOf(parts, spec);
    writeSpec(made.dir, spec);
    volumes?.release();
    if (options.cidfile !== undefined) writeCidFile(options.cidfile, spec.id);
    await volumes?.fill(prepared.trees);
    return launchContainer(helperPlan(parts, request, prepared, made));
  } catch (error) {
    if (options.cidfile !== undefined && !isCidFileConflict(error)) rmSync(options.cidfile, { force: true });
    dropName(parts.paths, spec.name, spec.id);
    await volumes?.discard();
    rmSync(made.dir, { recursive: true, force: true });
    closeSync(made.lockFd);
    throw error;
  }
}

/** Most containers have none, and then nothing of them is loaded. */
async function volumesOf(parts: RunParts, spec: ContainerSpec): Promise<AttachedVolumes | undefined> {
  if (!spec.host.mounts.some(({ type }) => type === 'volume')) return undefined;
  const { attachVolumes } = await import('./volumes.ts');
  return await attachVolumes(parts, spec);
}

/** --name, or two random words nobody has yet. @throws NAME_IN_USE in docker's words */
async function takeName({ paths }: RunParts, spec: ContainerSpec, replace: boolean): Promise<void> {
  if (spec.name === '') {
    for (let attempt = 0; ; attempt++) {
      spec.name = randomName(attempt);
      if (claimName(paths, spec.name, spec.id)) return;
    }
  }
  while (!claimName(paths, spec.name, spec.id)) await replaceHolder(paths, spec.name, replace);
}

/** The helper gives `upper` the owner and mode of the image's root directory, which "/" then shows. */
function makeRootDirs({ dir }: NewContainer, { spec, trees }: PreparedRun): void {
  if (spec.rootfs.kind !== 'layers') return;
  mkdirSync(`${dir}/work`, 0o700);
  mkdirSync(`${dir}/upper`, 0o755);
  if (trees.length === 0) mkdirSync(`${dir}/empty`, 0o755); // an image without layers: overlayfs wants a lower one
}

class CidFileConflict extends EngineError {}

function isCidFileConflict(error: unknown): boolean {
  return error instanceof CidFileConflict;
}

function writeCidFile(path: string, id: ContainerId): void {
  let fd: number;
  try {
    fd = openSync(encodeBytes(path), 'wx', 0o644);
  } catch (error) {
    const cause =
      errnoOf(error) === 'EEXIST'
        ? `container ID file found, make sure the other container isn't running or delete ${path}`
        : 'cannot be made';
    throw new CidFileConflict('USAGE', `--cidfile ${JSON.stringify(path)}: ${cause}`, { cause: error });
  }
  try {
    writeSync(fd, id);
  } finally {
    closeSync(fd);
  }
}

/** (pure) */
export function helperPlan(
  { paths }: Pick<RunParts, 'paths'>,
  { options }: RunRequest,
  prepared: PreparedRun,
  made: NewContainer,
): HelperPlan {
  const { spec, ids, network, joined } = prepared;
  const user: UserNamespace =
    joined === undefined || ids.idMap === undefined
      ? ids.user
      : { kind: 'join', path: `/proc/${joined.pid}/ns/user` };
  return planContainer({
    spec,
    user,
    rootfs: rootFsOf(prepared, made.dir),
    network,
    seccomp: prepared.seccomp,
    available: prepared.available,
    pidOf: (id) => pidOfRunning(paths, id),
    isDirectory: prepared.sources.isDirectory,
    isOnHost: existsSync,
    log: spec.host.logDriver === 'json-file' ? `${made.dir}/log` : undefined,
    label: spec.process.args[0] as string,
    lifetime: {
      containerDir: made.dir,
      lockFd: made.lockFd,
      removeOnExit: spec.host.autoRemove,
      removePaths: spec.host.autoRemove ? [`${namesDir(paths)}/${spec.name}`] : [],
      timeoutMs: spec.host.timeoutMs,
      // A --rm container is part of its caller's job; one that stays may be looked at by others.
      dieWithParent: spec.host.autoRemove,
      ...(options.pidfile === undefined ? {} : { pidFile: absolute(options.pidfile) }),
    },
  });
}

function rootFsOf({ spec, trees }: PreparedRun, dir: string): RootTree {
  if (spec.rootfs.kind === 'directory') return { kind: 'bind', path: spec.rootfs.path };
  const lower = trees.length === 0 ? [`${dir}/empty`] : [...trees].reverse();
  return { kind: 'overlay', lower, upper: `${dir}/upper`, work: `${dir}/work` };
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `${process.cwd()}/${path}`;
}
