// ADD of a URL: the file as BuildKit makes it, readable by root alone, with the time that the server gives. It goes into a
// directory of its own, from which it is copied like any other.

import { createHash } from 'node:crypto';
import { closeSync, futimesSync, openSync, rmSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { writeAll } from '../../core/fs.ts';
import { encodeBytes } from '../../core/bytes.ts';
import { fetchUrl } from '../../registry/fetch-url.ts';
import { redactUrl } from '../../registry/redact.ts';
import type { RegistryParts } from '../../registry/types.ts';

export interface FetchedFile {
  url: URL;
  /** Of the new file in `directory`. */
  name: string;
  /** --checksum: `sha256:…`, or another algorithm that OCI knows. */
  checksum: string | undefined;
}

/** @throws NETWORK_FAILED, OFFLINE, REGISTRY for a status other than 200; DIGEST_MISMATCH, USAGE, NO_SPACE, IO */
export async function fetchFile(
  parts: RegistryParts,
  { url, name, checksum }: FetchedFile,
  directory: string,
): Promise<void> {
  const doing = `fetching ${JSON.stringify(redactUrl(url))}`;
  if (url.username !== '')
    throw new EngineError('USAGE', `${doing}: a name and password in a URL are not supported`, {
      exitCode: 1,
    });
  const wanted = checksum === undefined ? undefined : parseChecksum(checksum);
  const path = encodeBytes(`${directory}/${name}`);
  const hash = wanted === undefined ? undefined : createHash(wanted.algorithm);
  let modified: number | undefined;
  const fd = openSync(path, 'wx', 0o600);
  try {
    const body = fetchUrl(parts, url, doing, ({ 'last-modified': time }) => (modified = timeOf(time)));
    for await (const chunk of body) {
      hash?.update(chunk);
      writeAll(fd, chunk);
    }
    const found = hash?.digest('hex');
    if (wanted !== undefined && found !== wanted.hex)
      throw new EngineError(
        'DIGEST_MISMATCH',
        `${doing}: expected ${checksum ?? ''}, got ${wanted.algorithm}:${found ?? ''}`,
        { exitCode: 1, hint: 'the file has changed there, or --checksum is that of another one' },
      );
    const seconds = modified ?? 0;
    futimesSync(fd, seconds, seconds);
  } catch (error) {
    rmSync(path, { force: true });
    const errno = errnoOf(error);
    if (errno === undefined || error instanceof EngineError) throw error;
    throw new EngineError(errno === 'ENOSPC' ? 'NO_SPACE' : 'IO', `${doing}: ${errno}`, { cause: error });
  } finally {
    closeSync(fd);
  }
}

const DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** @throws USAGE (exit status 1) */
export function parseChecksum(text: string): { algorithm: string; hex: string } {
  const [, algorithm = '', hex = ''] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(text) ?? [];
  if (hex !== '' && DIGITS[algorithm] === hex.length) return { algorithm, hex };
  throw new EngineError('USAGE', `--checksum=${text}: expected sha256: and 64 hexadecimal digits`, {
    exitCode: 1,
  });
}

/** Seconds; undefined when it is no date. */
function timeOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.floor(ms / 1000));
}
