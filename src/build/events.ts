// What a build tells while it goes on: BuildKit's status of vertices, in the order in which things happen.

import type { ImageEvent } from '../image/events.ts';

export type BuildEvent =
  /** The first one of each vertex. Times in milliseconds since the epoch. */
  | { type: 'start'; vertex: number; name: string; atMs: number }
  | { type: 'log'; vertex: number; stream: 1 | 2; text: Uint8Array; atMs: number }
  /** A line on what it does, as "transferring context: 2.1kB". */
  | { type: 'status'; vertex: number; text: string; atMs: number }
  /** Of a pull. */
  | { type: 'image'; vertex: number; event: ImageEvent; atMs: number }
  | { type: 'cached'; vertex: number; atMs: number }
  /** Why its result could not be taken from the cache. */
  | { type: 'miss'; vertex: number; reason: string; atMs: number }
  | { type: 'done'; vertex: number; atMs: number }
  | { type: 'error'; vertex: number; message: string; canceled: boolean; atMs: number };

export type OnBuildEvent = (event: BuildEvent) => void;
