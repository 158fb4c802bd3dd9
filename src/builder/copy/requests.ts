// What the hidden command `__copy` is asked to do, and what it answers. Both sides are ours.

import type { SelectedSource, CopyRequest } from '../context/types.ts';
import type { Owner } from '../context/chown.ts';

/** Where files come from. `trees`: host paths, bottom first. */
export type CopySource = { kind: 'context'; path: string } | { kind: 'layers'; trees: readonly string[] };

/** A heredoc: becomes a file of that name. */
export interface InlineFile {
  name: string;
  content: string;
}

/** stdin: `{sources: SelectedSource[], inline: InlineFile[]}` as JSON. Answers Copied. */
export interface ApplyRequest {
  kind: 'apply';
  /** Host path of the mounted root that is copied into. */
  root: string;
  source: CopySource;
  /** Absolute container path; a slash at the end says that it is a directory. */
  destination: string;
  /** --chown, for directories that are made on the way, heredocs and what archives hold; the first two are root's without it. */
  owner: Owner | undefined;
  /** --chmod, for the same. */
  chmod: string | undefined;
  /** ADD: archives are unpacked where they are recognised. */
  unpack: boolean;
  /** The time that all files get; undefined: each keeps its own. */
  timeSec: number | undefined;
}

export interface ApplyInput {
  sources: readonly SelectedSource[];
  inline: readonly InlineFile[];
}

export interface Copied {
  files: number;
  /** Content that was written. */
  bytes: number;
  /** What could not be kept: sentences for the user. */
  notes: string[];
}

/** Answers Selection. */
export interface SelectRequest {
  kind: 'select';
  source: CopySource;
  request: CopyRequest;
}

/** stdin: a JSON list of paths, byte strings. Answers ReadFile[], in that order. */
export interface HashRequest {
  kind: 'hash';
  /** Host path of the context. */
  path: string;
}

/** stdin: a tar, compressed or not. Answers Copied. */
export interface UnpackRequest {
  kind: 'unpack';
  /** Host path of an empty directory that gets the files, as the caller's own. */
  directory: string;
}

export type CopyChildRequest = ApplyRequest | SelectRequest | HashRequest | UnpackRequest;
