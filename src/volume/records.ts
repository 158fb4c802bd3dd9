// Volumes on disk: volumes/<name>/{volume.json, _data/, lock}. A folder with that name is a volume: it is made beside and
// renamed. Anonymous volumes of --rm containers are in containers/<id>/volumes/ instead, so that they go with that folder,
// also when a killed keeper could not remove it. docs/decisions/0012.

import * as fs from 'node:fs';
import { EngineError, errnoOf } from '../core/errors.ts';
import { fsyncDirectory, readFileIfExists, writeFileAtomic } from '../core/fs.ts';
import { isObject } from '../core/json.ts';
import { isVolumeName } from '../core/volume-name.ts';
import { encodeBytes } from '../core/bytes.ts';
import { addon } from '../native/addon.ts';
import { logEvent } from '../store/event-log.ts';
import { ensureStore } from '../store/init.ts';
import { storeIo } from '../store/io.ts';
import { containersDir, ownVolumesDir, volumesDir, type StoreRoot } from '../store/layout.ts';
import type { VolumeOptions } from './options.ts';

/** docker's mark of a volume that nobody gave a name. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

export interface Volume {
  name: string;
  /** Host path of its folder. */
  dir: string;
  /** RFC 3339. */
  createdAt: string;
  labels: Readonly<Record<string, string>>;
  options: VolumeOptions;
}

export interface NewVolume {
  name: string;
  labels: Record<string, string>;
  options: VolumeOptions;
}

/** What is in it. For a volume with a device of its own the folder stays empty. */
export function dataDir({ dir }: Pick<Volume, 'dir'>): string {
  return `${dir}/_data`;
}

export function isAnonymous({ labels }: Pick<Volume, 'labels'>): boolean {
  return Object.hasOwn(labels, ANONYMOUS_LABEL);
}

export function randomVolumeName(): string {
  return Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(32)).buffer).toString('hex');
}

/** @throws USAGE in docker's words */
export function checkVolumeName(name: string): string {
  if (isVolumeName(name)) return name;
  const cause =
    name.length === 1
      ? 'volume name is too short, names should be at least two alphanumeric characters'
      : name.length > 255
        ? 'volume name is too long, names have at most 255 characters'
        : `${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`;
  throw new EngineError('USAGE', `create ${name}: ${cause}`, { exitCode: 1 });
}

let counter = 0;

/**
 * Makes a volume, atomically. One that is there already is left as it is and returned, as docker does; `made` tells.
 * @param owner id of the --rm container it goes with; it needs not survive a power cut then
 * @throws IO, NO_SPACE
 */
export function createVolume(
  root: StoreRoot,
  { name, labels, options }: NewVolume,
  owner?: string,
): { volume: Volume; made: boolean } {
  const there = findVolume(root, name);
  if (there !== undefined) return { volume: there, made: false };
  if (owner === undefined) ensureStore(root);
  const parent = owner === undefined ? volumesDir(root) : ownVolumesDir(root, owner);
  const createdAt = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const dir = `${parent}/${name}`;
  const made = storeIo('making the volume', dir, () => {
    fs.mkdirSync(parent, { recursive: true, mode: 0o755 });
    // By its number a sweep sees whether its maker still lives; see store/io.ts, isDeadTemp.
    const temp = `${parent}/.${name.slice(0, 200)}.${process.pid}.${(counter += 1)}.tmp`;
    try {
      fs.mkdirSync(temp, 0o755);
      fs.mkdirSync(`${temp}/_data`, 0o755);
      fs.chmodSync(`${temp}/_data`, 0o755); // whatever our umask
      fs.closeSync(fs.openSync(`${temp}/lock`, 'wx', 0o600));
      writeVolume(temp, { createdAt, labels, options }, owner === undefined);
      const renamed = addon().renameNoReplace(encodeBytes(temp), encodeBytes(dir));
      if (renamed && owner === undefined) fsyncDirectory(parent);
      return renamed;
    } finally {
      fs.rmSync(temp, { recursive: true, force: true });
    }
  });
  if (made) {
    logVolumeEvent(root, name, 'create');
    return { volume: { name, dir, createdAt, labels, options }, made };
  }
  return { volume: readVolume(parent, name) ?? { name, dir, createdAt, labels, options }, made };
}

export function logVolumeEvent(root: StoreRoot, name: string, action: 'create' | 'destroy'): void {
  logEvent(root, { type: 'volume', id: name, attributes: { driver: 'local' } }, action);
}

function writeVolume(dir: string, note: Omit<Volume, 'name' | 'dir'>, durable: boolean): void {
  const text = `${JSON.stringify({ schemaVersion: 1, driver: 'local', ...note })}\n`;
  if (durable) writeFileAtomic(`${dir}/volume.json`, text);
  else fs.writeFileSync(`${dir}/volume.json`, text);
}

/** Writes volume.json again from what is known. */
export function restoreNote({ dir, createdAt, labels, options }: Volume): void {
  storeIo('writing', `${dir}/volume.json`, () => writeVolume(dir, { createdAt, labels, options }, true));
}

/** undefined: no such volume. */
export function findVolume(root: StoreRoot, name: string): Volume | undefined {
  if (!isVolumeName(name)) return undefined;
  const shared = readVolume(volumesDir(root), name);
  if (shared !== undefined || !/^[0-9a-f]{64}$/.test(name)) return shared;
  for (const id of namesIn(containersDir(root))) {
    const own = readVolume(ownVolumesDir(root, id), name);
    if (own !== undefined) return own;
  }
  return undefined;
}

/** @throws VOLUME_NOT_FOUND (exit status 1), in docker's words */
export function getVolume(root: StoreRoot, name: string): Volume {
  const volume = findVolume(root, name);
  if (volume !== undefined) return volume;
  throw new EngineError('VOLUME_NOT_FOUND', `get ${name}: no such volume`, {
    hint: '"skiff volume ls" lists them',
    exitCode: 1,
  });
}

/** Sorted by name. */
export function listVolumes(root: StoreRoot): Volume[] {
  const parents = [volumesDir(root), ...namesIn(containersDir(root)).map((id) => ownVolumesDir(root, id))];
  const volumes = parents.flatMap((parent) =>
    namesIn(parent)
      .filter(isVolumeName)
      .flatMap((name) => readVolume(parent, name) ?? []),
  );
  return volumes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A volume whose volume.json is lost is still a volume: its data counts. `system check` tells. */
function readVolume(parent: string, name: string): Volume | undefined {
  const dir = `${parent}/${name}`;
  const stat = fs.lstatSync(dir, { throwIfNoEntry: false });
  // A link is a volume that was taken over by another container: volumes/ has it.
  if (stat?.isDirectory() !== true) return undefined;
  const note = readNote(dir);
  return {
    name,
    dir,
    createdAt: typeof note?.['createdAt'] === 'string' ? note['createdAt'] : stat.mtime.toISOString(),
    labels: texts(note?.['labels']),
    options: texts(note?.['options']),
  };
}

/** volume.json; undefined when it is missing or torn. */
export function readNote(dir: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(readFileIfExists(`${dir}/volume.json`) ?? '');
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function texts(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function namesIn(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return [];
    return storeIo('reading', dir, () => {
      throw error;
    });
  }
}
