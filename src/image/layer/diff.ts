// An overlay upper directory → the tar of a layer (image-spec layer.md, "Representing Changes"), streamed: nothing is
// copied on disk. The same directory always gives the same bytes: names are sorted, whiteouts carry no time, and nothing
// of the walk itself gets in. `commit` and `build` take their layers from here; apply.ts is the other direction.

import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import * as at from '../../native/at.ts';
import { startInside } from '../../native/inside.ts';
import type { IdMap } from '../../native/plan.ts';
import { BLANK_FILE, showPath, type ByteString, type TarEntry } from './entry.ts';
import { findShown, LookBudget } from './lower.ts';
import { Packer, type Found, type Packed, type PackRules } from './pack.ts';
import { baseOf, joinPath, parentOf } from './path.ts';
import { TarWriter } from './tar-writer.ts';
import { relative, stubsOn, type MountStubs } from './stubs.ts';
import { OPAQUE_NAME, WHITEOUT_PREFIX } from './whiteout.ts';
import { isOpaque, isWhiteoutFile } from './overlay.ts';

export interface UpperDirectory {
  /** Host path of the upper directory. */
  upper: string;
  /** The trees it lies on, bottom first: new directories are marked opaque only where those have one too. */
  lowerTrees: readonly string[];
  /**
   * Container paths where a container's own mounts are (/proc, /etc/hosts …). What the mount made there for want of a
   * mount point, an empty file or directory, is no change of the container's.
   */
  mountPoints: readonly ByteString[];
  /** Container paths of directories whose content belongs to a volume. */
  volumes: readonly ByteString[];
}

export interface LayerDiff {
  /** The uncompressed tar. */
  tar: Readable;
  /** After the tar's end. Rejects with IO, LAYER_INVALID, HOST_MISSING or CANCELLED. */
  done: Promise<Packed>;
  /** Ends the child: `done` rejects. */
  cancel(): void;
}

/**
 * Starts to pack, as root of a user namespace with that map, whose ids the layer gets.
 * doing: first words of errors
 */
export function startLayerDiff(source: UpperDirectory, idMap: IdMap | undefined, doing: string): LayerDiff {
  const child = startInside({ doing, command: '__layer', request: { kind: 'diff', source }, idMap });
  return { tar: child.stdout as Readable, done: child.reply as Promise<Packed>, cancel: () => child.kill() };
}

/** The same in this process, which is root of the right user namespace. `write` takes all of each chunk at once. */
export function packLayer(source: UpperDirectory, write: (chunk: Uint8Array) => void): Packed {
  const root = at.openRoot(source.upper);
  try {
    const rules = new LayerRules(source);
    const packer = new Packer(new TarWriter(write), rules);
    packer.directory(root, '');
    const packed = packer.finish();
    return { ...packed, notes: [...packed.notes, ...rules.notes()] };
  } finally {
    closeSync(root);
  }
}

class LayerRules implements PackRules {
  readonly #stubs: MountStubs;
  readonly #volumes: ReadonlySet<ByteString>;
  readonly #lowerTrees: readonly string[];
  readonly #budget = new LookBudget(Infinity);
  #misnamed = 0;
  #firstMisnamed: ByteString = '';

  constructor({ mountPoints, volumes, lowerTrees }: UpperDirectory) {
    this.#lowerTrees = lowerTrees;
    this.#stubs = stubsOn(lowerTrees, mountPoints);
    this.#volumes = new Set(volumes.map(relative));
  }

  treat(found: Found, xattrs: ReadonlyMap<string, Buffer>): ReturnType<Required<PackRules>['treat']> {
    const { path, stat } = found;
    if (isWhiteoutFile(stat, xattrs)) return { instead: [whiteoutMarker(path)] };
    if (baseOf(path).startsWith(WHITEOUT_PREFIX)) {
      if (this.#misnamed++ === 0) this.#firstMisnamed = path;
      return 'leave-out';
    }
    if (this.#stubs.isStub(found, xattrs)) return 'leave-out';
    return found.type === 'dir' && this.#hidesLower(path, xattrs)
      ? { inside: [opaqueMarker(path)] }
      : 'as-is';
  }

  isClosed(path: ByteString): boolean {
    return this.#volumes.has(path);
  }

  /** overlayfs marks most new directories as opaque, only because that saves it looks at the layers below. */
  #hidesLower(path: ByteString, xattrs: ReadonlyMap<string, Buffer>): boolean {
    return isOpaque(xattrs) && findShown(this.#lowerTrees, path, this.#budget)?.stat.isDirectory() === true;
  }

  notes(): string[] {
    if (this.#misnamed === 0) return [];
    const what = this.#misnamed === 1 ? '1 file is' : `${this.#misnamed} files are`;
    return [
      `${what} left out, since names that begin with ${WHITEOUT_PREFIX} mean something else in a layer (${showPath(this.#firstMisnamed)})`,
    ];
  }
}

/** What hides `path` of the layers below. */
export function whiteoutMarker(path: ByteString): TarEntry {
  return marker(joinPath(parentOf(path), `${WHITEOUT_PREFIX}${baseOf(path)}`));
}

/** What hides all that the layers below have in the directory `path`. */
export function opaqueMarker(path: ByteString): TarEntry {
  return marker(joinPath(path, OPAQUE_NAME));
}

/** docker's: empty files without rights. No time, since when something was removed is nothing the layer says. */
function marker(path: ByteString): TarEntry {
  return { ...BLANK_FILE, path, mode: 0 };
}
