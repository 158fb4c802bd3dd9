// A path of a container → a place beneath its root, links followed as the container would, and never out of it. One part at
// a time, each opened beneath the one before without following links, so that a container that swaps a directory for a
// link meanwhile gains nothing. ".." goes back along the way that was walked.

import { closeSync, type BigIntStats } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import * as at from '../../native/at.ts';

/** As path_resolution(7). */
const MAX_LINKS = 40;

export interface ResolvedPath {
  /** The directory that holds it, or the directory itself when `name` is ".". Closed by `close`. */
  dirFd: number;
  name: ByteString;
  /** undefined: nothing is there. */
  stat: BigIntStats | undefined;
  close(): void;
}

/**
 * follow: a link at the end as well; one that a slash comes after always is.
 * @throws PATH_NOT_FOUND when a part on the way is missing, PATH_INVALID when it is no directory
 */
export function resolveInRoot(
  rootFd: number,
  path: ByteString,
  { follow }: { follow: boolean },
): ResolvedPath {
  const walk = new Walk(rootFd);
  try {
    return walk.to(path, follow);
  } catch (error) {
    walk.close();
    const errno = errnoOf(error);
    if (errno === undefined || error instanceof EngineError) throw error;
    // Changed while being walked; or a link of /proc that means nothing outside the container.
    if (errno === 'ENOENT') throw notFound(path);
    if (errno === 'ENOTDIR' || errno === 'ELOOP') throw wrongKind(path, 'not a directory');
    throw new EngineError('IO', `${showPath(path)}: ${errno}`, { cause: error });
  }
}

/** A path that asks for a directory: "a/", "a/.", "." */
export function assertsDirectory(path: ByteString): boolean {
  return path === '' || /(?:^|\/)\.{0,2}$/.test(path);
}

class Walk {
  readonly #fds: number[];

  constructor(rootFd: number) {
    this.#fds = [at.openPlaceAt(rootFd, '.')];
  }

  to(path: ByteString, follow: boolean): ResolvedPath {
    const mustBeDirectory = assertsDirectory(path);
    const todo = partsOf(path);
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '..') {
        this.#up();
        continue;
      }
      const isLast = todo.length === 0;
      const stat = at.statAt(this.#top(), part);
      if (stat?.isSymbolicLink() === true && (!isLast || follow || mustBeDirectory)) {
        if (++links > MAX_LINKS) throw wrongKind(path, 'too many levels of symbolic links');
        const target = at.readlinkAt(this.#top(), part);
        if (target.startsWith('/')) while (this.#fds.length > 1) this.#up();
        todo.push(...partsOf(target));
      } else if (stat?.isDirectory() === true) {
        this.#fds.push(at.openPlaceAt(this.#top(), part));
      } else if (isLast) {
        if (mustBeDirectory && stat !== undefined) throw wrongKind(path, 'not a directory');
        return this.#found(part, stat);
      } else {
        throw stat === undefined ? notFound(path) : wrongKind(path, 'not a directory');
      }
    }
    return this.#found('.', at.statAt(this.#top(), '.'));
  }

  close(): void {
    for (const fd of this.#fds.splice(0)) closeSync(fd);
  }

  #found(name: ByteString, stat: BigIntStats | undefined): ResolvedPath {
    return { dirFd: this.#top(), name, stat, close: () => this.close() };
  }

  #top(): number {
    return this.#fds.at(-1) as number;
  }

  /** The root's parent is the root. */
  #up(): void {
    if (this.#fds.length > 1) closeSync(this.#fds.pop() as number);
  }
}

/** Last one first. */
function partsOf(path: ByteString): ByteString[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reverse();
}

export function notFound(path: ByteString): EngineError {
  return new EngineError('PATH_NOT_FOUND', `${showPath(path)}: no such file or directory`, { exitCode: 1 });
}

/** docker's words for what is there and of no use. */
export function wrongKind(path: ByteString, why: string): EngineError {
  return new EngineError('PATH_INVALID', `${showPath(path)}: ${why}`, { exitCode: 1 });
}
