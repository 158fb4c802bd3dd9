// `cp`: files between a container, running or not, and the host. Both ends speak tar. The container's end is a child that
// is root of its user namespace: in a running one it works beneath the root directory that the init sees, mounts included;
// the layers and bind mounts of another are mounted for it alone. The host's end has the caller's rights and no more.

import { closeSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { encodeBytes } from '../../core/bytes.ts';
import { EngineError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Paths } from '../../core/paths.ts';
import type { EntrySink, TarEntry } from '../../image/layer/entry.ts';
import type { Packed } from '../../image/layer/pack.ts';
import { TarReader } from '../../image/layer/tar.ts';
import { addon, type Tree } from '../../native/addon.ts';
import * as at from '../../native/at.ts';
import { startInside, type Inside, type InsideOptions } from '../../native/inside.ts';
import type { SetupOp } from '../../native/plan.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';
import { containerDir } from '../../store/layout.ts';
import { logContainerEvent } from '../events.ts';
import { findContainer } from '../records.ts';
import { readPid } from '../state.ts';
import type { ContainerEnd, CopyEnd, HostEnd } from './copy-end.ts';
import { holdContainer, lockFiles } from './hold.ts';
import { hostDestination, hostSource, specifiesContent } from './host-path.ts';
import { byteString, rootFsOf } from './layers.ts';
import { Placer } from './place.ts';
import {
  SOURCE_NAME,
  type CopiedIn,
  type CopyInRequest,
  type CopyOutRequest,
  type CopySource,
  type RootPlace,
} from './requests.ts';
import { targetOf } from './target.ts';

export interface CopyParts {
  paths: Paths;
  log: Log;
  signal: AbortSignal;
  hostUid: number;
  hostGid: number;
}

export interface CopyOptions {
  /** Keep owners, as far as the other side has them. */
  archive: boolean;
  /** Copy what a link at the end of the source points to. */
  followLink: boolean;
}

/**
 * Returns the bytes of content that were copied, undefined when they went to a stream.
 * @throws USAGE, CONTAINER_NOT_FOUND, CONTAINER_STATE, PATH_NOT_FOUND, PATH_INVALID (all exit status 1), NO_SPACE, IO
 */
export async function copyFiles(
  parts: CopyParts,
  from: CopyEnd,
  to: CopyEnd,
  options: CopyOptions,
): Promise<number | undefined> {
  if (from.kind === 'container' && to.kind === 'container')
    throw usage('copying between containers is not supported');
  if (from.kind === 'container') return await copyFrom(parts, from, to as HostEnd, options);
  if (to.kind === 'container') return await copyTo(parts, from, to, options);
  throw usage('must specify at least one container source');
}

async function copyFrom(
  parts: CopyParts,
  from: ContainerEnd,
  to: HostEnd,
  options: CopyOptions,
): Promise<number | undefined> {
  const name = posix.basename(posix.normalize(`/${from.path}`));
  const content = specifiesContent(from.path) || name === '';
  if (to.kind === 'host') hostDestination(to.path); // its mistakes come first, as docker tells them
  return await withContainer(parts, from, 'archive-path', async (start) => {
    const request: Omit<CopyOutRequest, 'root'> = {
      kind: 'copy-out',
      path: byteString(from.path),
      followLink: options.followLink,
      as: to.kind === 'host' ? SOURCE_NAME : content ? '' : byteString(name),
    };
    const child = start(request, to.kind === 'host' ? { stdout: 'pipe' } : { stdout: 1 });
    if (to.kind === 'stream') {
      tell(parts.log, ((await child.reply) as Packed).notes);
      return undefined;
    }
    const arrival = new Arrival((first) => {
      const source: CopySource = {
        kind: first.type !== 'dir' ? 'file' : content ? 'content' : 'dir',
        name: byteString(name),
      };
      return placeOnHost(parts, source, to.path, options);
    });
    try {
      await receive(child, arrival);
      tell(parts.log, [...((await child.reply) as Packed).notes, ...arrival.finish()]);
      return arrival.bytes;
    } finally {
      arrival.close();
    }
  });
}

/** What the child says when it fails explains why its archive is cut off; what fails here ends the child. */
async function receive(child: Inside, sink: EntrySink): Promise<void> {
  const reader = new TarReader(sink);
  try {
    for await (const chunk of child.stdout as Readable) reader.push(chunk as Buffer);
  } catch (error) {
    child.kill();
    throw error;
  }
  await child.reply;
  reader.end();
}

interface Opened {
  placer: Placer;
  tree: Tree;
  fd: number;
}

function placeOnHost(
  { hostUid, hostGid }: CopyParts,
  source: CopySource,
  path: string,
  { archive }: CopyOptions,
): Opened {
  const destination = hostDestination(path);
  const target = targetOf(source, destination);
  const fd = at.openRoot(encodeBytes(destination.directory));
  const tree = new (addon().Tree)(fd, true);
  // Only root may give files away.
  const keep = archive && hostUid === 0;
  const placer = new Placer(tree, {
    target: target.map,
    owner: ({ containerUid, containerGid }) =>
      keep
        ? { uid: containerUid, gid: containerGid, kept: true }
        : { uid: hostUid, gid: hostGid, kept: false },
    isXattrWanted: (xattr) => xattr.startsWith('user.') || (keep && xattr === 'security.capability'),
    devices: keep,
  });
  return { placer, tree, fd };
}

/** Opens the destination when it is known what comes. */
class Arrival implements EntrySink {
  readonly #open: (first: TarEntry) => Opened;
  #opened: Opened | undefined;

  constructor(open: (first: TarEntry) => Opened) {
    this.#open = open;
  }

  get bytes(): number {
    return this.#opened?.placer.bytes ?? 0;
  }

  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void {
    this.#placer(entry).wholeFile(entry, chunk, offset);
  }

  beginFile(entry: TarEntry): void {
    this.#placer(entry).beginFile(entry);
  }

  data(chunk: Uint8Array, offset: number, length: number, position: number): void {
    this.#opened?.placer.data(chunk, offset, length, position);
  }

  endFile(): void {
    this.#opened?.placer.endFile();
  }

  other(entry: TarEntry): void {
    this.#placer(entry).other(entry);
  }

  finish(): string[] {
    return this.#opened?.placer.finish() ?? [];
  }

  close(): void {
    if (this.#opened === undefined) return;
    this.#opened.tree.close();
    closeSync(this.#opened.fd);
  }

  #placer(first: TarEntry): Placer {
    return (this.#opened ??= this.#open(first)).placer;
  }
}

async function copyTo(
  parts: CopyParts,
  from: HostEnd,
  to: ContainerEnd,
  { archive, followLink }: CopyOptions,
): Promise<number> {
  const source = from.kind === 'host' ? hostSource(from.path, followLink) : undefined;
  return await withContainer(parts, to, 'extract-to-dir', async (start, spec) => {
    const request: Omit<CopyInRequest, 'root'> = {
      kind: 'copy-in',
      path: byteString(to.path),
      source: source?.source ?? { kind: 'stream' },
      owner: source === undefined ? 'archive' : archive ? { idMap: spec.idMap } : 'root',
    };
    const placing = start(request, { stdin: source === undefined ? 0 : 'pipe', stdout: 'ignore' });
    if (source !== undefined) {
      const packing = startInside({
        doing: `copying ${JSON.stringify((from as { path: string }).path)}`,
        command: '__files',
        request: {
          kind: 'copy-out',
          root: { path: source.directory },
          path: byteString(source.name),
          followLink: false,
          as: SOURCE_NAME,
        } satisfies CopyOutRequest,
        idMap: undefined,
      });
      tell(parts.log, await connect(packing, placing, parts.signal));
    }
    const { bytes, notes } = (await placing.reply) as CopiedIn;
    tell(parts.log, notes);
    return bytes;
  });
}

/** Lets one child's output be the other's input, and ends both when one fails. Returns the first one's notes. */
async function connect(packing: Inside, placing: Inside, signal: AbortSignal): Promise<string[]> {
  const failed = new Promise<never>((_resolve, reject) => {
    placing.reply.catch(reject);
  });
  failed.catch(() => {});
  const stop = (): void => packing.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    (packing.stdout as Readable).pipe(placing.stdin as Writable, { end: false });
    const { notes } = (await Promise.race([packing.reply, failed])) as Packed;
    // Only now: what fails half-way must not look like a whole archive.
    placing.stdin?.end();
    return notes;
  } catch (error) {
    placing.kill();
    throw error;
  } finally {
    packing.kill();
    signal.removeEventListener('abort', stop);
  }
}

type StartChild = (
  request: Omit<CopyInRequest, 'root'> | Omit<CopyOutRequest, 'root'>,
  streams: Pick<InsideOptions, 'stdin' | 'stdout'>,
) => Inside;

async function withContainer<T>(
  { paths, signal }: CopyParts,
  { reference, path }: ContainerEnd,
  action: 'archive-path' | 'extract-to-dir',
  work: (start: StartChild, spec: ContainerSpec) => Promise<T>,
): Promise<T> {
  const spec = findContainer(paths, reference);
  const doing = `copying files of container ${JSON.stringify(spec.name)}`;
  const held = holdContainer(paths, spec, doing);
  const children: Inside[] = [];
  const stop = (): void => children.forEach((child) => child.kill());
  signal.addEventListener('abort', stop, { once: true });
  try {
    const unlock = held.pid === undefined ? await lockFiles(paths, spec, 'exclusive', signal) : undefined;
    try {
      const dir = containerDir(paths, spec.id);
      const { place, options } =
        held.pid === undefined ? mounted(paths, spec, dir) : running(spec, dir, doing);
      const start: StartChild = (request, streams) => {
        const child = startInside({
          doing,
          command: '__files',
          request: { ...request, root: place },
          ...options,
          ...streams,
        });
        children.push(child);
        return child;
      };
      const result = await work(start, spec);
      logContainerEvent(paths, spec, action);
      return result;
    } finally {
      unlock?.();
    }
  } catch (error) {
    if (signal.aborted) throw new EngineError('CANCELLED', `${doing}: cancelled`);
    if (!(error instanceof EngineError) || error.code !== 'PATH_NOT_FOUND' || children.length === 0)
      throw error;
    throw new EngineError('PATH_NOT_FOUND', `could not find the file ${path} in container ${reference}`, {
      exitCode: 1,
    });
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
    held.release();
  }
}

interface Inner {
  place: RootPlace;
  options: Pick<InsideOptions, 'idMap' | 'joined' | 'root'>;
}

function running({ idMap }: ContainerSpec, dir: string, doing: string): Inner {
  const init = readPid(dir);
  if (init === undefined)
    throw new EngineError('CONTAINER_STATE', `${doing}: the container has just ended`, { exitCode: 1 });
  const { pid, startTicks } = init;
  return { place: { pid, startTicks }, options: { idMap, joined: `/proc/${pid}/ns/user` } };
}

function mounted(paths: Paths, spec: ContainerSpec, dir: string): Inner {
  const root = {
    rootfs: rootFsOf(paths, spec, { writable: true }),
    containerDir: dir,
    setup: bindMounts(spec),
  };
  return { place: { path: `${dir}/root` }, options: { idMap: spec.idMap, root } };
}

/** What a start would bind there, as far as the host still has it, and the read-only root. */
function bindMounts({ host }: ContainerSpec): SetupOp[] {
  const ops = host.mounts.flatMap((mount): Extract<SetupOp, { op: 'bind' }>[] => {
    const stat =
      mount.type === 'bind' ? statSync(encodeBytes(mount.source), { throwIfNoEntry: false }) : undefined;
    if (mount.type !== 'bind' || stat === undefined) return [];
    const { source, target, recursive, flags } = mount;
    const create = stat.isDirectory() ? 'dir' : 'file';
    return [{ op: 'bind', source, target, recursive, flags, propagation: 'rprivate', create }];
  });
  ops.sort((a, b) => a.target.split('/').length - b.target.split('/').length);
  return host.readOnlyRootfs ? [...ops, { op: 'remount-root-readonly' }] : ops;
}

function tell(log: Log, notes: readonly string[]): void {
  for (const note of notes) log.warn(note);
}

function usage(message: string): EngineError {
  return new EngineError('USAGE', message, { exitCode: 1 });
}
