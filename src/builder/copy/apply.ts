// Selected files → the root file system of the next layer. Where things go is docker's: of a directory its content; a file
// into the destination when that is a directory or ends with a slash, else in its place. Directories are merged, other files
// replaced, and neither takes the place of the other.

import { closeSync, fstatSync } from 'node:fs';
import { EngineError, errnoOf } from '../../core/errors.ts';
import { showPath, type ByteString } from '../../image/layer/entry.ts';
import { joinPath } from '../../image/layer/path.ts';
import type { Tree } from '../../native/addon.ts';
import { inBatches } from '../batches.ts';
import { parseChmod, type Chmod } from '../context/chmod.ts';
import { stampOf } from '../context/directory-tree.ts';
import { unreadableFile } from '../context/hash.ts';
import { toByteString, under } from '../context/text.ts';
import type { SelectedFile, SelectedSource, SourceTree } from '../context/types.ts';
import { refused, type Ground } from './ground.ts';
import type { ApplyInput, ApplyRequest, InlineFile } from './requests.ts';
import { unpackArchive } from './unpack.ts';
import { explain, type Attributes, type Writer } from './writer.ts';

/** Files that one thread is given at once. Larger ones gain nothing by it, and each is to be looked at for whether it fits. */
const BATCH = 256;
const MAX_BATCHED_BYTES = 1 << 18;

export type ApplyRules = Pick<ApplyRequest, 'destination' | 'owner' | 'chmod' | 'unpack' | 'timeSec'>;

export interface ApplyParts {
  from: SourceTree;
  tree: Tree;
  ground: Ground;
  writer: Writer;
}

export class CopyApplier {
  readonly #parts: ApplyParts;
  readonly #rules: ApplyRules;
  readonly #chmod: Chmod;

  constructor(parts: ApplyParts, rules: ApplyRules) {
    this.#parts = parts;
    this.#rules = rules;
    this.#chmod = rules.chmod === undefined ? (mode) => mode : parseChmod(rules.chmod);
  }

  /** @throws PATH_INVALID (exit status 1), NO_SPACE, IO */
  async apply({ sources, inline }: ApplyInput): Promise<void> {
    const { ground, writer } = this.#parts;
    const destination = toByteString(this.#rules.destination);
    const singles = sources.filter(({ kind }) => kind === 'file').length + inline.length;
    const real = ground.resolve(destination);
    const isDir = /(?:^|\/)\.{0,2}$/.test(destination) || ground.kindOf(real) === 'dir';
    if (singles > 1 && !isDir)
      throw refused(destination, 'several files need a directory: end the destination with a slash');
    for (const source of sources) await this.#source(source, destination, isDir);
    for (const file of inline) this.#inline(file, destination, isDir);
    writer.finish();
  }

  /** For directories that are made on the way. */
  newDirAttributes(): Attributes {
    const { owner, timeSec } = this.#rules;
    return {
      mode: this.#chmod(0o755, true),
      containerUid: owner?.uid ?? 0,
      containerGid: owner?.gid ?? 0,
      ...(timeSec === undefined ? now() : { mtimeSec: timeSec, mtimeNsec: 0 }),
      xattrs: [],
    };
  }

  async #source(source: SelectedSource, destination: ByteString, isDir: boolean): Promise<void> {
    const { ground } = this.#parts;
    const [first] = source.files;
    if (source.kind !== 'file') {
      await this.#below(ground.ensureDir(destination), source.files);
      return;
    }
    if (first === undefined) return;
    if (this.#rules.unpack && first.type === 'file' && (await this.#unpack(first, destination))) return;
    this.#file(first, this.#placeOf(destination, source.name, isDir));
  }

  async #below(place: ByteString, files: readonly SelectedFile[]): Promise<void> {
    const { from, tree, writer } = this.#parts;
    const source = from.files;
    const isPlain = ({ type, sizeBytes, xattrs }: SelectedFile): boolean =>
      source !== undefined && type === 'file' && sizeBytes <= MAX_BATCHED_BYTES && xattrs.length === 0;
    for (const file of files) if (!isPlain(file)) this.#file(file, place);
    if (source === undefined) return;
    await inBatches(files.filter(isPlain), BATCH, async (batch) => {
      for (const { sizeBytes } of batch) writer.reserve(sizeBytes);
      const copied = await tree.copyFiles(
        source,
        batch.map((file) => file.from),
        batch.map((file) => under(place, file.to)),
        batch.map(({ stamp }) => stamp),
        Float64Array.from(batch.flatMap((file) => this.#numbersOf(file))),
      );
      // What stands in the way, or went wrong, is seen when the file is copied by itself.
      batch.forEach((file, i) => (copied[i] === 1 ? writer.made(file.sizeBytes) : this.#file(file, place)));
    });
  }

  /** As Tree.copyFiles wants them. */
  #numbersOf(file: SelectedFile): number[] {
    const { mode, containerUid, containerGid, mtimeSec, mtimeNsec } = this.#attributesOf(file);
    return [mode, containerUid, containerGid, mtimeSec, mtimeNsec];
  }

  /** Where a single file goes. The directory above it exists then. */
  #placeOf(destination: ByteString, name: ByteString, isDir: boolean): ByteString {
    const { ground } = this.#parts;
    if (isDir) return joinPath(ground.ensureDir(destination), name);
    return ground.resolve(destination);
  }

  #file(file: SelectedFile, place: ByteString): void {
    const path = under(place, file.to);
    try {
      this.#make(file, path, place);
    } catch (error) {
      throw explain(path, error);
    }
  }

  #make(file: SelectedFile, path: ByteString, place: ByteString): void {
    const { ground, writer } = this.#parts;
    const attributes = this.#attributesOf(file);
    if (file.type === 'dir') {
      const kind = ground.kindOf(path);
      if (kind === 'symlink' || kind === 'other')
        throw refused(path, 'a directory cannot take the place of a file');
      writer.dir(path, attributes);
      return;
    }
    if (path === '' || ground.kindOf(path) === 'dir')
      throw refused(path, 'a file cannot take the place of a directory');
    if (file.type === 'file') this.#content(file, path, attributes);
    else if (file.type === 'symlink') writer.symlink(path, file.linkTo, attributes);
    else if (file.type === 'link') writer.link(path, under(place, file.linkTo));
    else {
      const { type, devMajor, devMinor } = file;
      writer.node(path, { type, devMajor, devMinor }, attributes);
    }
  }

