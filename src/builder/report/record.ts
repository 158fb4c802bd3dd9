// What a build leaves to be looked at afterwards: every vertex with its time, and why it took it. Made from the events of
// the build alone. (pure)

import type { Digest } from '../../core/digest.ts';
import type { BuildEvent, BuildWork, ContextEvent } from '../events.ts';

/** build.json. Times in milliseconds since the build's start. */
export interface BuildReport {
  version: 1;
  id: string;
  /** RFC 3339 */
  startedAt: string;
  durationMs: number;
  result: 'done' | 'failed' | 'canceled';
  /** Of the build as a whole. */
  error?: string;
  dockerfile: string;
  /** Path or URL; absent when it could not be read. */
  context?: string;
  target?: string;
  tags: readonly string[];
  image?: { id: Digest; digest: Digest };
  /** In the order in which they began. */
  vertices: ReportVertex[];
}

export interface ReportVertex {
  /** As in the output; absent: not shown there. */
  number?: number;
  work: BuildWork;
  /** Absent: of the build as a whole. */
  stage?: string;
  name: string;
  startMs: number;
  endMs: number;
  state: 'done' | 'failed' | 'canceled';
  /** Absent: there is no cache for such a vertex. */
  cache?: 'hit' | 'miss';
  /** Of a hit: the cache that it was fetched from; absent: our own. */
  cacheFrom?: string;
  /** Of a miss. */
  reason?: string;
  /** When the layer was in the store, which goes on beside the next steps. */
  storedMs?: number;
  /** Downloaded, read or made. */
  bytes?: number;
  files?: number;
  /** Diff id of the layer. */
  digest?: Digest;
  error?: string;
}

export type BuildOutcome = Omit<BuildReport, 'version' | 'startedAt' | 'durationMs' | 'vertices'>;

const STEPS: readonly string[] = ['run', 'files', 'workdir'];

export class BuildRecorder {
  readonly #startedMs: number;
  readonly #vertices: ReportVertex[] = [];
  readonly #byNumber = new Map<number, ReportVertex>();
  /** Ended by an event of their own. */
  readonly #ended = new Set<ReportVertex>();

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  /** Whether there is anything to tell. */
  get isEmpty(): boolean {
    return this.#vertices.length === 0;
  }

  onEvent(event: BuildEvent): void {
    const atMs = this.#since(event.atMs);
    if (event.type === 'start') {
      const { vertex: number, work, stage, name } = event;
      const vertex: ReportVertex = {
        ...{ number, work, ...(stage === undefined ? {} : { stage }), name },
        ...{ startMs: atMs, endMs: atMs, state: 'done' },
        ...(STEPS.includes(work) ? { cache: 'miss' } : {}),
      };
      this.#byNumber.set(number, vertex);
      this.#vertices.push(vertex);
      return;
    }
    const vertex = this.#byNumber.get(event.vertex);
    if (vertex === undefined) return;
    switch (event.type) {
      case 'miss':
        vertex.reason = event.reason;
        return;
      case 'image':
        // A layer that was there before costs nothing.
        if (event.event.type === 'layer' && event.event.state === 'done')
          vertex.bytes = (vertex.bytes ?? 0) + event.event.totalBytes;
        return;
      case 'cached':
        if (STEPS.includes(vertex.work)) vertex.cache = 'hit';
        if (event.from !== undefined) vertex.cacheFrom = event.from;
        note(vertex, event.layer);
        this.#end(vertex, atMs);
        return;
      case 'stored':
        vertex.storedMs = atMs;
        note(vertex, event.layer);
        return;
      case 'done':
        this.#end(vertex, atMs);
        return;
      case 'error':
        vertex.state = event.canceled ? 'canceled' : 'failed';
        vertex.error = event.message;
        this.#end(vertex, atMs);
        return;
      case 'log':
      case 'status':
    }
  }

  onContext({ name, files, sizeBytes, startMs, atMs }: ContextEvent): void {
    const vertex: ReportVertex = {
      work: 'context',
      name: name === '' ? 'load build context' : `load build context ${name}`,
      startMs: this.#since(startMs),
      endMs: this.#since(atMs),
      state: 'done',
      bytes: sizeBytes,
      files,
    };
    this.#vertices.push(vertex);
    this.#ended.add(vertex);
  }

  report(endMs: number, outcome: BuildOutcome): BuildReport {
    const durationMs = this.#since(endMs);
    const vertices = this.#vertices.map((vertex): ReportVertex =>
      // What the end of the build found at work had no chance to say how it ended.
      this.#ended.has(vertex) || vertex.work === 'context'
        ? vertex
        : { ...vertex, endMs: durationMs, state: 'canceled' },
    );
    const { id, ...rest } = outcome;
    return {
      ...{ version: 1, id, startedAt: new Date(this.#startedMs).toISOString(), durationMs },
      ...rest,
      vertices: vertices.sort((a, b) => a.startMs - b.startMs),
    };
  }

  #end(vertex: ReportVertex, atMs: number): void {
    vertex.endMs = atMs;
    this.#ended.add(vertex);
  }

  /** The clock of the machine may have been set back meanwhile. */
  #since(atMs: number): number {
    return Math.max(0, Math.round(atMs - this.#startedMs));
  }
}

function note(
  vertex: ReportVertex,
  layer: Extract<BuildEvent, { type: 'stored' }>['layer'] | undefined,
): void {
  if (layer === undefined) return;
  vertex.bytes = layer.sizeBytes;
  if (layer.digest !== undefined) vertex.digest = layer.digest;
}

/** Steps, and how many of them were in the cache. */
export function countSteps({ vertices }: BuildReport): { steps: number; hits: number } {
  const steps = vertices.filter(({ cache }) => cache !== undefined);
  return { steps: steps.length, hits: steps.filter(({ cache }) => cache === 'hit').length };
}
