// The child's side of export and cp: the hidden command `__files`, root of the container's user namespace (or, for the
// host's end of a copy, simply the caller).

import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import { decompressed } from '../../image/layer/decompress.ts';
import { relative } from '../../image/layer/stubs.ts';
import type { TarEntry } from '../../image/layer/entry.ts';
import { Packer, type Packed } from '../../image/layer/pack.ts';
import { TarReader } from '../../image/layer/tar.ts';
import { TarWriter } from '../../image/layer/tar-writer.ts';
import { addon } from '../../native/addon.ts';
import * as at from '../../native/at.ts';
import { serveInside } from '../../native/inside.ts';
import { toContainerId } from '../../runtime/mapped-ids.ts';
import { startTicksOf } from '../state.ts';
import { Placer, type PlaceRules } from './place.ts';
import type {
  CopiedIn,
  CopyInRequest,
  CopyOutRequest,
  ExportRequest,
  FilesRequest,
  RootPlace,
} from './requests.ts';
import { notFound, resolveInRoot, wrongKind } from './resolve.ts';
import { targetOf } from './target.ts';

export interface FilesStreams {
  input: Readable;
  /** Puts all of a chunk on stdout. */
  write: (chunk: Uint8Array) => void;
}

/** Returns the exit status. */
export async function serveFiles(text: string, streams: FilesStreams): Promise<number> {
  return await serveInside(text, async (request) => {
    const asked = request as FilesRequest;
    const root = openRootOf(asked.root);
    try {
      switch (asked.kind) {
        case 'export':
          return exportRoot(root, asked, streams);
        case 'copy-out':
          return copyOut(root, asked, streams);
        case 'copy-in':
          return await copyIn(root, asked, streams);
      }
    } finally {
      closeSync(root);
    }
  });
}

function openRootOf(place: RootPlace): number {
  if ('path' in place) return at.openRoot(place.path);
  const fd = at.openRoot(`/proc/${place.pid}/root`);
  // Looked at after the opening: a pid that was given to another process has another start time.
  if (startTicksOf(place.pid) === place.startTicks) return fd;
  closeSync(fd);
  throw new EngineError('CONTAINER_STATE', 'the container has just ended', { exitCode: 1 });
}

function exportRoot(root: number, { volumes }: ExportRequest, { write }: FilesStreams): Packed {
  const closed = new Set(volumes.map(relative));
  const packer = new Packer(new TarWriter(write), { isClosed: (path) => closed.has(path) });
  packer.directory(root, '');
  return packer.finish();
}

/** A socket or a missing file at the top is an error; below, sockets are passed over as in layers. */
function copyOut(root: number, { path, followLink, as }: CopyOutRequest, { write }: FilesStreams): Packed {
  const found = resolveInRoot(root, path, { follow: followLink });
  try {
    if (found.stat === undefined) throw notFound(path);
    if (found.stat.isSocket()) throw wrongKind(path, 'a socket cannot be copied');
    const packer = new Packer(new TarWriter(write));
    if (as === '') {
      const dir = at.openDirAt(found.dirFd, found.name);
      try {
        packer.directory(dir, '');
      } finally {
        closeSync(dir);
      }
    } else packer.file(found.dirFd, found.name, as);
    return packer.finish();
  } finally {
    found.close();
  }
}

async function copyIn(root: number, request: CopyInRequest, { input }: FilesStreams): Promise<CopiedIn> {
  const found = resolveInRoot(root, request.path, { follow: true });
  try {
    const { stat, name } = found;
    const is = stat === undefined ? 'missing' : stat.isDirectory() ? 'dir' : 'other';
    const target = targetOf(request.source, { path: request.path, name, is });
    const dir = at.openDirAt(found.dirFd, target.inside ? name : '.');
    const tree = new (addon().Tree)(dir, true);
    try {
      const placer = new Placer(tree, {
        target: target.map,
        owner: ownerRule(request),
        isXattrWanted: (xattr) => xattr.startsWith('user.') || xattr === 'security.capability',
        devices: true,
      });
      const reader = new TarReader(placer);
      for await (const chunk of decompressed(input)) reader.push(chunk);
      reader.end();
      return { bytes: placer.bytes, notes: placer.finish() };
    } finally {
      tree.close();
      closeSync(dir);
    }
  } finally {
    found.close();
  }
}

function ownerRule({ owner }: CopyInRequest): PlaceRules['owner'] {
  if (owner === 'root') return () => ({ uid: 0, gid: 0, kept: false });
  if (owner === 'archive')
    return ({ containerUid, containerGid }: TarEntry) => ({
      uid: containerUid,
      gid: containerGid,
      kept: true,
    });
  const { idMap } = owner;
  return ({ containerUid: hostUid, containerGid: hostGid }: TarEntry) => {
    const uid = idMap === undefined ? hostUid : toContainerId(idMap.uid, hostUid);
    const gid = idMap === undefined ? hostGid : toContainerId(idMap.gid, hostGid);
    return { uid: uid ?? 0, gid: gid ?? 0, kept: uid !== undefined && gid !== undefined };
  };
}
