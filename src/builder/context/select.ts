// The sources of a COPY or ADD → the files they stand for, and one digest of it all. As BuildKit: links in the path of a
// source are followed within the tree, links below it are copied; of a directory its content is copied; a literal source
// must exist, a pattern may match nothing.

import { createHash } from 'node:crypto';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { baseOf, joinPath, parentOf } from '../../image/layer/path.ts';
import { parseChmod, type Chmod } from './chmod.ts';
import { findMatches } from './expand.ts';
import { createMatcher, parsePattern, type IgnoreMatcher } from './ignore.ts';
import { resolveInTree } from './links.ts';
import { sourceNotFound } from './not-found.ts';
import { toText, under } from './text.ts';
import type { CopyRequest, SelectedFile, SelectedSource, Selection, SourceTree, TreeFile } from './types.ts';
import { hasWildcard } from './wildcard.ts';

/** Digests of files, in the order given. */
export type HashFiles = (tree: SourceTree, files: readonly HashedFile[]) => Promise<Digest[]>;

export type HashedFile = Pick<SelectedFile, 'from' | 'stamp'>;

/**
 * @throws PATH_NOT_FOUND for a literal source that is not there, PATH_INVALID for what cannot be copied, USAGE for a malformed
 *         pattern (all exit status 1)
 */
export async function selectFiles(
  tree: SourceTree,
  request: CopyRequest,
  hash: HashFiles,
): Promise<Selection> {
  const selector = new Selector(tree, request);
  const sources = request.sources.flatMap((source) => selector.select(source));
  const contents = sources.flatMap(({ files }) => files.filter(({ type }) => type === 'file'));
  const digests = await hash(tree, contents);
  contents.forEach((file, i) => (file.digest = digests[i]));
  return { sources, digest: digestOfSources(sources) };
}

/** `a/./b` → what --parents leaves away, and what it keeps. */
function splitPivot(source: string): [base: string, rest: string] {
  const at = source.indexOf('/./');
  return at < 0 ? ['', source] : [source.slice(0, at), source.slice(at + 3)];
}

class Selector {
  readonly #tree: SourceTree;
  readonly #request: CopyRequest;
  readonly #excluded: IgnoreMatcher;

  constructor(tree: SourceTree, request: CopyRequest) {
    this.#tree = tree;
    this.#request = request;
    this.#excluded = createMatcher(request.exclude.map((text) => parsePattern(text, '--exclude')));
  }

  select(source: string): SelectedSource[] {
    return this.#request.parents ? this.#withParents(source) : this.#plain(source);
  }

