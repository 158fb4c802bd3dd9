// What the hidden command `__files` is asked to do with a root file system, and what it answers.

import type { ByteString } from '../../image/layer/entry.ts';
import type { IdMap } from '../../native/plan.ts';

/** Where the root is: a mount made for the child, or that of a running container, which its init tells. */
export type RootPlace = { path: string } | { pid: number; startTicks: string };

export interface ExportRequest {
  kind: 'export';
  root: RootPlace;
  /** Container paths of directories whose content is not exported. */
  volumes: readonly ByteString[];
}

/** stdout: a tar of what is at `path`, under the name `as`. Answers Packed. */
export interface CopyOutRequest {
  kind: 'copy-out';
  root: RootPlace;
  path: ByteString;
  followLink: boolean;
  /** '' for a directory: its content alone. */
  as: ByteString;
}

/** stdin: a tar. Answers CopiedIn. */
export interface CopyInRequest {
  kind: 'copy-in';
  root: RootPlace;
  path: ByteString;
  source: CopySource;
  owner: 'root' | 'archive' | HostOwner;
}

/** Ids of the archive are the host's: those that the map has are kept. */
export interface HostOwner {
  idMap: IdMap | undefined;
}

export interface CopiedIn {
  bytes: number;
  notes: string[];
}

/**
 * What is copied. `file` and `dir` are in the archive as SOURCE_NAME, and become `name` inside an existing directory;
 * `content` is a directory of which only what is in it is meant; a `stream` comes from outside, with names of its own.
 */
export type CopySource = { kind: 'file' | 'dir' | 'content'; name: ByteString } | { kind: 'stream' };

export const SOURCE_NAME: ByteString = 'source';

export type FilesRequest = ExportRequest | CopyOutRequest | CopyInRequest;
