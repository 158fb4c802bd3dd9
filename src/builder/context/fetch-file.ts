// ADD of a URL: the file as BuildKit makes it, readable by root alone, with the time that the server gives. It goes into a
// directory of its own, from which it is copied like any other.

import { createHash } from 'node:crypto';
import { closeSync, futimesSync, openSync, rmSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { writeAll } from '../../core/fs.ts';
import { encodeBytes } from '../../core/bytes.ts';
import { fetchUrl, type Validators } from '../../registry/fetch-url.ts';
import { redactUrl } from '../../registry/redact.ts';
import type { RegistryParts } from '../../registry/types.ts';

export interface FetchedFile {
  url: URL;
  /** Of the new file in `directory`. */
  name: string;
  /** --checksum: `sha256:…`, or another algorithm that OCI knows. */
  checksum: string | undefined;
  /** What was said of the version that is known. */
  known: Validators | undefined;
}

/** @returns undefined: the version that is known is still the current one, and no file is there. @throws NETWORK_FAILED, OFFLINE, REGISTRY for a status other than 200; DIGEST_MISMATCH, USAGE, NO_SPACE, IO */
export async function fetchFile(
  parts: RegistryParts,
  { url, name, checksum, known }: FetchedFile,
  directory: string,
): Promise<Validators | undefined> {
  const doing = `fetching ${JSON.stringify(redactUrl(url))}`;
  if (url.username !== '')
    throw new EngineError('USAGE', `${doing}: a name and password in a URL are not supported`, {
      exitCode: 1,
    });
  const wanted = checksum === undefined ? undefined : parseChecksum(checksum);
  const path = encodeBytes(`${directory}/${name}`);
  const hash = wanted === undefined ? undefined : createHash(wanted.algorithm);
  const answer: { validators: Validators; isUnchanged: boolean } = { validators: {}, isUnchanged: false };
  const fd = openSync(path, 'wx', 0o600);
  try {
    const body = fetchUrl(parts, url, doing, {
      onHeaders: ({ etag, 'last-modified': lastModified }) => {
        answer.validators = {
          ...(etag === undefined ? {} : { etag }),
          ...(lastModified === undefined ? {} : { lastModified }),
        };
      },
      ...(known === undefined
        ? {}
        : { known: { validators: known, onUnchanged: () => (answer.isUnchanged = true) } }),
    });
    for await (const chunk of body) {
      hash?.update(chunk);
      writeAll(fd, chunk);
    }
    if (answer.isUnchanged) {
      rmSync(path);
      return undefined;
    }
    const found = hash?.digest('hex');
    if (wanted !== undefined && found !== wanted.hex)
      throw new EngineError(
        'DIGEST_MISMATCH',
        `${doing}: expected ${checksum ?? ''}, got ${wanted.algorithm}:${found ?? ''}`,
        { exitCode: 1, hint: 'the file has changed there, or --checksum is that of another one' },
      );
    const seconds = timeOf(answer.validators.lastModified) ?? 0;
    futimesSync(fd, seconds, seconds);
    return answer.validators;
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
