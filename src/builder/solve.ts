// Key and result of every vertex that the target needs: each is worked out once, all at the same time, with as many steps
// at work as there are processors. A step whose key is in the cache is not run, and neither is what only it would need.

import { availableParallelism } from 'node:os';
import { EngineError } from '../core/errors.ts';
import { Slots } from '../image/store-layers.ts';
import type { StepRecord } from '../store/build-cache.ts';
import type { LayerNote, OnBuildEvent } from './events.ts';
import { inputsOf, type BaseVertex, type StepVertex, type Vertex } from './graph.ts';
import { keyOf, type KeyPart } from './step-key.ts';
import { storedLayers, type FreshLayer, type Snapshot } from './snapshot.ts';

/** What solving needs of the world; ops.ts has the real one, tests a fake. */
export interface SolveWorld {
  /** Named parts of the key, but for the parent. `keys`: of the inputs; `snapshots`: for who must look into one. */
  partsOf(vertex: StepVertex, of: Lookup): Promise<KeyPart[]>;
  baseKey(vertex: BaseVertex): string;
  base(vertex: BaseVertex): Promise<Snapshot>;
  findCached(key: string): StepRecord | undefined;
  /** Whether a cache of elsewhere says that it has the step. */
  isElsewhere(key: string): boolean;
  /**
   * The same of caches of elsewhere. start: shows the vertex as at work, before its layers are fetched; returns its number.
   */
  importCached(vertex: StepVertex, of: Lookup, start: () => number): Promise<CachedStep | undefined>;
  /** Runs the step. Its layer's `stored` may still be on its way when this resolves. */
  run(
    vertex: StepVertex,
    below: Snapshot,
    of: Lookup,
    vertexId: number,
  ): Promise<FreshLayer & { sizeBytes: Promise<number> }>;
  keep(key: string, record: StepRecord): void;
  /** Undefined: nothing to say. */
  explainMiss(vertex: StepVertex, parts: KeyPart[]): string | undefined;
  /** The same error with the place in the Dockerfile. */
  located(vertex: Vertex, error: unknown): unknown;
  now(): number;
}

export interface CachedStep extends StepRecord {
  /** Name of the cache that it was just fetched from; undefined: our own. */
  from?: string;
}

export interface Lookup {
  key(vertex: Vertex): Promise<string>;
  snapshot(vertex: Vertex): Promise<Snapshot>;
}

export interface SolvedStep {
  vertex: StepVertex;
  key: string;
  parts: KeyPart[];
}

export class Solver implements Lookup {
  readonly #world: SolveWorld;
  readonly #onEvent: OnBuildEvent;
  readonly #signal: AbortSignal;
  readonly #stop: () => void;
  readonly #slots: Slots;
  readonly #keys = new Map<Vertex, Promise<string>>();
  readonly #snapshots = new Map<Vertex, Promise<Snapshot>>();
  /** Steps of the same key are one: several platforms share what does not depend on theirs. */
  readonly #made = new Map<string, Promise<Snapshot>>();
  readonly #numbers = new Map<Vertex, number>();
  readonly #solved = new Map<Vertex, SolvedStep>();
  readonly #cached = new Set<Vertex>();
  /** Layers and records on their way into the store. */
  readonly #pending = new Set<Promise<unknown>>();
  #firstFailure: Error | undefined;
  #count: number;

  /**
   * @param stop aborts `signal`: the first failure ends everything else
   * @param firstNumber of the vertices in events
   */
  constructor(
    world: SolveWorld,
    {
      onEvent,
      signal,
      stop,
      firstNumber,
      jobs = availableParallelism(),
    }: {
      onEvent: OnBuildEvent;
      signal: AbortSignal;
      stop: () => void;
      firstNumber: number;
      jobs?: number | undefined;
    },
  ) {
    this.#world = world;
    this.#onEvent = onEvent;
    this.#signal = signal;
    this.#stop = stop;
    this.#slots = new Slots(jobs);
    this.#count = firstNumber;
  }

