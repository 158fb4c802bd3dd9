// The volumes of a container that is being made: those that are missing are made, anonymous ones get their names, empty
// ones the image's content. Loaded only when a container has volumes. docs/decisions/0012 says why it is done so.

import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import type { Readable } from 'node:stream';
import { decodeBytes, encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf, type ErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import { findMergedDir, listMerged } from '../image/layer/merged.ts';
import { addon } from '../native/addon.ts';
import { runInUserNamespace } from '../native/launch.ts';
import type { IdMap } from '../native/plan.ts';
import { selfCommand } from '../native/self.ts';
import type { VolumeMount, VolumeSource } from '../runtime/mount-spec.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { storeIo } from '../store/io.ts';
import {
  containersDir,
  mapDir,
  namesDir,
  ownVolumesDir,
  volumesDir,
  type StoreRoot,
} from '../store/layout.ts';
import { removeForeignTree, trash } from '../store/layers.ts';
import type { Lock } from '../store/lock.ts';
import { dropPart, fillStateOf } from '../volume/fill.ts';
import { holdVolume } from '../volume/hold.ts';
import { volumeKind } from '../volume/options.ts';
import {
  ANONYMOUS_LABEL,
  createVolume,
  dataDir,
  findVolume,
  logVolumeEvent,
  randomVolumeName,
  type Volume,
} from '../volume/records.ts';
import type { FillRequest } from './copy-up.ts';

export interface VolumeParts {
  paths: Paths;
  log: Log;
  readonly signal: AbortSignal;
}

/** Volumes of one container between its beginning and its start. */
export interface AttachedVolumes {
  /** Call when config.json is written, which from then on says that they are in use. */
  release(): void;
  /**
   * Gives empty volumes what the image has there. Waits while another container fills the same.
   * @param trees of the image, bottom first
   * @throws NO_SPACE, IO, CANCELLED; nothing half-filled is left
   */
  fill(trees: readonly string[]): Promise<void>;
  /** The container does not come to be: takes anonymous volumes away that were made for it. Named ones stay, as in docker. */
  discard(): Promise<void>;
}

/**
 * Finds or makes each volume of `spec` and notes in its mounts where it is; no volume can be removed until `release`.
 * @throws USAGE for options that cannot be honoured, VOLUME_NOT_FOUND for one of --volumes-from that is gone, NO_SPACE, IO
 */
export async function attachVolumes(parts: VolumeParts, spec: ContainerSpec): Promise<AttachedVolumes> {
  const mounts = spec.host.mounts.filter((mount) => mount.type === 'volume');
  const attached = new Attachment(parts, spec);
  try {
    for (const mount of mounts) await attached.attach(mount);
  } catch (error) {
    await attached.discard();
    throw error;
  }
  return attached;
}

class Attachment implements AttachedVolumes {
  readonly #parts: VolumeParts;
  readonly #spec: ContainerSpec;
  readonly #held: Lock[] = [];
  /** Anonymous ones made here. */
  readonly #made: Volume[] = [];
  readonly #toFill: { mount: VolumeMount; volume: Volume }[] = [];

  constructor(parts: VolumeParts, spec: ContainerSpec) {
    this.#parts = parts;
    this.#spec = spec;
  }

  async attach(mount: VolumeMount): Promise<void> {
    // Two rounds are enough unless somebody makes and removes it all the time.
    for (let attempt = 0; attempt < 100; attempt++) {
      const volume = this.#findOrMake(mount);
      if (volume === undefined) continue;
      const source = sourceOf(volume); // before anything waits: it may be refused
      const held = await holdVolume(volume, 'shared', () => this.#waiting(volume.name));
      if (held === undefined) continue; // removed since
      this.#held.push(held);
      mount.name = volume.name;
      mount.source = source;
      if (source.kind === 'directory' && source.path === dataDir(volume))
        this.#toFill.push({ mount, volume });
      return;
    }
    throw new EngineError(
      'STORE_BUSY',
      `volume ${JSON.stringify(mount.name)}: it is removed again and again`,
    );
  }

  /** undefined: it is being renamed right now. */
  #findOrMake(mount: VolumeMount): Volume | undefined {
    const { paths, log } = this.#parts;
    // Filled in already: it is another container's (--volumes-from), and not ours to make.
    if (mount.source !== undefined) return this.#borrow(mount);
    const { name, make = { options: {}, labels: {} } } = mount;
    if (name === undefined) {
      const wanted = { ...make, labels: { ...make.labels, [ANONYMOUS_LABEL]: '' }, name: randomVolumeName() };
      volumeKind(`of ${mount.target}`, make.options);
      const owner = this.#spec.host.autoRemove ? this.#spec.id : undefined;
      const { volume } = createVolume(paths, wanted, owner);
      this.#made.push(volume);
      return volume;
    }
    volumeKind(name, make.options);
    const { volume, made } = createVolume(paths, { name, ...make });
    if (!made && !sameOptions(volume.options, make.options) && Object.keys(make.options).length > 0)
      log.warn(`volume ${JSON.stringify(name)} exists already and keeps its own options`);
    return volume;
  }

  #borrow({ name = '' }: VolumeMount): Volume | undefined {
    const { paths } = this.#parts;
    const volume = findVolume(paths, name);
    if (volume === undefined) {
      throw new EngineError('VOLUME_NOT_FOUND', `--volumes-from: get ${name}: no such volume`, {
        hint: 'the container it belonged to has just been removed',
      });
    }
    return volume.dir === `${volumesDir(paths)}/${name}` ? volume : takeOver(paths, volume);
  }

  #waiting(name: string) {
    const { log, signal } = this.#parts;
    return {
      signal,
      onWait: () => log.debug(`waiting for volume ${name}, which another container fills`),
    };
  }

  release(): void {
    for (const held of this.#held.splice(0)) held.release();
  }

  async fill(trees: readonly string[]): Promise<void> {
    for (const { mount, volume } of this.#toFill) await this.#fillOne(mount, volume, trees);
  }

  async #fillOne(mount: VolumeMount, volume: Volume, trees: readonly string[]): Promise<void> {
    const { idMap, mapKey, rootfs } = this.#spec;
    // A directory given with --rootfs is no image: it may change while it is read.
    const copies = !mount.noCopy && rootfs.kind === 'layers';
    const before = fillStateOf(volume);
    if (before === 'used' || (before === 'empty' && !copies)) return;
    const held = await holdVolume(volume, 'exclusive', () => this.#waiting(volume.name));
    if (held === undefined) throw new EngineError('IO', `volume ${JSON.stringify(volume.name)}: it vanished`);
    try {
      await dropPart(volume, idMap);
      const state = fillStateOf(volume);
      if (state === 'used') return;
      if (state === 'empty' && (!copies || this.#isPlain(volume, trees, mount.target))) return;
      const request: FillRequest = {
        parent: process.pid,
        name: volume.name,
        dir: volume.dir,
        copy: copies
          ? {
              treesDir: mapDir(this.#parts.paths, mapKey),
              chains: trees.map((tree) => tree.slice(tree.lastIndexOf('/') + 1)),
              target: mount.target,
            }
          : undefined,
        sync: !this.#made.includes(volume) || !this.#spec.host.autoRemove,
      };
      await fillInChild(request, idMap, held.fd, this.#parts.signal).catch(async (error: unknown) => {
        await dropPart(volume, idMap);
        throw error;
      });
    } finally {
      held.release();
    }
  }

  /**
   * Most volumes need no copy: the image has nothing there, or an empty directory of the container's root, which we can
   * imitate as we are. Done then. False also when we may not look: a child can.
   */
  #isPlain(volume: Volume, trees: readonly string[], target: string): boolean {
    try {
      const source = findMergedDir(trees, target);
      if (source === undefined) return true;
      const { uid, gid, mode, mtimeMs } = source.stat;
      const own = statSync(dataDir(volume));
      if (Number(uid) !== own.uid || Number(gid) !== own.gid || own.uid !== process.geteuid?.()) return false;
      if (addon().llistxattr(source.host).length > 0 || listMerged(source).size > 0) return false;
      chmodSync(dataDir(volume), Number(mode) & 0o7777);
      utimesSync(dataDir(volume), Date.now() / 1000, Number(mtimeMs) / 1000);
      return true;
    } catch (error) {
      if (['EACCES', 'EPERM'].includes(errnoOf(error) ?? '')) return false;
      throw error;
    }
  }

  async discard(): Promise<void> {
    this.release();
    const { paths } = this.#parts;
    for (const volume of this.#made) {
      if (volume.dir.startsWith(`${volumesDir(paths)}/`)) await trash(volume.dir, this.#spec.idMap);
    }
    for (const { name } of this.#made) logVolumeEvent(paths, name, 'destroy');
    const own = ownVolumesDir(paths, this.#spec.id);
    if (existsSync(own)) await removeForeignTree(own, this.#spec.idMap);
  }
}

/** @throws USAGE when its options cannot be honoured, or its directory is not there */
function sourceOf(volume: Volume): VolumeSource {
  const kind = volumeKind(volume.name, volume.options);
  if (kind.kind === 'own') return { kind: 'directory', path: dataDir(volume), recursive: false, flags: {} };
  if (kind.kind === 'tmpfs') return kind;
  const { device, recursive, flags } = kind;
  if (statSync(encodeBytes(device), { throwIfNoEntry: false })?.isDirectory() === true)
    return { kind: 'directory', path: device, recursive, flags };
  throw new EngineError(
    'USAGE',
    `volume ${JSON.stringify(volume.name)}: failed to mount local volume: ${device}: no such directory`,
    { hint: 'make the directory, or remove the volume and create it with another device' },
  );
}

function sameOptions(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const sorted = (options: typeof a): string => JSON.stringify(Object.entries(options).sort());
  return sorted(a) === sorted(b);
}

/**
 * An anonymous volume that would go with a --rm container gets a place of its own, since another container wants it too.
 * A link stays behind, so that the path the first one knows goes on to work. A keeper that is removing its container takes
 * the names away first: as long as one is there after the rename, nothing in the volume was touched.
 * @returns undefined when it was moved meanwhile
 */
function takeOver(root: StoreRoot, volume: Volume): Volume | undefined {
  const dir = `${volumesDir(root)}/${volume.name}`;
  const owner = volume.dir.slice(`${containersDir(root)}/`.length).split('/')[0] ?? '';
  return storeIo('taking over the volume', volume.dir, () => {
    mkdirSync(volumesDir(root), { recursive: true, mode: 0o755 });
    try {
      if (!addon().renameNoReplace(encodeBytes(volume.dir), encodeBytes(dir))) return undefined;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    if (!hasName(root, owner)) {
      // Not removed here: what is left of it is an anonymous volume that nobody uses.
      throw new EngineError(
        'CONTAINER_NOT_FOUND',
        `--volumes-from ${owner}: no such container: it has just ended`,
        {
          exitCode: 125,
        },
      );
    }
    try {
      symlinkSync(`../../../volumes/${volume.name}`, volume.dir);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error; // it ended since
    }
    return { ...volume, dir };
  });
}

function hasName(root: StoreRoot, id: string): boolean {
  return readdirSync(namesDir(root)).some((name) => {
    const path = `${namesDir(root)}/${name}`;
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(path) === id;
  });
}

/** The child shares the lock's open file, so that the volume is locked as long as either of us is there. */
async function fillInChild(
  request: FillRequest,
  idMap: IdMap | undefined,
  lockFd: number,
  signal: AbortSignal,
): Promise<void> {
  const doing = `filling volume ${JSON.stringify(request.name)}`;
  const child = runInUserNamespace({
    idMap,
    argv: [...selfCommand(doing), '__fill-volume', JSON.stringify(request)],
    stdio: [lockFd, 'pipe', 'inherit'],
  });
  const cancel = (): void => child.kill('SIGKILL');
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const said: Buffer[] = [];
    for await (const part of child.stdout as Readable) said.push(part as Buffer);
    const { status } = await child.result;
    if (signal.aborted) throw new EngineError('CANCELLED', `${doing}: cancelled`);
    if (status !== 0) throw failureOf(decodeBytes(Buffer.concat(said)), doing, status);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function failureOf(text: string, doing: string, status: number): EngineError {
  try {
    const { error } = JSON.parse(text) as { error: { code: ErrorCode; message: string; hint?: string } };
    return new EngineError(error.code, error.message, { hint: error.hint });
  } catch {
    return new EngineError('IO', `${doing}: the child that copies ended with status ${status}`);
  }
}
