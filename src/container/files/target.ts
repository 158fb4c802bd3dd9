// docker's rules for where a copy goes (pure; docker-cp(1), "DESCRIPTION"), the same in a container and on the host.

import { EngineError } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { joinPath } from '../../image/layer/path.ts';
import { SOURCE_NAME, type CopySource } from './requests.ts';
import { assertsDirectory } from './resolve.ts';

export interface Destination {
  /** As typed. */
  path: ByteString;
  /** Its last name, where it is no directory. */
  name: ByteString;
  is: 'dir' | 'other' | 'missing';
}

/** Where the entries go, relative to the destination if that is a directory, else to the directory that holds it. */
export interface CopyTarget {
  inside: boolean;
  /** From a name of the archive; '' is the directory itself. */
  map: (path: ByteString) => ByteString;
}

/** @throws PATH_INVALID in docker's words, with exit status 1 */
export function targetOf(source: CopySource, destination: Destination): CopyTarget {
  const { path, name, is } = destination;
  if (source.kind === 'stream') {
    if (is === 'dir') return { inside: true, map: (entry) => entry };
    throw refused(`destination ${showPath(path)} must be a directory`);
  }
  if (is === 'dir') return { inside: true, map: renaming(source.kind === 'content' ? '' : source.name) };
  if (is === 'other' && source.kind !== 'file')
    throw refused(`${showPath(path)}: cannot copy directory to a file`);
  if (is === 'missing' && source.kind === 'file' && assertsDirectory(path))
    throw refused(`${showPath(path)}: no such directory`);
  return { inside: false, map: renaming(name) };
}

function renaming(name: ByteString): (path: ByteString) => ByteString {
  return (path) => {
    const rest = path.slice(SOURCE_NAME.length + 1);
    return rest === '' ? name : joinPath(name, rest);
  };
}

function refused(message: string): EngineError {
  return new EngineError('PATH_INVALID', message, { exitCode: 1 });
}
