// What a build tells while it goes on: BuildKit's status of vertices, in the order in which things happen.

import type { Digest } from '../core/digest.ts';
import type { ImageEvent } from '../image/events.ts';

/** What a vertex does: `pull` finds a base image, `context` fetches one, `export` gives the result its config and names,
 * `cache` is about a cache of elsewhere. */
export type BuildWork =
  'context' | 'pull' | 'base' | 'run' | 'files' | 'workdir' | 'export' | 'push' | 'cache';

export type BuildEvent =
  /** The first one of each vertex; `stage` undefined: it is of none. Times in milliseconds since the epoch. */
  | { type: 'start'; vertex: number; work: BuildWork; stage: string | undefined; name: string; atMs: number }
  | { type: 'log'; vertex: number; stream: 1 | 2; text: Uint8Array; atMs: number }
  /** A line on what it does, as "transferring context: 2.1kB". */
  | { type: 'status'; vertex: number; text: string; atMs: number }
  /** Of a pull. */
  | { type: 'image'; vertex: number; event: ImageEvent; atMs: number }
  /** `layer` undefined: nobody looked at it, since only another cached step would have needed it. `from`: a cache of elsewhere. */
  | { type: 'cached'; vertex: number; layer: LayerNote | undefined; from?: string | undefined; atMs: number }
  /** Why its result could not be taken from the cache. */
  | { type: 'miss'; vertex: number; reason: string; atMs: number }
  | { type: 'done'; vertex: number; atMs: number }
  /** After `done`: its layer is a file of the store. */
  | { type: 'stored'; vertex: number; layer: LayerNote; atMs: number }
  | { type: 'error'; vertex: number; message: string; canceled: boolean; atMs: number };

/** Everything of one COPY or ADD was found and hashed. */
export interface ContextEvent {
  type: 'context';
  /** Of a named context; '' is the context. */
  name: string;
  files: number;
  sizeBytes: number;
  startMs: number;
  atMs: number;
}

export interface LayerNote {
  /** Undefined: the step changed nothing, and so made no layer. */
  digest: Digest | undefined;
  /** Of its files. */
  sizeBytes: number;
}

export type OnBuildEvent = (event: BuildEvent) => void;
