// The child's side of unpack.ts.

import type { Readable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import { addon } from '../../native/addon.ts';
import { completeHere } from './complete.ts';
import { decodeComplete, decodeRequest, encodeFailure, encodeReply } from './messages.ts';
import { unpackHere, type UnpackedHere } from './unpack-here.ts';

/** Never throws: errors are part of the reply. */
export async function serveUnpack(
  requestText: string,
  input: Readable,
): Promise<{ reply: string; status: number }> {
  try {
    const request = decodeRequest(requestText);
    if (!addon().dieWithParent(request.parent))
      throw new EngineError('CANCELLED', 'unpacking a layer: nobody waits for it');
    if (request.kind === 'unpack')
      return { reply: encodeReply(await unpackHere(input, request.diffId, request.dest)), status: 0 };
    const parts: Buffer[] = [];
    for await (const part of input) parts.push(part as Buffer);
    completeHere(decodeComplete(Buffer.concat(parts).toString()));
    return { reply: encodeReply(NOTHING), status: 0 };
  } catch (error) {
    return { reply: encodeFailure(error), status: 125 };
  }
}

const NOTHING: UnpackedHere = {
  diffId: '' as UnpackedHere['diffId'],
  sizeBytes: 0,
  entries: 0,
  unlisted: [],
  notes: [],
};
