// What containers need of the store: read from containers/<id>/config.json, which src/container writes. Only the keys that
// say what must not be deleted, so that nothing here depends on the rest of that file.

import * as fs from 'node:fs';
import { isDigest, type Digest } from '../core/digest.ts';
import { errnoOf } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { containerDir, containersDir, type StoreRoot } from './layout.ts';
import { isFree } from './lock.ts';

export interface ContainerUse {
  id: string;
  name: string;
  /** Config digest of the image, undefined for --rootfs. */
  imageId: Digest | undefined;
  manifestDigest: Digest | undefined;
  /** Its lower dirs are layers/<mapKey>/<chain id>. */
  mapKey: string;
  chainIds: Digest[];
  /** Names of the volumes it mounts. */
  volumes: string[];
  /** Its lock is held. */
  running: boolean;
}

/** Every container whose config can be read; one that is half made or half removed uses nothing yet or any more. */
export function listContainerUses(root: StoreRoot): ContainerUse[] {
  let ids: string[];
  try {
    ids = fs.readdirSync(containersDir(root));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  return ids.flatMap((id) => {
    const config = readConfig(`${containerDir(root, id)}/config.json`);
    return config === undefined ? [] : [useOf(root, id, config)];
  });
}

function useOf(root: StoreRoot, id: string, config: JsonObject): ContainerUse {
  const image = isObject(config['image']) ? config['image'] : {};
  const rootfs = isObject(config['rootfs']) ? config['rootfs'] : {};
  const chainIds = Array.isArray(rootfs['chainIds']) ? rootfs['chainIds'] : [];
  return {
    id,
    name: typeof config['name'] === 'string' ? config['name'] : id.slice(0, 12),
    imageId: asDigest(image['id']),
    manifestDigest: asDigest(image['manifestDigest']),
    mapKey: typeof config['mapKey'] === 'string' ? config['mapKey'] : '',
    chainIds: chainIds.filter((value) => asDigest(value) !== undefined) as Digest[],
    volumes: volumesOf(config['host']),
    running: !isFree(`${containerDir(root, id)}/lock`),
  };
}

function volumesOf(host: unknown): string[] {
  const mounts = isObject(host) && Array.isArray(host['mounts']) ? (host['mounts'] as unknown[]) : [];
  return mounts.flatMap((mount) =>
    isObject(mount) && mount['type'] === 'volume' && typeof mount['name'] === 'string' ? [mount['name']] : [],
  );
}

function asDigest(value: unknown): Digest | undefined {
  return typeof value === 'string' && isDigest(value) ? value : undefined;
}

function readConfig(file: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? ''))
      return undefined;
    throw error;
  }
}
