// The root file system that files are copied into. Paths are followed as the container would follow them, links read by us
// and never by the kernel, so that nothing outside of it is ever named. Nobody else uses it meanwhile.

import { EngineError } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { joinPath, parentOf } from '../../image/layer/path.ts';
import type { Tree } from '../../native/addon.ts';

/** As path_resolution(7). */
const MAX_LINKS = 40;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

export type Kind = 'missing' | 'dir' | 'symlink' | 'other';

export class Ground {
  readonly tree: Tree;
  readonly #makeDir: (path: ByteString) => void;
  /** Real directories, seen or made. */
  readonly #known = new Set<ByteString>(['']);

  /** makeDir: makes one that is missing on the way, with its attributes. */
  constructor(tree: Tree, makeDir: (path: ByteString) => void) {
    this.tree = tree;
    this.#makeDir = makeDir;
  }

  kindOf(path: ByteString): Kind {
    if (this.#known.has(path)) return 'dir';
    const mode = this.tree.stat(path)?.[0];
    if (mode === undefined) return 'missing';
    const type = mode & S_IFMT;
    return type === S_IFDIR ? 'dir' : type === S_IFLNK ? 'symlink' : 'other';
  }

  /**
   * Where `path` is, all links followed, one at its end too: a dangling one leads to where its target would be. Missing
   * directories on the way are made. @throws PATH_INVALID
   */
  resolve(path: ByteString): ByteString {
    const todo = partsOf(path);
    let at: ByteString = '';
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '..') {
        at = parentOf(at);
        continue;
      }
      const next = joinPath(at, part);
      const kind = this.kindOf(next);
      if (kind === 'symlink') {
        if (++links > MAX_LINKS) throw refused(path, 'too many levels of symbolic links');
        const target = this.tree.readlink(next);
        if (target.startsWith('/')) at = '';
        todo.push(...partsOf(target));
        continue;
      }
      if (todo.length > 0) {
        if (kind === 'other') throw refused(path, `${showPath(`/${next}`)} is not a directory`);
        if (kind === 'missing') this.#make(next);
      }
      if (kind === 'dir') this.#known.add(next);
      at = next;
    }
    return at;
  }

  /** The directory `path` really is; made if it is missing. @throws PATH_INVALID when something else is there */
  ensureDir(path: ByteString): ByteString {
    const real = this.resolve(path);
    const kind = this.kindOf(real);
    if (kind === 'other') throw refused(path, 'it is not a directory');
    if (kind === 'missing') this.#make(real);
    return real;
  }

  /** Removes whatever is at the real path. */
  remove(path: ByteString): void {
    this.tree.remove(path);
    for (const known of this.#known)
      if (known === path || known.startsWith(`${path}/`)) this.#known.delete(known);
  }

  /** Somebody has just made a directory there. */
  made(path: ByteString): void {
    this.#known.add(path);
  }

  #make(path: ByteString): void {
    this.#makeDir(path);
    this.#known.add(path);
  }
}

/** Last one first. */
function partsOf(path: ByteString): ByteString[] {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reverse();
}

export function refused(path: ByteString, why: string): EngineError {
  const shown = showPath(path.startsWith('/') ? path : `/${path}`);
  return new EngineError('PATH_INVALID', `copying to ${shown}: ${why}`, { exitCode: 1 });
}
