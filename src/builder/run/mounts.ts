// RUN --mount → operations of the helper's plan, and what has to be held while the step runs.

import { EngineError } from '../../core/errors.ts';
import type { IdMap, SetupOp } from '../../native/plan.ts';
import { toHostId } from '../../runtime/mapped-ids.ts';
import type { StoreRoot } from '../../store/layout.ts';
import type { LockOptions } from '../../store/lock.ts';
import { holdCache, type InitCache } from '../cache-mounts.ts';
import type { SecretMount, SshMount } from '../dockerfile/ast.ts';
import type { RunMount } from '../graph.ts';
import type { RunSettings } from '../options.ts';
import { readSecret } from '../secrets.ts';

export interface MountWorld {
  paths: StoreRoot;
  env: Readonly<Record<string, string | undefined>>;
  idMap: IdMap | undefined;
  settings: Pick<RunSettings, 'secrets' | 'ssh'>;
  lock: LockOptions;
  /** A directory of the host with what a bind shows; `writable`: a copy nobody else sees. */
  bindSource(mount: RunMount): Promise<{ path: string; isDirectory: boolean }>;
  /** Makes the directory `name` with the cache's owner and mode, and what `from` has. */
  initCache(folder: string, name: string, mount: RunMount): Promise<void>;
}

export interface HeldMounts {
  ops: SetupOp[];
  /** Variables of secrets and of the agent. */
  env: string[];
  release(): void;
}

/** @throws what the sources are missing: USAGE, PATH_NOT_FOUND */
export async function holdMounts(world: MountWorld, mounts: readonly RunMount[]): Promise<HeldMounts> {
  const held: HeldMounts = { ops: [], env: [], release: () => releases.splice(0).forEach((each) => each()) };
  const releases: (() => void)[] = [];
  try {
    for (const [i, each] of mounts.entries()) {
      const { mount } = each;
      switch (mount.type) {
        case 'tmpfs':
          held.ops.push({ op: 'tmpfs', target: mount.target, flags: {}, data: tmpfsData(mount.sizeBytes) });
          break;
        case 'secret':
          addSecret(held, world, mount);
          break;
        case 'ssh':
          addSsh(held, world, mount, i);
          break;
        case 'cache': {
          const init: InitCache = (folder, name) => world.initCache(folder, name, each);
          const cache = await holdCache(world.paths, mount, world.idMap, init, world.lock);
          releases.push(() => cache.release());
          held.ops.push(bind(cache.dir, mount.target, mount.readOnly, true));
          break;
        }
        case 'bind': {
          const { path, isDirectory } = await world.bindSource(each);
          held.ops.push(bind(path, mount.target, mount.readOnly, isDirectory));
        }
      }
    }
    return held;
  } catch (error) {
    held.release();
    throw error;
  }
}

function bind(source: string, target: string, readOnly: boolean, isDirectory: boolean): SetupOp {
  return {
    op: 'bind',
    source,
    target,
    recursive: false,
    flags: readOnly ? { readOnly: true } : {},
    propagation: 'rprivate',
    create: isDirectory ? 'dir' : 'file',
  };
}

function tmpfsData(sizeBytes: number | undefined): string {
  return sizeBytes === undefined ? 'mode=1777' : `mode=1777,size=${sizeBytes}`;
}

function addSecret(held: HeldMounts, { settings, env, idMap }: MountWorld, mount: SecretMount): void {
  const { id, target, required, mode, uid, gid } = mount;
  const source = settings.secrets.get(id);
  if (source === undefined) {
    if (!required) return;
    throw new EngineError('USAGE', `secret ${id}: not found`, {
      exitCode: 1,
      hint: `pass it with --secret id=${id},src=FILE or --secret id=${id},env=VARIABLE`,
    });
  }
  const content = readSecret(id, source, env);
  if (mount.env !== undefined) held.env.push(`${mount.env}=${content}`);
  if (target === undefined) return;
  checkOwner(`secret ${id}`, idMap, uid, gid);
  held.ops.push({ op: 'file', target, content, mode, readOnly: false, uid, gid });
}

function addSsh(held: HeldMounts, { settings }: MountWorld, mount: SshMount, index: number): void {
  const { id, required } = mount;
  const socket = settings.ssh.get(id);
  if (socket === undefined) {
    if (!required) return;
    throw new EngineError('USAGE', `ssh agent ${JSON.stringify(id)}: not found`, {
      exitCode: 1,
      hint: `pass it with --ssh ${id}`,
    });
  }
  const target = mount.target ?? `/run/buildkit/ssh_agent.${index}`;
  held.ops.push(bind(socket, target, false, false));
  held.env.push(`SSH_AUTH_SOCK=${target}`);
}

function checkOwner(what: string, idMap: IdMap | undefined, uid: number, gid: number): void {
  if (idMap === undefined) return;
  if (toHostId(idMap.uid, uid) !== undefined && toHostId(idMap.gid, gid) !== undefined) return;
  throw new EngineError('USAGE', `${what}: owner ${uid}:${gid} has no id on the host`, {
    exitCode: 1,
    hint: 'add a larger range to /etc/subuid and /etc/subgid ("skiff doctor" tells how)',
  });
}
