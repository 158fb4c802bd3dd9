// The tar in a file that somebody gives us, whatever it is compressed by: `import`, ADD, and contexts on stdin.

import { Readable } from 'node:stream';
import { EngineError, errnoOf } from '../core/errors.ts';
import { runInUserNamespace } from '../native/launch.ts';
import { decompressed, detectAny, readStart, type ForeignCompression } from './layer/decompress.ts';
import { BLOCK } from './layer/header.ts';

/** Compressed as images may be, or by what the host has a program for. */
export async function* tarOf(input: AsyncIterable<Uint8Array>, doing: string): AsyncGenerator<Uint8Array> {
  const { start, rest } = await readStart(input, BLOCK);
  if (start.length === 0) throw new EngineError('LAYER_INVALID', `${doing}: it is empty`);
  const whole = Readable.from(again(start, rest), { objectMode: false });
  // What is shorter than a block is no tar, whatever it begins with.
  const found = detectAny(Buffer.concat([start, Buffer.alloc(BLOCK)]));
  if (found === 'xz' || found === 'bzip2') yield* throughProgram(whole, found, doing);
  else yield* decompressed(whole);
}

async function* again(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* throughProgram(
  input: Readable,
  program: ForeignCompression,
  doing: string,
): AsyncGenerator<Uint8Array> {
  const child = runInUserNamespace({
    idMap: undefined,
    argv: [program, '-dc'],
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin?.on('error', () => {}); // its status tells
  input.on('error', () => child.kill('SIGKILL'));
  if (child.stdin !== null) input.pipe(child.stdin);
  try {
    if (child.stdout !== null) yield* child.stdout as AsyncIterable<Buffer>;
    const { status } = await child.result;
    if (status !== 0)
      throw new EngineError('LAYER_INVALID', `${doing}: ${program} ended with status ${status}`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new EngineError(
      'HOST_MISSING',
      `${doing}: it is compressed by ${program}, which is not installed here`,
      {
        hint: `install ${program}, or decompress the file first`,
        cause: error,
      },
    );
  } finally {
    child.kill('SIGKILL');
  }
}
