// Unpacks one layer in this very process, which is root of whatever user namespace it is in: the work of the hidden
// command `__unpack`, and of unit tests.

import { createHash } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { addon } from '../../native/addon.ts';
import { LayerApplier } from './apply.ts';
import { decompressed } from './decompress.ts';
import type { ByteString } from './entry.ts';
import { SpaceGuard } from './space.ts';
import { TarReader } from './tar.ts';

export interface UnpackedHere {
  diffId: Digest;
  /** Content of files, holes included. */
  sizeBytes: number;
  entries: number;
  /** Directories that the layer uses but does not list, parents first; "" is the root. See finish.ts. */
  unlisted: ByteString[];
  /** What could not be honoured: sentences for the user. */
  notes: string[];
}

/**
 * @param input compressed or plain layer bytes
 * @param diffId what the tar's digest must be; undefined: whatever it is
 * @param dest an empty directory, filled; left half-full on error
 * @throws LAYER_INVALID, LAYER_PATH_ESCAPE, DIGEST_MISMATCH, NO_SPACE, IO
 */
export async function unpackHere(
  input: Readable,
  diffId: Digest | undefined,
  dest: string,
): Promise<UnpackedHere> {
  const native = addon();
  const root = openSync(dest, constants.O_RDONLY | constants.O_DIRECTORY);
  const tree = new native.Tree(root);
  try {
    tree.prepare();
    const applier = new LayerApplier(tree, new SpaceGuard(() => native.fstatfs(root)));
    const reader = new TarReader(applier);
    const hash = createHash('sha256');
    for await (const chunk of decompressed(input)) {
      hash.update(chunk);
      reader.push(chunk);
    }
    reader.end();
    const found = digestFromHex(hash.digest('hex'));
    if (diffId !== undefined && found !== diffId) {
      throw new EngineError('DIGEST_MISMATCH', `unpacking layer ${diffId}: its tar has digest ${found}`);
    }
    const unlisted = applier.finish();
    return {
      diffId: found,
      sizeBytes: applier.sizeBytes,
      entries: reader.entries,
      unlisted,
      notes: applier.notes.lines(),
    };
  } finally {
    tree.close();
    closeSync(root);
  }
}
