// `commit`: what a container changed becomes a layer, and the way it was run the configuration of a new image.

import { platformOf } from '../store/images.ts';
import { addingBlobs } from '../image/adding.ts';
import type { Digest } from '../core/digest.ts';
import type { ImageConfigSection } from '../oci/image.ts';
import { changeConfig } from '../image/config-changes.ts';
import { isFrozen } from '../cgroup/freezer.ts';
import { startLayerDiff, type UpperDirectory } from '../image/layer/diff.ts';
import { readBase, storeNewImage, type NewImageParts } from '../image/new-image.ts';
import { storeLayerTar, type NewLayer } from '../image/new-layer.ts';
import { displayReference } from '../image/names.ts';
import { referenceToGive } from '../image/tag.ts';
import { DEFAULT_PATH } from './configure/environment.ts';
import { logContainerEvent } from './events.ts';
import { holdContainer } from './files/hold.ts';
import { upperOf } from './files/layers.ts';
import { holdPaused } from './hold-paused.ts';
import { freezable } from './pause.ts';
import { findContainer } from './records.ts';
import type { IdMap } from '../native/plan.ts';
import type { ContainerSpec, ImageOfContainer } from '../runtime/spec.ts';

export interface CommitOptions {
  /** REPO[:TAG] */
  name: string | undefined;
  author: string | undefined;
  message: string | undefined;
  changes: readonly string[];
  /** Stop its processes meanwhile. */
  pause: boolean;
}

/** Returns the new image's id. @throws CONTAINER_NOT_FOUND, CONTAINER_STATE, REFERENCE_INVALID, USAGE, NO_SPACE, IO … */
export async function commitContainer(
  parts: NewImageParts,
  reference: string,
  options: CommitOptions,
): Promise<Digest> {
  const { paths, signal } = parts;
  const spec = findContainer(paths, reference);
  const doing = `committing container ${JSON.stringify(spec.name)}`;
  const upper = upperOf(paths, spec, 'committing');
  const image = spec.image as ImageOfContainer; // upperOf refuses what has none
  const name = options.name === undefined ? undefined : referenceToGive(options.name);
  const base = readBase(paths, image.manifestDigest, `image "${image.name}"`);
  const config = changeConfig(configOfContainer(spec, base.config.config ?? {}), options.changes);
  const held = holdContainer(paths, spec, doing);
  try {
    return await addingBlobs(paths, signal, async (added) => {
      const pack = (): Promise<NewLayer> => storeUpper(parts, upper, spec.idMap, doing);
      const pause = held.pid !== undefined && options.pause;
      const layer = pause ? await whilePaused(parts, spec, doing, pack) : await pack();
      const created = new Date().toISOString();
      const { imageId } = await storeNewImage(parts, {
        doing,
        references: name === undefined ? [] : [name],
        base,
        layers: [layer],
        added,
        platform: platformOf(base.config),
        config,
        author: options.author,
        created,
        history: [
          {
            created,
            created_by: spec.process.args.join(' '),
            ...(options.author === undefined ? {} : { author: options.author }),
            ...(options.message === undefined ? {} : { comment: options.message }),
          },
        ],
        idMap: spec.idMap,
      });
      logContainerEvent(paths, spec, 'commit', {
        comment: options.message ?? '',
        imageID: imageId,
        imageRef: name === undefined ? '' : displayReference(name),
      });
      return imageId;
    });
  } finally {
    held.release();
  }
}

async function storeUpper(
  { paths, log, signal }: NewImageParts,
  upper: UpperDirectory,
  idMap: IdMap | undefined,
  doing: string,
): Promise<NewLayer> {
  const diff = startLayerDiff(upper, idMap, doing);
  const complete = async (): Promise<void> => {
    for (const note of (await diff.done).notes) log.warn(note);
  };
  try {
    return await storeLayerTar(paths, diff.tar, { signal, complete });
  } finally {
    diff.cancel();
  }
}

/** One that is paused already stays so. */
async function whilePaused<T>(
  { paths, log, signal }: NewImageParts,
  spec: ContainerSpec,
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  const group = freezable(paths, spec);
  if (group === undefined) {
    log.warn(
      `${doing}: its processes go on meanwhile, since they cannot be paused here; --pause=false says that is fine`,
    );
    return await work();
  }
  if (isFrozen(group) === true) return await work();
  const resume = await holdPaused(group, doing, signal);
  logContainerEvent(paths, spec, 'pause');
  try {
    return await work();
  } finally {
    await resume();
    logContainerEvent(paths, spec, 'unpause');
  }
}

/** docker's `Config` of the container, without what is only true while it runs. (pure) */
export function configOfContainer(spec: ContainerSpec, image: ImageConfigSection): ImageConfigSection {
  const { config } = spec;
  // --userns keep-id runs as the caller; the image's user is another matter.
  const user = spec.host.usernsMode.startsWith('keep-id') ? (image.User ?? '') : config.user;
  return {
    ...image,
    User: user,
    ...(config.exposedPorts.length === 0 ? {} : { ExposedPorts: keysOf(config.exposedPorts) }),
    Env: envOf(spec, image.Env ?? []),
    Entrypoint: config.entrypoint,
    Cmd: config.cmd,
    ...(config.volumes.length === 0 ? {} : { Volumes: keysOf(config.volumes) }),
    WorkingDir: config.workingDir,
    Labels: config.labels,
    ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
    ...(config.healthcheck === undefined ? {} : { Healthcheck: config.healthcheck }),
  };
}

function keysOf(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

const PROXIES = /^(?:https?|ftp|no|all)_proxy$/i;

/** Without the variables that every container gets anew (container/configure/environment.ts). */
function envOf({ process, config }: ContainerSpec, image: readonly string[]): string[] {
  const inImage = new Set(image.map(keyOf));
  const ownValues = new Set([`HOSTNAME=${config.hostname}`, 'TERM=xterm', `PATH=${DEFAULT_PATH}`]);
  return process.env.filter((entry) => {
    const key = keyOf(entry);
    return inImage.has(key) || !(ownValues.has(entry) || key === 'HOME' || PROXIES.test(key));
  });
}

function keyOf(entry: string): string {
  return entry.split('=', 1)[0] as string;
}
