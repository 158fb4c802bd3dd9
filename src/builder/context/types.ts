// What COPY and ADD take their files from, and what they find there. A tree is read where it is: the context as the caller,
// the layers of a stage or image as root of the user namespace whose ids their files carry.

import type { Digest } from '../../core/digest.ts';
import type { ByteString } from '../../image/layer/entry.ts';
import type { Tree } from '../../native/addon.ts';

export type FileType = 'file' | 'dir' | 'symlink' | 'fifo' | 'char' | 'block' | 'socket';

/** One name of a tree, links not followed. */
export interface TreeFile {
  type: FileType;
  /** Permission bits, 0..0o7777. */
  mode: number;
  containerUid: number;
  containerGid: number;
  /** 0 for anything but files. */
  sizeBytes: number;
  /**
   * Names with the same identity are one file; undefined when it has one name. In a context always: hard links there come
   * from how the files got onto this machine, and the same sources must give the same image.
   */
  identity: string | undefined;
  /** Changes whenever the file may have: its inode, size and times. */
  stamp: string;
  mtimeSec: number;
  mtimeNsec: number;
  /** Of devices. */
  devMajor: number;
  devMinor: number;
  /** Those that a copy keeps. */
  xattrs: ReadonlyMap<ByteString, Buffer> | undefined;
}

/** What a tree tells beyond names and attributes of what it copies from. */
export type TreeKind = 'context' | 'layers';

/**
 * A directory tree to copy from. Paths are byte strings relative to its root, normalised ("a/b"; "" is the root), and
 * pass through no symbolic link. What is not to be seen (ignored, hidden by a higher layer) is not there.
 */
export interface SourceTree {
  readonly kind: TreeKind;
  find(path: ByteString): TreeFile | undefined;
  /** Names in the order of their bytes. @throws ENOENT or ENOTDIR as system errors */
  list(path: ByteString): ByteString[];
  readlink(path: ByteString): ByteString;
  /** A descriptor to read the file by; the caller closes it. */
  open(path: ByteString): number;
  /**
   * As Tree of native/addon.ts, where the files are beneath one directory. Asked for many files at once, by several threads.
   */
  readonly files?: Tree;
  /** The name of the ignore file that keeps `path` out of the tree although it exists. */
  ignoredBy(path: ByteString): string | undefined;
  close(): void;
}

/** COPY or ADD of local files, after expansion of variables and names. */
export interface CopyRequest {
  /** As in the Dockerfile, quotes removed: relative, absolute or climbing, all stay inside the tree. */
  sources: readonly string[];
  /** --parents: keep the path of each source (behind its `/./`, if it has one). */
  parents: boolean;
  /** --exclude, in order. */
  exclude: readonly string[];
  /** --chown, else undefined: root for a context, as they are for layers. */
  owner: { uid: number; gid: number } | undefined;
  /** --chmod, as written; see chmod.ts. */
  chmod: string | undefined;
}

/** One file that is to be copied. */
export interface SelectedFile {
  /** In the source tree. */
  from: ByteString;
  /** Below the place of its source; '' is that place itself: of a source that is no directory. */
  to: ByteString;
  /** 'link': another name of the file that the same source puts at `linkTo`. */
  type: 'file' | 'dir' | 'symlink' | 'link' | 'char' | 'block' | 'fifo';
  mode: number;
  containerUid: number;
  containerGid: number;
  sizeBytes: number;
  /** Of the content of a file, undefined otherwise. */
  digest: Digest | undefined;
  /** Target of a symbolic link, or `to` of the first name of a hard-linked file; '' otherwise. */
  linkTo: ByteString;
  mtimeSec: number;
  mtimeNsec: number;
  devMajor: number;
  devMinor: number;
  /** What TreeFile.stamp was when the digest was made. */
  stamp: string;
  xattrs: readonly (readonly [name: ByteString, value: string])[];
}

/** What one source came to; a wildcard gives several. */
export interface SelectedSource {
  /** What it is called inside an existing directory: the last part of its path. */
  name: ByteString;
  /** 'tree': --parents; `to` holds the whole path, which goes below the destination whatever is there. */
  kind: 'file' | 'dir' | 'tree';
  files: SelectedFile[];
}

export interface Selection {
  sources: SelectedSource[];
  /** Of everything but times, stamps and places: equal selections give equal files. */
  digest: Digest;
}
