// The layers of a stage or an image as a tree to copy from, merged as overlayfs would show them, without a mount: what is
// read are the files themselves. Runs as root of the user namespace whose ids they carry. Layers of the store do not change.

import { constants, lstatSync, openSync, readlinkSync, type BigIntStats } from 'node:fs';
import { encodeBytes } from '../../core/bytes.ts';
import { timesOf } from '../../core/times.ts';
import type { ByteString } from '../../image/layer/entry.ts';
import { listMerged, type MergedDir, type MergedEntry } from '../../image/layer/merged.ts';
import { majorOf, minorOf } from '../../image/layer/pack.ts';
import { baseOf, parentOf } from '../../image/layer/path.ts';
import { emulatedDevice, emulatedOwner, isPortableXattr } from '../../image/layer/xattrs.ts';
import { xattrsOf } from '../../native/at.ts';
import { isAbsence, stampOf } from './directory-tree.ts';
import type { FileType, SourceTree, TreeFile } from './types.ts';

export class LayersTree implements SourceTree {
  readonly kind = 'layers';
  readonly #root: MergedDir;
  readonly #directories = new Map<ByteString, Map<ByteString, MergedEntry>>();

  /** @param trees host paths, bottom first; at least one */
  constructor(trees: readonly string[]) {
    const parts = [...trees].reverse().map(encodeBytes);
    const host = parts[0] as Buffer;
    this.#root = { host, stat: lstatSync(host, { bigint: true }), parts };
  }

  find(path: ByteString): TreeFile | undefined {
    const entry = this.#entry(path);
    return entry === undefined ? undefined : fileOf(entry);
  }

  list(path: ByteString): ByteString[] {
    return [...this.#directory(path).keys()].sort();
  }

  readlink(path: ByteString): ByteString {
    return readlinkSync(this.#host(path), { encoding: 'buffer' }).toString('latin1');
  }

  open(path: ByteString): number {
    return openSync(this.#host(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  }

  ignoredBy(): undefined {
    return undefined;
  }

  close(): void {
    this.#directories.clear();
  }

  #host(path: ByteString): Buffer {
    const entry = this.#entry(path);
    if (entry === undefined) throw absence(path, 'ENOENT');
    return entry.host;
  }

  #entry(path: ByteString): MergedEntry | undefined {
    if (path === '') return this.#root;
    try {
      return this.#directory(parentOf(path)).get(baseOf(path));
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw error;
    }
  }

  #directory(path: ByteString): Map<ByteString, MergedEntry> {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const entry = this.#entry(path);
    if (entry?.parts === undefined) throw absence(path, entry === undefined ? 'ENOENT' : 'ENOTDIR');
    const files = listMerged(entry);
    this.#directories.set(path, files);
    return files;
  }
}

function absence(path: ByteString, code: 'ENOENT' | 'ENOTDIR'): Error {
  return Object.assign(new Error(`${code}: ${JSON.stringify(path)}`), { code });
}

function fileOf({ host, stat }: MergedEntry): TreeFile {
  const found = typeOf(stat);
  const all = found === 'symlink' ? new Map<string, Buffer>() : xattrsOf(host);
  const owner = emulatedOwner(stat, all);
  const device = found === 'file' && stat.size === 0n ? emulatedDevice(all) : undefined;
  const kept = [...all].filter(([name]) => isPortableXattr(name));
  const isDevice = found === 'char' || found === 'block';
  return {
    type: device?.type ?? found,
    mode: Number(stat.mode) & 0o7777,
    containerUid: owner.uid,
    containerGid: owner.gid,
    sizeBytes: found === 'file' ? Number(stat.size) : 0,
    identity: found !== 'dir' && stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : undefined,
    stamp: stampOf(stat),
    ...timesOf(stat),
    devMajor: device?.major ?? (isDevice ? majorOf(stat.rdev) : 0),
    devMinor: device?.minor ?? (isDevice ? minorOf(stat.rdev) : 0),
    xattrs: kept.length === 0 ? undefined : new Map(kept),
  };
}

function typeOf(stat: BigIntStats): FileType {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isCharacterDevice()) return 'char';
  return stat.isBlockDevice() ? 'block' : 'socket';
}
