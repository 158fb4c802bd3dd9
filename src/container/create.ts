// `create`, and what `run` has in common with it: containers/<id>/ with its name, its directories and config.json.
// Everything that can fail for the user's reasons has been judged before the first thing is made.

import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import type { StoreRoot } from '../store/layout.ts';
import { lookAtSources, makeMissing, type BindSources } from './configure/bind-sources.ts';
import { logContainerEvent } from './events.ts';
import type { CreateOptions } from './configure/options.ts';
import { randomName } from './names.ts';
import { checkHost } from './place.ts';
import {
  checkEarly,
  checkHealthFlags,
  decideSpec,
  type CreateRequest,
  type RunParts,
} from './configure/prepare.ts';
import { claimName, dropName, makeContainerDir, writeSpec, type NewContainer } from './records.ts';
import { replaceHolder } from './replace.ts';
import type { AttachedVolumes } from './volumes.ts';

const ATTEMPTS = 3;

export interface MadeContainer extends NewContainer {
  volumes: AttachedVolumes | undefined;
}

/** A container that waits for its `start`. @throws everything that goes wrong; nothing is left behind then */
export async function createContainer(parts: RunParts, request: CreateRequest): Promise<ContainerId> {
  checkEarly(request);
  await checkHealthFlags(request);
  return await again(() => attempt(parts, request));
}

async function attempt(parts: RunParts, request: CreateRequest): Promise<ContainerId> {
  const { spec, trees, notes } = await decideSpec(parts, request);
  for (const note of notes) parts.log.warn(note);
  await checkHost(parts, spec);
  const sources = lookAtSources(spec.host.mounts);
  const made = await makeContainer(parts, spec, request.options, { trees, sources });
  // Else a --rm container that does not run is taken for a leftover of one that did.
  if (spec.host.autoRemove) writeFileSync(`${made.dir}/created`, '', { mode: 0o600 });
  logContainerEvent(parts.paths, spec, 'create');
  closeSync(made.lockFd);
  return spec.id;
}

/**
 * Makes the container's folder, takes its lock and name, and writes config.json and --cidfile; before that the missing
 * directories of binds, and its volumes. On an error nothing is left. @throws NAME_IN_USE, USAGE, IO, NO_SPACE
 */
export async function makeContainer(
  parts: RunParts,
  spec: ContainerSpec,
  options: Pick<CreateOptions, 'replace' | 'cidfile'>,
  { trees, sources }: { trees: readonly string[]; sources: BindSources },
): Promise<MadeContainer> {
  const root = parts.paths;
  const made: MadeContainer = { ...makeContainerDir(root, spec.id), volumes: undefined };
  let hasCidFile = false;
  try {
    await takeName(root, spec, options.replace === true);
    makeRootDirs(made, spec);
    makeMissing(sources);
    made.volumes = await volumesOf(parts, spec);
    writeSpec(made.dir, spec);
    checkTrees(spec, trees);
    made.volumes?.release();
    if (options.cidfile !== undefined) writeCidFile(options.cidfile, spec.id);
    hasCidFile = options.cidfile !== undefined;
    await made.volumes?.fill(trees);
    return made;
  } catch (error) {
    if (hasCidFile) rmSync(options.cidfile as string, { force: true });
    await unmakeContainer(root, spec, made);
    throw error;
  }
}

class TreeGone extends EngineError {}

/** An `rmi` that did not see our config.json yet may just have taken the trees away: store/gc.ts, "retireUnused". */
function checkTrees({ rootfs, name }: ContainerSpec, trees: readonly string[]): void {
  if (rootfs.kind !== 'layers' || trees.every((tree) => existsSync(tree))) return;
  throw new TreeGone(
    'IMAGE_NOT_FOUND',
    `starting container ${JSON.stringify(name)}: its image was removed meanwhile`,
  );
}

/** Starts over when the image was removed meanwhile: it is pulled again then, or not found. */
export async function again<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TreeGone) || left <= 1) throw error;
    }
  }
}

/** Most containers have none, and then nothing of them is loaded. */
async function volumesOf(parts: RunParts, spec: ContainerSpec): Promise<AttachedVolumes | undefined> {
  if (!spec.host.mounts.some(({ type }) => type === 'volume')) return undefined;
  const { attachVolumes } = await import('./volumes.ts');
  return await attachVolumes(parts, spec);
}

/** Takes away what makeContainer has made, but for --cidfile. */
export async function unmakeContainer(
  root: StoreRoot,
  spec: ContainerSpec,
  made: MadeContainer,
): Promise<void> {
  dropName(root, spec.name, spec.id);
  await made.volumes?.discard();
  rmSync(made.dir, { recursive: true, force: true });
  closeSync(made.lockFd);
}

/** --name, or two random words nobody has yet. @throws NAME_IN_USE in docker's words */
async function takeName(root: StoreRoot, spec: ContainerSpec, replace: boolean): Promise<void> {
  if (spec.name === '') {
    for (let attempt = 0; ; attempt++) {
      spec.name = randomName(attempt);
      if (claimName(root, spec.name, spec.id)) return;
    }
  }
  while (!claimName(root, spec.name, spec.id)) await replaceHolder(root, spec.name, replace);
}

/** The helper gives `upper` the owner and mode of the image's root directory, which "/" then shows. */
function makeRootDirs({ dir }: NewContainer, { rootfs }: ContainerSpec): void {
  if (rootfs.kind !== 'layers') return;
  mkdirSync(`${dir}/work`, 0o700);
  mkdirSync(`${dir}/upper`, 0o755);
  if (rootfs.chainIds.length === 0) mkdirSync(`${dir}/empty`, 0o755); // overlayfs wants a lower directory
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
    throw new EngineError('USAGE', `--cidfile ${JSON.stringify(path)}: ${cause}`, { cause: error });
  }
  try {
    writeSync(fd, id);
  } finally {
    closeSync(fd);
  }
}