  #plain(source: string): SelectedSource[] {
    const matches = findMatches(this.#tree, '', source, { followLinks: true });
    const selected = matches.map((path) => {
      const real = resolveInTree(this.#tree, path);
      const file = real === undefined ? undefined : this.#tree.find(real);
      if (real === undefined || file === undefined) throw sourceNotFound(this.#tree, source, path);
      return this.#source(path, real, file);
    });
    return selected.filter((one): one is SelectedSource => one !== undefined);
  }

  #source(path: ByteString, from: ByteString, file: TreeFile): SelectedSource | undefined {
    const name = baseOf(path);
    if (file.type !== 'dir' && this.#excluded.ignores(toText(name))) return undefined;
    const walk = new Walk(this.#tree, this.#request, this.#excluded);
    if (file.type === 'dir') {
      // Only what is in it: the place it goes to has attributes of its own.
      walk.below(from, '');
      return { name, kind: 'dir', files: walk.files };
    }
    walk.file(from, '', file);
    return { name, kind: 'file', files: walk.files };
  }

  #withParents(source: string): SelectedSource[] {
    const [base, rest] = splitPivot(source);
    const start = resolveInTree(
      this.#tree,
      findMatches(this.#tree, '', base, { followLinks: true })[0] ?? '',
    );
    if (start === undefined) throw sourceNotFound(this.#tree, source, base);
    const matches = findMatches(this.#tree, start, rest, { followLinks: false });
    if (matches.length === 0 && hasWildcard(rest)) return [];
    const walk = new Walk(this.#tree, this.#request, this.#excluded);
    for (const path of matches) {
      const from = under(start, path);
      const file = this.#tree.find(from);
      if (file === undefined) throw sourceNotFound(this.#tree, source, from);
      if (path !== '' && this.#excluded.ignores(toText(path)) && file.type !== 'dir') continue;
      for (const parent of parentsOf(path)) walk.parent(under(start, parent), parent);
      if (path !== '') walk.file(from, path, file);
      if (file.type === 'dir') walk.below(from, path);
    }
    return [{ name: '', kind: 'tree', files: walk.files }];
  }
}

/** "a/b/c" → "a", "a/b" */
function parentsOf(path: ByteString): ByteString[] {
  const parents: ByteString[] = [];
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) parents.unshift(at);
  return parents;
}

/** Collects the files of one source. */
class Walk {
  readonly files: SelectedFile[] = [];
  readonly #tree: SourceTree;
  readonly #request: CopyRequest;
  readonly #excluded: IgnoreMatcher;
  readonly #chmod: Chmod;
  readonly #names = new Map<string, ByteString>();
  readonly #taken = new Set<ByteString>();

  constructor(tree: SourceTree, request: CopyRequest, excluded: IgnoreMatcher) {
    this.#tree = tree;
    this.#request = request;
    this.#excluded = excluded;
    this.#chmod = request.chmod === undefined ? (mode) => mode : parseChmod(request.chmod);
  }

  parent(from: ByteString, to: ByteString): void {
    const file = this.#tree.find(from);
    if (file !== undefined) this.file(from, to, file);
  }

  below(from: ByteString, to: ByteString): void {
    for (const name of this.#tree.list(from)) {
      const [source, place] = [joinPath(from, name), joinPath(to, name)];
      const file = this.#tree.find(source);
      if (file === undefined) continue;
      const isDir = file.type === 'dir';
      if (this.#excluded.ignores(toText(place))) {
        if (!isDir || !this.#excluded.mayReinclude(toText(place))) continue;
        const before = this.files.length;
        this.file(source, place, file);
        this.below(source, place);
        if (this.files.length === before + 1) this.#drop();
        continue;
      }
      this.file(source, place, file);
      if (isDir) this.below(source, place);
    }
  }

  file(from: ByteString, to: ByteString, file: TreeFile): void {
    if (this.#taken.has(to)) return;
    const { type, identity } = file;
    if (type === 'socket' || (this.#tree.kind === 'context' && !['file', 'dir', 'symlink'].includes(type))) {
      // A socket means nothing without its process; what a stage left there is passed over, as layers do.
      if (this.#tree.kind === 'layers') return;
      throw new EngineError('PATH_INVALID', `copying ${showPath(from)}: ${KINDS[type]} cannot be copied`, {
        exitCode: 1,
        hint: `remove it, or name it in .dockerignore`,
      });
    }
    this.#taken.add(to);
    const first = identity === undefined ? undefined : this.#names.get(identity);
    if (identity !== undefined && first === undefined) this.#names.set(identity, to);
    const { owner } = this.#request;
    this.files.push({
      from,
      to,
      type: first === undefined ? type : 'link',
      mode: type === 'symlink' ? 0o777 : this.#chmod(file.mode, type === 'dir'),
      containerUid: owner?.uid ?? file.containerUid,
      containerGid: owner?.gid ?? file.containerGid,
      sizeBytes: file.sizeBytes,
      digest: undefined,
      linkTo: first ?? (type === 'symlink' ? this.#tree.readlink(from) : ''),
      mtimeSec: file.mtimeSec,
      mtimeNsec: file.mtimeNsec,
      devMajor: file.devMajor,
      devMinor: file.devMinor,
      stamp: file.stamp,
      xattrs: [...(file.xattrs ?? [])].map(([name, value]) => [name, value.toString('base64')] as const),
    });
  }

  /** The directory that was taken last, since nothing came back in below it. */
  #drop(): void {
    const last = this.files.pop();
    if (last !== undefined) this.#taken.delete(last.to);
  }
}

const KINDS: Readonly<Record<string, string>> = {
  fifo: 'a fifo',
  char: 'a device',
  block: 'a device',
  socket: 'a socket',
};

const LINES = 1000;

function digestOfSources(sources: readonly SelectedSource[]): Digest {
  const hash = createHash('sha256');
  for (const { name, kind, files } of sources) {
    hash.update(`${kind} ${JSON.stringify(name)} ${files.length}\n`);
    // Few calls: most of a cached build is this.
    for (let i = 0; i < files.length; i += LINES)
      hash.update(files.slice(i, i + LINES).reduce((text, file) => `${text}${describe(file)}\n`, ''));
  }
  return digestFromHex(hash.digest('hex'));
}

/** All that shows in the image, but for times. */
function describe(file: SelectedFile): string {
  const { to, type, mode, containerUid, containerGid, digest, linkTo, devMajor, devMinor, xattrs } = file;
  const numbers = `${mode} ${containerUid} ${containerGid} ${devMajor} ${devMinor}`;
  const link = linkTo === '' ? '""' : JSON.stringify(linkTo);
  const more = xattrs.length === 0 ? '[]' : JSON.stringify(xattrs);
  return `${type} ${JSON.stringify(to)} ${numbers} ${digest ?? ''} ${link} ${more}`;
}
