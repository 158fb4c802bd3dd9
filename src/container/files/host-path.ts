// The host's end of a copy, by the host's rules: links on the way are followed as everywhere else.

import { lstatSync, readlinkSync, realpathSync, statSync, type Stats } from 'node:fs';
import { posix } from 'node:path';
import { decodeBytes, encodeBytes } from '../../core/bytes.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { byteString } from './layers.ts';
import type { CopySource } from './requests.ts';
import { assertsDirectory, wrongKind } from './resolve.ts';
import type { Destination } from './target.ts';

/** As docker: enough for every link that is meant. */
const MAX_LINKS = 10;

export interface HostSource {
  /** Host path of the directory that holds it, and its name there; "." for "/". */
  directory: string;
  name: string;
  source: CopySource;
}

/** @throws PATH_NOT_FOUND, PATH_INVALID, IO */
export function hostSource(path: string, followLink: boolean): HostSource {
  const bytes = byteString(path);
  const follow = followLink || assertsDirectory(bytes);
  const stat = look(path, follow);
  if (stat === undefined)
    throw new EngineError('PATH_NOT_FOUND', `${JSON.stringify(path)}: no such file or directory`, {
      exitCode: 1,
    });
  if (!stat.isDirectory() && assertsDirectory(bytes)) throw wrongKind(bytes, 'not a directory');
  if (stat.isSocket()) throw wrongKind(bytes, 'a socket cannot be copied');
  const absolute = posix.resolve(path);
  const real = follow
    ? realPath(absolute)
    : posix.join(realPath(posix.dirname(absolute)), posix.basename(absolute));
  const kind = !stat.isDirectory() ? 'file' : specifiesContent(path) ? 'content' : 'dir';
  return {
    directory: posix.dirname(real),
    name: real === '/' ? '.' : posix.basename(real),
    // A link that is followed keeps its own name.
    source: { kind, name: byteString(posix.basename(absolute)) },
  };
}

/** What a copy goes to, and the directory that it is in or is. @throws PATH_INVALID when that does not exist */
export function hostDestination(path: string): Destination & { directory: string } {
  let at = posix.resolve(path);
  for (let links = 0; links < MAX_LINKS && look(at, false)?.isSymbolicLink() === true; links++)
    at = posix.resolve(posix.dirname(at), decodeBytes(readlinkSync(encodeBytes(at), { encoding: 'buffer' })));
  const stat = look(at, true);
  const typed = byteString(path);
  if (stat?.isDirectory() === true) return { path: typed, name: '.', is: 'dir', directory: at };
  const directory = posix.dirname(at);
  if (look(directory, true)?.isDirectory() !== true)
    throw wrongKind(typed, `invalid output path: directory ${JSON.stringify(directory)} does not exist`);
  if (stat !== undefined && assertsDirectory(typed)) throw wrongKind(typed, 'not a directory');
  return {
    path: typed,
    name: byteString(posix.basename(at)),
    is: stat === undefined ? 'missing' : 'other',
    directory,
  };
}

/** "dir/." and "." mean what is in it. */
export function specifiesContent(path: string): boolean {
  return path === '/' || path === '.' || path.endsWith('/.');
}

function look(path: string, follow: boolean): Stats | undefined {
  try {
    return (follow ? statSync : lstatSync)(encodeBytes(path));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new EngineError('IO', `${JSON.stringify(path)}: ${errno ?? 'cannot be looked at'}`, {
      cause: error,
      exitCode: 1,
    });
  }
}

function realPath(path: string): string {
  return decodeBytes(realpathSync(encodeBytes(path), { encoding: 'buffer' }));
}