  key(vertex: Vertex): Promise<string> {
    return memo(this.#keys, vertex, () => this.#key(vertex));
  }

  snapshot(vertex: Vertex): Promise<Snapshot> {
    return memo(this.#snapshots, vertex, () => this.#snapshot(vertex));
  }

  /** Everything that is under way, to its end. @throws the first failure of the build */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#snapshots.values()]);
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending]);
    if (this.#firstFailure !== undefined) throw this.#firstFailure;
  }

  /** Steps whose key was worked out, whatever came of them. */
  solved(): SolvedStep[] {
    return [...this.#solved.values()];
  }

  /** All layers after a step, whoever made them; none: it was not run, and what it came to is not known any more. */
  async resultOf(vertex: StepVertex): Promise<Pick<StepRecord, 'layers' | 'made'>> {
    const solved = await this.#snapshots.get(vertex);
    if (solved !== undefined)
      return { layers: await storedLayers(solved), made: await Promise.all(solved.made) };
    return this.#world.findCached(await this.key(vertex)) ?? { layers: [], made: [] };
  }

  numberOf(vertex: Vertex): number {
    let number = this.#numbers.get(vertex);
    if (number === undefined) {
      number = this.#count++;
      this.#numbers.set(vertex, number);
    }
    return number;
  }

  /** For vertices of the caller's own, after those of the graph. */
  nextNumber(): number {
    return this.#count++;
  }

  async #key(vertex: Vertex): Promise<string> {
    if (vertex.kind === 'base') return this.#world.baseKey(vertex);
    // Begun at once: what one COPY --from needs of its stage is made while another's is.
    const own = this.#world.partsOf(vertex, this);
    own.catch(() => {});
    const parent = await this.key(vertex.parent);
    try {
      const parts = [{ name: 'parent', value: parent }, ...(await own)];
      const key = keyOf(parts);
      this.#solved.set(vertex, { vertex, key, parts });
      return key;
    } catch (error) {
      this.#start(vertex);
      throw this.#failed(vertex, error);
    }
  }

  async #snapshot(vertex: Vertex): Promise<Snapshot> {
    if (vertex.kind === 'base') return await this.#base(vertex);
    const key = await this.key(vertex);
    return await memo(this.#made, `${key} ${vertex.ignoreCache}`, () => this.#make(vertex, key));
  }