  #content(file: SelectedFile, path: ByteString, attributes: Attributes): void {
    const { from, tree, writer } = this.#parts;
    const fd = openSource(from, file);
    try {
      writer.file(path, attributes, file.sizeBytes, () => {
        const copied = tree.copy(fd, file.sizeBytes);
        if (copied !== file.sizeBytes || stampOfFd(fd) !== file.stamp) throw changed(file.from);
      });
    } finally {
      closeSync(fd);
    }
  }

  async #unpack(file: SelectedFile, destination: ByteString): Promise<boolean> {
    const { from, ground, writer } = this.#parts;
    const fd = openSource(from, file);
    try {
      const { owner, timeSec } = this.#rules;
      const done = await unpackArchive(fd, {
        writer,
        ground,
        place: () => ground.ensureDir(destination),
        owner,
        timeSec,
        newDir: this.newDirAttributes(),
        doing: `unpacking ${showPath(file.from)}`,
      });
      if (done && stampOfFd(fd) !== file.stamp) throw changed(file.from);
      return done;
    } finally {
      closeSync(fd);
    }
  }

  #inline({ name, content }: InlineFile, destination: ByteString, isDir: boolean): void {
    const { ground, writer, tree } = this.#parts;
    const path = this.#placeOf(destination, toByteString(name), isDir);
    if (ground.kindOf(path) === 'dir') throw refused(path, 'a file cannot take the place of a directory');
    const bytes = Buffer.from(content);
    const attributes = { ...this.newDirAttributes(), mode: this.#chmod(0o644, false) };
    try {
      writer.file(path, attributes, bytes.length, () => tree.write(bytes, 0, bytes.length, -1));
    } catch (error) {
      throw explain(path, error);
    }
  }

  #attributesOf(file: SelectedFile): Attributes {
    const { timeSec } = this.#rules;
    return {
      mode: file.mode,
      containerUid: file.containerUid,
      containerGid: file.containerGid,
      mtimeSec: timeSec ?? file.mtimeSec,
      mtimeNsec: timeSec === undefined ? file.mtimeNsec : 0,
      xattrs: file.xattrs.map(([name, value]) => [name, Buffer.from(value, 'base64')] as const),
    };
  }
}

function now(): { mtimeSec: number; mtimeNsec: number } {
  return { mtimeSec: Math.floor(Date.now() / 1000), mtimeNsec: 0 };
}

/** It must be the very file whose digest is part of the cache's key. */
function openSource(tree: SourceTree, { from, stamp }: SelectedFile): number {
  let fd: number;
  try {
    fd = tree.open(from);
  } catch (error) {
    const errno = errnoOf(error);
    throw errno === undefined ? error : unreadableFile(from, errno, error);
  }
  if (stampOfFd(fd) === stamp) return fd;
  closeSync(fd);
  throw changed(from);
}

function stampOfFd(fd: number): string {
  return stampOf(fstatSync(fd, { bigint: true }));
}

function changed(path: ByteString): EngineError {
  return new EngineError('IO', `copying ${showPath(path)}: it changed while the build was running`, {
    exitCode: 1,
    hint: 'build again when nothing writes to it, or name it in .dockerignore',
  });
}
