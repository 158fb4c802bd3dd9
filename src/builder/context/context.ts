// The build context: a directory of the host without what its ignore file names, and what is remembered of its files.

import { readFileSync } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { DirectoryTree } from './directory-tree.ts';
import { hashWith, type ReadAsRoot } from './hash.ts';
import { findInside } from './inside.ts';
import { createMatcher, parseIgnoreFile } from './ignore.ts';
import { selectFiles } from './select.ts';
import { StatCache } from './stat-cache.ts';
import type { CopyRequest, Selection } from './types.ts';

export interface BuildContext {
  readonly path: string;
  /** @throws as selectFiles; IO for files that cannot be read or do not hold still */
  select(request: CopyRequest): Promise<Selection>;
  /** Remembers digests, and lets go of the directory. */
  close(): void;
}

export interface ContextOptions {
  /** Host path of the directory. */
  path: string;
  /** Host path of the Dockerfile; undefined when it comes from elsewhere. */
  dockerfile: string | undefined;
  /** --ignorefile: that and no other. */
  ignoreFile?: string | undefined;
  /** It came from elsewhere: its ignore files may be links and fifos. */
  isForeign?: boolean | undefined;
  /** Where digests are remembered: see StatCache. */
  statFile: string | undefined;
  readAsRoot?: ReadAsRoot | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws USAGE (exit status 1) for a path that is no directory, and for a malformed ignore file */
export function openContext(options: ContextOptions): BuildContext {
  const { path, statFile, readAsRoot, signal } = options;
  const ignoring = readIgnoreFile(options);
  const tree = new DirectoryTree(path, ignoring);
  const cache = statFile === undefined ? undefined : new StatCache(statFile);
  const hash = hashWith(cache, { unreadable: readAsRoot, signal });
  return {
    path,
    select: (request) => selectFiles(tree, request, hash),
    close() {
      tree.close();
      try {
        cache?.save();
      } catch (error) {
        if (errnoOf(error) === undefined) throw error; // a full disk costs the next build some time
      }
    },
  };
}

/** Undefined: there is none. @throws as openContext, for the file */
export function readIgnoreFile(
  options: Pick<ContextOptions, 'path' | 'dockerfile' | 'ignoreFile' | 'isForeign'>,
): ConstructorParameters<typeof DirectoryTree>[1] {
  for (const candidate of ignoreFileCandidates(options)) {
    const path = options.isForeign === true ? ownFile(options.path, candidate) : candidate;
    if (path === undefined) continue;
    const text = textOf(path, options.ignoreFile !== undefined);
    if (text === undefined) continue;
    const fileName = candidate.slice(candidate.lastIndexOf('/') + 1);
    return { matcher: createMatcher(parseIgnoreFile(text, fileName)), fileName };
  }
  return undefined;
}

/** Where a name in a foreign directory leads within it; undefined: to no file. Other paths are the user's. */
function ownFile(directory: string, path: string): string | undefined {
  if (!path.startsWith(`${directory}/`)) return path;
  const found = findInside(directory, path.slice(directory.length + 1));
  return found?.type === 'file' ? found.path : undefined;
}

/** The first that exists counts, alone. docker's before podman's, that of the Dockerfile before that of the context. (pure) */
export function ignoreFileCandidates({
  path,
  dockerfile,
  ignoreFile,
}: Pick<ContextOptions, 'path' | 'dockerfile' | 'ignoreFile'>): string[] {
  if (ignoreFile !== undefined) return [ignoreFile];
  const own = dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`, `${dockerfile}.containerignore`];
  return [...own, `${path}/.dockerignore`, `${path}/.containerignore`];
}

function textOf(path: string, mustExist: boolean): string | undefined {
  try {
    return readFileSync(encodeBytes(path), 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (!mustExist && (errno === 'ENOENT' || errno === 'ENOTDIR')) return undefined;
    throw new EngineError('USAGE', `reading ${JSON.stringify(path)}: ${errno ?? String(error)}`, {
      exitCode: 1,
      cause: error,
    });
  }
}
