// The child's side of export and cp: the hidden command `__files`, root of the container's user namespace.

import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { Packer, type Packed } from '../../image/layer/pack.ts';
import { relative } from '../../image/layer/diff.ts';
import { TarWriter } from '../../image/layer/tar-writer.ts';
import * as at from '../../native/at.ts';
import { serveInside } from '../../native/inside.ts';
import type { ExportRequest, FilesRequest, RootPlace } from './requests.ts';

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
      return exportRoot(root, asked, streams);
    } finally {
      closeSync(root);
    }
  });
}

function openRootOf(place: RootPlace): number {
  return at.openRoot('path' in place ? place.path : `/proc/${place.pid}/root`);
}

function exportRoot(root: number, { volumes }: ExportRequest, { write }: FilesStreams): Packed {
  const closed = new Set(volumes.map(relative));
  const packer = new Packer(new TarWriter(write), { isClosed: (path) => closed.has(path) });
  packer.directory(root, '');
  return packer.finish();
}
