// The directories of the tree that is being filled: which exist, and the attributes they get at the end (their times
// would change with every entry made inside, and a read-only directory would be in the way). Also resolves parents:
// links on the way are followed as if the layer's root were "/", so that nothing outside is ever named.

import { EngineError } from '../../core/errors.ts';
import type { Tree, TreeStat } from '../../native/addon.ts';
import { isWhiteout, showPath, type ByteString, type TarEntry } from './entry.ts';
import { joinPath, parentOf } from './path.ts';
import type { SpaceGuard } from './space.ts';
import { OPAQUE_VALUE, OPAQUE_XATTR } from './xattrs.ts';

/** As path_resolution(7). */
const MAX_LINKS = 40;
const MAX_DEPTH_BYTES = 4095;
/** Parts of names looked at on the way to entries. A link in front of each entry costs thousands a time. */
const MAX_STEPS = 20_000_000;
/** What we remember of directories: more would fill the memory, not the disk. */
const MAX_DIRECTORIES = 1_000_000;
const MAX_NAME_BYTES = 128 << 20;

/** Undefined: nothing has listed it yet; then the entry that needed it gives its time. */
interface Listed {
  entry: TarEntry | undefined;
  since: TarEntry | undefined;
  /** Paths of the directories in it, so that forgetting one costs what is below it and no more. */
  inside: Set<ByteString> | undefined;
}

export class Directories {
  readonly #tree: Tree;
  readonly #space: SpaceGuard;
  /** By path without links. The root is always there. */
  readonly #known = new Map<ByteString, Listed>([
    ['', { entry: undefined, since: undefined, inside: undefined }],
  ]);
  #nameBytes = 0;
  #steps = 0;

  constructor(tree: Tree, space: SpaceGuard) {
    this.#tree = tree;
    this.#space = space;
  }

  has(path: ByteString): boolean {
    return this.#known.has(path);
  }

  /** A directory entry: makes it, or takes over the attributes when it is there. */
  declare(path: ByteString, entry: TarEntry, clear: (path: ByteString) => void): void {
    const known = this.#known.get(path);
    if (known !== undefined) {
      known.entry = entry;
      return;
    }
    this.#space.file(0);
    const opaque = !this.#tree.makeDir(path);
    if (opaque) {
      // Something else was here and hid what lower layers have: the directory must not bring that back.
      clear(path);
      this.#tree.makeDir(path);
    }
    this.#remember(path, entry, entry);
    if (opaque) this.makeOpaque(path);
  }

  makeOpaque(path: ByteString): void {
    this.#tree.setXattr(path, OPAQUE_XATTR, OPAQUE_VALUE);
  }

  /** The real path of directory `path`; missing parts are made. @throws LAYER_INVALID when a file is in the way */
  ensure(path: ByteString, since: TarEntry | undefined, clear: (path: ByteString) => void): ByteString {
    const known = this.#known.get(path);
    if (known !== undefined) {
      known.since ??= since;
      return path;
    }
    return this.#walk(path, (missing, stat) => {
      if (stat !== undefined) clear(missing);
      this.#space.file(0);
      this.#tree.makeDir(missing);
      this.#remember(missing, undefined, since);
      if (stat !== undefined) this.makeOpaque(missing);
      return true;
    }) as ByteString;
  }

  /** The same without making anything: undefined when a part is missing. */
  find(path: ByteString): ByteString | undefined {
    return this.#known.has(path) ? path : this.#walk(path, () => false);
  }

  /** Forgets `path` and what was below it, which is gone. */
  forget(path: ByteString): void {
    if (!this.#known.has(path)) return;
    this.#known.get(parentOf(path))?.inside?.delete(path);
    const todo = [path];
    for (let gone = todo.pop(); gone !== undefined; gone = todo.pop()) {
      for (const inside of this.#known.get(gone)?.inside ?? []) todo.push(inside);
      this.#known.delete(gone);
      this.#nameBytes -= gone.length;
    }
  }

  /** Its parent is known already: directories are made from the root down. */
  #remember(path: ByteString, entry: TarEntry | undefined, since: TarEntry | undefined): void {
    this.#nameBytes += path.length;
    if (this.#known.size > MAX_DIRECTORIES) throw tooMuch(`more than ${MAX_DIRECTORIES} directories`);
    if (this.#nameBytes > MAX_NAME_BYTES) throw tooMuch('names of directories of more than 128 MiB');
    this.#known.set(path, { entry, since, inside: undefined });
    const parent = this.#known.get(parentOf(path));
    if (parent !== undefined) (parent.inside ??= new Set()).add(path);
  }

  /** Sets attributes, deepest first; returns the directories that no entry listed, parents first. */
  finish(made: (entry: TarEntry, path: ByteString, ownerKept: boolean) => void): ByteString[] {
    const unlisted: ByteString[] = [];
    for (const [path, { entry, since }] of [...this.#known].reverse()) {
      const { mode, containerUid, containerGid } = entry ?? { mode: 0o755, containerUid: 0, containerGid: 0 };
      const { mtimeSec, mtimeNsec } = entry ?? since ?? { mtimeSec: 0, mtimeNsec: 0 };
      const kept = this.#tree.setDir(path, mode, containerUid, containerGid, mtimeSec, mtimeNsec);
      if (entry === undefined) unlisted.push(path);
      else made(entry, path, kept);
    }
    return unlisted.reverse();
  }

  /** `onMissing` is called where nothing, or a whiteout (then with its stat), is; false ends the walk. */
  #walk(
    path: ByteString,
    onMissing: (path: ByteString, stat: TreeStat | undefined) => boolean,
  ): ByteString | undefined {
    const todo = path.split('/').reverse();
    let at: ByteString = '';
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (++this.#steps > MAX_STEPS) throw tooMuch('links that lead through too many directories');
      if (part === '' || part === '.') continue;
      if (part === '..') {
        at = parentOf(at);
        continue;
      }
      const next = joinPath(at, part);
      if (next.length > MAX_DEPTH_BYTES) throw inTheWay(path, 'its real path is too long');
      if (this.#known.has(next)) {
        at = next;
        continue;
      }
      const stat = this.#tree.stat(next);
      if (stat === undefined || isWhiteout(stat)) {
        if (!onMissing(next, stat)) return undefined;
        at = next;
      } else if ((stat[0] & 0o170000) === 0o120000) {
        if (++links > MAX_LINKS) throw inTheWay(path, 'too many links');
        const target = this.#tree.readlink(next);
        if (target.startsWith('/')) at = '';
        todo.push(...target.split('/').reverse());
      } else {
        throw inTheWay(path, `${showPath(next)} is not a directory`);
      }
    }
    return at;
  }
}

function tooMuch(what: string): EngineError {
  return new EngineError('LAYER_INVALID', `unpacking a layer: ${what}`);
}

function inTheWay(path: ByteString, why: string): EngineError {
  return new EngineError('LAYER_INVALID', `unpacking below ${showPath(path)} of a layer: ${why}`);
}
