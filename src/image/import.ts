// `import`: the tar of a file system becomes an image of one layer. The tar is unpacked by the rules for hostile layers
// before the image exists.

import * as fs from 'node:fs';
import { Readable } from 'node:stream';
import type { Config } from '../core/config.ts';
import type { Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import { runInUserNamespace } from '../native/launch.ts';
import type { IdMap } from '../native/plan.ts';
import { fetchUrl } from '../registry/fetch-url.ts';
import { redactUrl } from '../registry/redact.ts';
import type { Platform } from '../spec/image.ts';
import { ensureStore } from '../store/init.ts';
import { addingBlobs } from './adding.ts';
import { changeConfig } from './config-changes.ts';
import { BLOCK } from './layer/header.ts';
import { decompressed, detectAny, readStart, type ForeignCompression } from './layer/decompress.ts';
import { logImageEvent } from './log-event.ts';
import { storeNewImage } from './new-image.ts';
import { storeLayerTar } from './new-layer.ts';
import { referenceToGive } from './tag.ts';

export interface ImportParts {
  paths: Paths;
  config: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  signal: AbortSignal;
}

export interface ImportOptions {
  /** REPO[:TAG] */
  name: string | undefined;
  message: string | undefined;
  changes: readonly string[];
  platform: Platform;
  idMap: IdMap | undefined;
}

/** A file, a URL, or a stream with how it was named. */
export type ImportSource = { path: string } | { url: URL } | { stream: Readable };

/** The id of the new image. @throws LAYER_*, USAGE, REFERENCE_INVALID, NETWORK_FAILED, OFFLINE, HOST_MISSING, NO_SPACE, IO */
export async function importImage(
  parts: ImportParts,
  source: ImportSource,
  options: ImportOptions,
): Promise<Digest> {
  const { paths, signal } = parts;
  const from = 'path' in source ? source.path : 'url' in source ? redactUrl(source.url) : '-';
  const doing = `importing ${JSON.stringify(from)}`;
  const reference = options.name === undefined ? undefined : referenceToGive(options.name);
  const config = changeConfig({}, options.changes);
  const input = open(parts, source, doing);
  ensureStore(paths);
  return await addingBlobs(paths, signal, async (added) => {
    const layer = await storeLayerTar(paths, tarOf(input, doing), { signal });
    const created = new Date().toISOString();
    const image = await storeNewImage(parts, {
      doing,
      reference,
      base: undefined,
      layer,
      added,
      platform: options.platform,
      config,
      author: undefined,
      created,
      history: { created, comment: options.message ?? `Imported from ${from}` },
      idMap: options.idMap,
    });
    logImageEvent(paths, image, 'import');
    return image.imageId;
  });
}

function open(parts: ImportParts, source: ImportSource, doing: string): AsyncIterable<Uint8Array> {
  if ('stream' in source) return source.stream;
  if ('url' in source) {
    if (source.url.username !== '')
      throw new EngineError('USAGE', `${doing}: a name and password in a URL are not supported`);
    const { env, log, signal } = parts;
    return fetchUrl({ config: parts.config(), env, log, signal }, source.url, doing);
  }
  try {
    const fd = fs.openSync(source.path, 'r');
    if (!fs.fstatSync(fd).isDirectory()) return fs.createReadStream('', { fd, highWaterMark: 1 << 20 });
    fs.closeSync(fd);
  } catch (cause) {
    const errno = errnoOf(cause);
    throw new EngineError('IO', `${doing}: ${errno === 'ENOENT' ? 'no such file' : (errno ?? 'failed')}`, {
      cause,
    });
  }
  throw new EngineError('IO', `${doing}: it is a directory`, {
    hint: `tar -c -C ${source.path} . | skiff import -`,
  });
}

/** Compressed as images may be, or by what the host has a program for. */
async function* tarOf(input: AsyncIterable<Uint8Array>, doing: string): AsyncGenerator<Uint8Array> {
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
