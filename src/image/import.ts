// `import`: the tar of a file system becomes an image of one layer. The tar is unpacked by the rules for hostile layers
// before the image exists.

import * as fs from 'node:fs';
import type { Readable } from 'node:stream';
import type { Config } from '../core/config.ts';
import type { Digest } from '../core/digest.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import type { IdMap } from '../native/plan.ts';
import { fetchUrl } from '../registry/fetch-url.ts';
import { redactUrl } from '../registry/redact.ts';
import type { Platform } from '../oci/image.ts';
import { ensureStore } from '../store/init.ts';
import { addingBlobs } from './adding.ts';
import { changeConfig } from './config-changes.ts';
import { logImageEvent } from './log-event.ts';
import { storeNewImage } from './new-image.ts';
import { storeLayerTar } from './new-layer.ts';
import { referenceToGive } from './tag.ts';
import { tarOf } from './tar-of.ts';

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
      references: reference === undefined ? [] : [reference],
      base: undefined,
      layers: [layer],
      added,
      platform: options.platform,
      config,
      author: undefined,
      created,
      history: [{ created, comment: options.message ?? `Imported from ${from}` }],
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
