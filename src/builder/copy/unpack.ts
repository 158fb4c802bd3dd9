// ADD of an archive → files, as docker unpacks it: what it is is seen from its content, not its name. Unlike with COPY, an
// entry takes the place of whatever is there, unless both are directories; links on the way to an entry are followed within
// the root file system. Files called `.wh.*` are files.

import { createReadStream, readSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { detectAny } from '../../image/layer/decompress.ts';
import type { ByteString, EntrySink, TarEntry } from '../../image/layer/entry.ts';
import { BLOCK, isTarHeader } from '../../image/layer/header.ts';
import { baseOf, joinPath, normalisePath, parentOf } from '../../image/layer/path.ts';
import { TarReader } from '../../image/layer/tar.ts';
import { tarOf } from '../../image/tar-of.ts';
import type { Owner } from '../context/chown.ts';
import type { Ground } from './ground.ts';
import { explain, type Attributes, type Writer } from './writer.ts';

export interface UnpackRules {
  writer: Writer;
  ground: Ground;
  /** Where it goes; made when it is asked for. */
  place: () => ByteString;
  /** --chown, else those of the archive. */
  owner: Owner | undefined;
  timeSec: number | undefined;
  /** Of directories that the archive does not list. */
  newDir: Attributes;
  /** For messages: `unpacking "app.tar.gz"`. */
  doing: string;
}

/** False: it is no archive, and nothing was made. `fd` is read from its start. @throws LAYER_INVALID, LAYER_PATH_ESCAPE, IO */
export async function unpackArchive(fd: number, rules: UnpackRules): Promise<boolean> {
  if (!(await isArchive(fd, rules.doing))) return false;
  await unpackTar(streamOf(fd), rules);
  return true;
}

/** Whatever it is compressed by. @throws LAYER_INVALID, LAYER_PATH_ESCAPE, HOST_MISSING, NO_SPACE, IO */
export async function unpackTar(input: AsyncIterable<Uint8Array>, rules: UnpackRules): Promise<void> {
  const sink = new ArchiveSink(rules, rules.place());
  const reader = new TarReader(sink);
  try {
    for await (const chunk of tarOf(input, rules.doing)) reader.push(bufferOf(chunk));
    reader.end();
  } catch (error) {
    if (!(error instanceof EngineError) || error.message.startsWith(rules.doing)) throw error;
    const { code, message, hint } = error;
    throw new EngineError(code, `${rules.doing}: ${message}`, { hint, exitCode: 1, cause: error });
  }
}

/** A tar, or what decompresses to one. */
async function isArchive(fd: number, doing: string): Promise<boolean> {
  const start = Buffer.alloc(BLOCK);
  const size = readSync(fd, start, 0, BLOCK, 0);
  if (size < BLOCK / 8) return false;
  if (detectAny(start) === 'none') return size === BLOCK && isTarHeader(start);
  try {
    for await (const chunk of tarOf(streamOf(fd), doing))
      return chunk.length >= BLOCK && isTarHeader(bufferOf(chunk).subarray(0, BLOCK));
    return false;
  } catch (error) {
    // Begins like compressed data and is none: an ordinary file. A missing program is worth an error.
    if (error instanceof EngineError && error.code !== 'HOST_MISSING') return false;
    throw error;
  }
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function streamOf(fd: number): ReturnType<typeof createReadStream> {
  return createReadStream('', { fd, start: 0, autoClose: false, highWaterMark: 1 << 20 });
}

class ArchiveSink implements EntrySink {
  readonly #rules: UnpackRules;
  readonly #place: ByteString;
  #file: { entry: TarEntry; path: ByteString } | undefined;

  constructor(rules: UnpackRules, place: ByteString) {
    this.#rules = rules;
    this.#place = place;
  }

  wholeFile(entry: TarEntry, chunk: Uint8Array, offset: number): void {
    this.beginFile(entry);
    if (entry.sizeBytes > 0) this.data(chunk, offset, entry.sizeBytes, 0);
    this.endFile();
  }

  beginFile(entry: TarEntry): void {
    this.#doing(entry, () => {
      const path = this.#placeOf(entry);
      const stored = entry.extents?.reduce((sum, { length }) => sum + length, 0) ?? entry.sizeBytes;
      this.#clear(path);
      this.#rules.writer.beginFile(path, this.#attributesOf(entry), stored);
      this.#file = { entry, path };
    });
  }

  data(chunk: Uint8Array, offset: number, length: number, position: number): void {
    const { entry } = this.#file as { entry: TarEntry };
    const at = entry.extents === undefined ? -1 : position;
    this.#doing(entry, () => this.#rules.ground.tree.write(chunk, offset, length, at));
  }

  endFile(): void {
    const { entry, path } = this.#file as { entry: TarEntry; path: ByteString };
    this.#file = undefined;
    const size = entry.extents === undefined ? -1 : entry.sizeBytes;
    this.#doing(entry, () => this.#rules.writer.endFile(path, this.#attributesOf(entry), size));
  }

  other(entry: TarEntry): void {
    this.#doing(entry, () => {
      const { writer } = this.#rules;
      if (normalisePath(entry.path) === '') return; // the place itself stays as it is
      const path = this.#placeOf(entry);
      const attributes = this.#attributesOf(entry);
      if (entry.type === 'dir') {
        if (this.#rules.ground.kindOf(path) !== 'dir') this.#clear(path);
        writer.dir(path, attributes);
        return;
      }
      if (entry.type === 'link') {
        const target = this.#real(normalisePath(entry.linkPath, 'the target of a hard link,'));
        if (target === path) return;
        this.#clear(path);
        writer.link(path, target);
        return;
      }
      this.#clear(path);
      if (entry.type === 'symlink') writer.symlink(path, entry.linkPath, attributes);
      else {
        const { type, devMajor, devMinor } = entry;
        writer.node(path, { type: type as 'char' | 'block' | 'fifo', devMajor, devMinor }, attributes);
      }
    });
  }

  #placeOf(entry: TarEntry): ByteString {
    const path = normalisePath(entry.path);
    if (path === '')
      throw new EngineError('LAYER_INVALID', `${this.#rules.doing}: its root is not a directory`, {
        exitCode: 1,
      });
    return this.#real(path);
  }

  /** Links in the directories above are followed, one at the end is not. */
  #real(path: ByteString): ByteString {
    const { ground } = this.#rules;
    return joinPath(ground.ensureDir(joinPath(this.#place, parentOf(path))), baseOf(path));
  }

  #clear(path: ByteString): void {
    const { ground, writer } = this.#rules;
    if (ground.kindOf(path) === 'missing') return;
    ground.remove(path);
    writer.forget(path);
  }

  #attributesOf(entry: TarEntry): Attributes {
    const { owner, timeSec } = this.#rules;
    return {
      mode: entry.mode,
      containerUid: owner?.uid ?? entry.containerUid,
      containerGid: owner?.gid ?? entry.containerGid,
      // Archives have times of their own, the same at every build.
      mtimeSec: entry.mtimeSec,
      mtimeNsec: timeSec === undefined ? entry.mtimeNsec : 0,
      xattrs: entry.xattrs ?? [],
    };
  }

  #doing(entry: TarEntry, action: () => void): void {
    try {
      action();
    } catch (error) {
      throw explain(`${this.#place}/${entry.path}`, error);
    }
  }
}
