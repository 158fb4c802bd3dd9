// The child's side of diff.ts, changes.ts, built-layer.ts and squash.ts: the hidden command `__layer`.

import { serveInside } from '../../native/inside.ts';
import { makeBuiltLayer, type BuiltLayerRequest } from './built-layer.ts';
import { findChanges, formatChange } from './changes.ts';
import { packLayer, type UpperDirectory } from './diff.ts';
import { makeSquashed, type SquashRequest } from './squash.ts';

export interface LayerRequest {
  kind: 'diff' | 'changes';
  source: UpperDirectory;
}

/** `write` puts all of a chunk on stdout. Returns the exit status. */
export async function serveLayer(text: string, write: (chunk: Uint8Array) => void): Promise<number> {
  return await serveInside(text, async (request) => {
    const asked = request as LayerRequest | BuiltLayerRequest | SquashRequest;
    if (asked.kind === 'squash') return makeSquashed(asked, write);
    if (asked.kind === 'built') return makeBuiltLayer(asked, write);
    if (asked.kind === 'diff') return packLayer(asked.source, write);
    findChanges(asked.source, (change) => write(formatChange(change)));
    return null;
  });
}