  async #make(vertex: StepVertex, key: string): Promise<Snapshot> {
    const cached = await this.#find(vertex, key);
    if (cached !== undefined) {
      this.#announceCached(vertex, cached);
      return { stored: cached.layers, fresh: [], made: cached.made.map((made) => Promise.resolve(made)) };
    }
    // All at once, so that independent stages are built side by side.
    const [below] = (await Promise.all(inputsOf(vertex).map((input) => this.snapshot(input)))) as [Snapshot];
    return await this.#run(vertex, below, key);
  }

  async #find(vertex: StepVertex, key: string): Promise<CachedStep | undefined> {
    if (vertex.ignoreCache) return undefined;
    const own = this.#world.findCached(key);
    if (own !== undefined) return own;
    try {
      return await this.#world.importCached(vertex, this, () => {
        this.#start(vertex);
        return this.numberOf(vertex);
      });
    } catch (error) {
      throw this.#failed(vertex, error);
    }
  }

  async #base(vertex: BaseVertex): Promise<Snapshot> {
    // One that a cached step stands on has had its last word.
    const isAnnounced = this.#numbers.has(vertex);
    this.#start(vertex);
    try {
      const snapshot = await this.#world.base(vertex);
      if (!isAnnounced)
        this.#onEvent({ type: 'done', vertex: this.numberOf(vertex), atMs: this.#world.now() });
      return snapshot;
    } catch (error) {
      throw this.#failed(vertex, error);
    }
  }

  async #run(vertex: StepVertex, below: Snapshot, key: string): Promise<Snapshot> {
    const giveBack = await this.#slots.take();
    try {
      if (this.#signal.aborted) throw cancelled();
      this.#start(vertex);
      const number = this.numberOf(vertex);
      const reason = vertex.ignoreCache
        ? undefined
        : this.#world.explainMiss(vertex, this.#solved.get(vertex)?.parts ?? []);
      if (reason !== undefined)
        this.#onEvent({ type: 'miss', vertex: number, reason, atMs: this.#world.now() });
      const layer = await this.#world.run(vertex, below, this, number);
      this.#onEvent({ type: 'done', vertex: number, atMs: this.#world.now() });
      const made = layer.stored.then((stored) => stored !== undefined);
      made.catch(() => {});
      const snapshot = { stored: below.stored, fresh: [...below.fresh, layer], made: [...below.made, made] };
      this.#pend(this.#keep(vertex, key, snapshot, layer));
      return snapshot;
    } catch (error) {
      throw this.#failed(vertex, error);
    } finally {
      giveBack();
    }
  }

  /** The record comes last: whatever it names is there. */
  async #keep(
    vertex: StepVertex,
    key: string,
    snapshot: Snapshot,
    layer: FreshLayer & { sizeBytes: Promise<number> },
  ): Promise<void> {
    try {
      const layers = await storedLayers(snapshot);
      const record: StepRecord = {
        layers,
        made: await Promise.all(snapshot.made),
        sizeBytes: await layer.sizeBytes,
        description: describe(vertex),
        createdAt: new Date(this.#world.now()).toISOString(),
      };
      this.#world.keep(key, record);
      this.#onEvent({
        type: 'stored',
        vertex: this.numberOf(vertex),
        layer: noteOf(record),
        atMs: this.#world.now(),
      });
    } catch (error) {
      throw this.#noted(error);
    }
  }

  /** What only a cached step would have needed is not looked at, and shown as cached all the same. */
  #announceCached(vertex: Vertex, cached?: CachedStep): void {
    // One whose layers were fetched has been started already.
    if (this.#cached.has(vertex) || (this.#numbers.has(vertex) && cached?.from === undefined)) return;
    this.#cached.add(vertex);
    for (const input of inputsOf(vertex)) this.#announceCached(input);
    this.#start(vertex);
    this.#onEvent({
      ...{ type: 'cached', vertex: this.numberOf(vertex), atMs: this.#world.now() },
      layer: cached === undefined ? undefined : noteOf(cached),
      ...(cached?.from === undefined ? {} : { from: cached.from }),
    });
  }

  #start(vertex: Vertex): void {
    if (this.#numbers.has(vertex)) return;
    this.#onEvent({
      type: 'start',
      vertex: this.numberOf(vertex),
      work: vertex.kind,
      stage: vertex.stage,
      name: vertex.name,
      atMs: this.#world.now(),
    });
  }

  #failed(vertex: Vertex, error: unknown): unknown {
    const canceled = this.#firstFailure !== undefined || this.#signal.aborted;
    this.#onEvent({
      type: 'error',
      vertex: this.numberOf(vertex),
      message: canceled ? 'context canceled' : error instanceof Error ? error.message : String(error),
      canceled,
      atMs: this.#world.now(),
    });
    return this.#noted(canceled ? error : this.#world.located(vertex, error));
  }

  /** Keeps the first failure and stops the rest. Returns what is to be thrown. */
  #noted(error: unknown): unknown {
    if (this.#firstFailure === undefined) {
      this.#firstFailure = error instanceof Error ? error : new Error(String(error));
      this.#stop();
    }
    return error;
  }

  #pend(work: Promise<unknown>): void {
    this.#pending.add(work);
    work.then(
      () => this.#pending.delete(work),
      () => this.#pending.delete(work),
    );
  }
}

/** "RUN make" */
export function describe({ name }: StepVertex): string {
  return name.replace(/^\[[^\]]*\] /, '');
}

function noteOf({ layers, made, sizeBytes }: StepRecord): LayerNote {
  return { digest: made.at(-1) === true ? layers.at(-1)?.diffId : undefined, sizeBytes };
}

function cancelled(): EngineError {
  return new EngineError('CANCELLED', 'building: cancelled');
}

/** One promise for each key; a failure is everybody's. */
function memo<K, V>(known: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  let promise = known.get(key);
  if (promise === undefined) {
    promise = make();
    promise.catch(() => {});
    known.set(key, promise);
  }
  return promise;
}
