import { describe, expect, test } from 'vitest';
import type { BuildEvent } from '../../../src/builder/events.ts';
import type { BaseVertex, RunVertex, StepVertex, Vertex } from '../../../src/builder/graph.ts';
import { Solver, type CachedStep, type Lookup, type SolveWorld } from '../../../src/builder/solve.ts';
import type { Digest } from '../../../src/core/digest.ts';
import type { CachedLayer, StepRecord } from '../../../src/store/build-cache.ts';

const base: BaseVertex = { kind: 'base', name: 'FROM a', stage: 's', image: undefined };

function step(name: string, parent: Vertex, ignoreCache = false, from?: Vertex): RunVertex {
  return {
    ...{
      kind: 'run',
      name,
      parent,
      stage: 's',
      position: 0,
      range: { line: 1, column: 1, endLine: 1 },
      ignoreCache,
    },
    ...{ args: [name], env: [], buildArgs: new Set(), hiddenEnv: [], shell: undefined },
    ...{ user: '', cwd: '/', script: undefined },
    ...{ network: 'default', insecure: false },
    mounts:
      from === undefined
        ? []
        : [
            {
              mount: { type: 'bind', from: 'x', source: '/', target: '/x', readOnly: true },
              origin: { kind: 'vertex', vertex: from },
            },
          ],
  };
}

interface FakeOptions {
  run?: (vertex: StepVertex) => Promise<void>;
  storing?: (vertex: StepVertex) => Promise<void>;
  changesNothing?: string[];
}

class FakeWorld implements SolveWorld {
  readonly records = new Map<string, StepRecord>();
  readonly ran: string[] = [];
  elsewhere: ((vertex: StepVertex, start: () => number) => Promise<CachedStep | undefined>) | undefined;
  most = 0;
  #now = 0;
  #running = 0;
  readonly #options: FakeOptions;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
  }

  baseKey = () => 'base';
  base = () => Promise.resolve({ stored: [], fresh: [], made: [] });
  partsOf: SolveWorld['partsOf'] = (vertex) => Promise.resolve([{ name: 'instruction', value: vertex.name }]);
  findCached = (key: string) => this.records.get(key);
  isElsewhere = () => false;
  importCached = async (vertex: StepVertex, of: Lookup, start: () => number) => {
    const record = await this.elsewhere?.(vertex, start);
    if (record !== undefined) this.keep(await of.key(vertex), record);
    return record;
  };
  keep = (key: string, record: StepRecord) => void this.records.set(key, record);
  explainMiss = () => undefined;
  located = (_vertex: Vertex, error: unknown) => error;
  now = () => this.#now++;

  async run(vertex: StepVertex) {
    this.ran.push(vertex.name);
    this.#running++;
    this.most = Math.max(this.most, this.#running);
    try {
      await this.#options.run?.(vertex);
    } finally {
      this.#running--;
    }
    const layer = layerOf(vertex.name);
    const changed = this.#options.changesNothing?.includes(vertex.name) !== true;
    const stored = (this.#options.storing?.(vertex) ?? Promise.resolve()).then(() =>
      changed ? layer : undefined,
    );
    return { dir: `/${vertex.name}`, stored, sizeBytes: Promise.resolve(1) };
  }
}

function layerOf(name: string): CachedLayer {
  const digest = `sha256:${Buffer.from(name).toString('hex').padStart(64, '0')}` as Digest;
  return { diffId: digest, blob: { mediaType: 'tar', digest, size: 1 } };
}

async function solve(world: FakeWorld, target: Vertex, jobs = 4): Promise<BuildEvent[]> {
  const events: BuildEvent[] = [];
  const stop = new AbortController();
  const solver = new Solver(world, {
    ...{
      onEvent: (event) => events.push(event),
      signal: stop.signal,
      stop: () => stop.abort(),
      firstNumber: 1,
      jobs,
    },
  });
  try {
    await solver.snapshot(target);
  } finally {
    await solver.settle();
  }
  return events;
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

test('each step once, and at the second time none', async () => {
  const world = new FakeWorld();
  const one = step('one', base);
  const two = step('two', one);
  await solve(world, step('three', two, false, two));
  expect(world.ran).toEqual(['one', 'two', 'three']);
  const events = await solve(world, step('three', two, false, two));
  expect(world.ran).toHaveLength(3);
  // What is only shown comes in the order of the file.
  expect(events.filter(({ type }) => type === 'start').map((event) => 'name' in event && event.name)).toEqual(
    [...['FROM a', 'one', 'two', 'three']],
  );
  expect(events.filter(({ type }) => type === 'cached')).toHaveLength(4);
});

test('a result that is gone is made from what is left', async () => {
  const world = new FakeWorld();
  const one = step('one', base);
  const target = step('two', one);
  await solve(world, target);
  const [first, second] = [...world.records.keys()];
  world.records.delete(second as string);
  await solve(world, target);
  expect(world.ran).toEqual(['one', 'two', 'two']);
  world.records.delete(first as string);
  await solve(world, target);
  expect(world.ran).toHaveLength(3);
});

test('a vertex that is shown as cached has no other end', async () => {
  const world = new FakeWorld();
  await solve(world, step('one', base));
  const events = await solve(world, step('two', base, false, step('one', base)));
  const ends = events.filter(({ type }) => type === 'cached' || type === 'done').map(({ vertex }) => vertex);
  expect(ends).toHaveLength(new Set(ends).size);
});

test('--no-cache runs a step though its result is there', async () => {
  const world = new FakeWorld();
  await solve(world, step('one', base));
  await solve(world, step('one', base, true));
  expect(world.ran).toEqual(['one', 'one']);
});

test('independent stages side by side, within the number of jobs', async () => {
  const make = () => [1, 2, 3, 4].map((i) => step(`s${i}`, base));
  const join = (stages: RunVertex[]) =>
    stages
      .slice(1)
      .reduce<RunVertex>(
        (top, stage) => step(`join ${stage.name}`, top, false, stage),
        stages[0] as RunVertex,
      );
  const wide = new FakeWorld({ run: tick as () => Promise<void> });
  await solve(wide, join(make()), 4);
  expect(wide.most).toBeGreaterThan(1);
  const narrow = new FakeWorld({ run: tick as () => Promise<void> });
  await solve(narrow, join(make()), 1);
  expect(narrow.most).toBe(1);
  // As a COPY --from, whose key is made of what its stage comes to.
  const keyed = new FakeWorld({ run: tick as () => Promise<void> });
  keyed.partsOf = async (vertex, of) => {
    if (vertex.kind === 'run')
      for (const { origin } of vertex.mounts) if (origin?.kind === 'vertex') await of.snapshot(origin.vertex);
    return [{ name: 'instruction', value: vertex.name }];
  };
  await solve(keyed, join(make()), 4);
  expect(keyed.most).toBe(3);
});

test('the next step does not wait for the storing of a layer; the record does', async () => {
  let release: () => void = () => undefined;
  const stored = new Promise<void>((resolve) => (release = resolve));
  const world = new FakeWorld({
    storing: (vertex) => (vertex.name === 'one' ? stored : Promise.resolve()),
    run: (vertex) => {
      if (vertex.name === 'two') {
        expect(world.records.size).toBe(0);
        release();
      }
      return Promise.resolve();
    },
  });
  await solve(world, step('two', step('one', base)));
  expect([...world.records.values()].map(({ layers }) => layers.length)).toEqual([1, 2]);
});

test('a step that changes nothing has no layer', async () => {
  const world = new FakeWorld({ changesNothing: ['one'] });
  await solve(world, step('two', step('one', base)));
  const records = [...world.records.values()];
  expect(records.map(({ layers }) => layers)).toEqual([[], [layerOf('two')]]);
  expect(records.at(-1)?.made).toEqual([false, true]);
});

test('steps of the same key are one, whoever asks, but not where one ignores the cache', async () => {
  const world = new FakeWorld();
  const events = await solve(world, step('top', step('one', base), false, step('one', base)));
  expect(world.ran).toEqual(['one', 'top']);
  expect(events.filter((event) => event.type === 'start' && event.name === 'one')).toHaveLength(1);
  const other = new FakeWorld();
  await solve(other, step('top', step('one', base), false, step('one', base, true)));
  expect(other.ran).toEqual(['one', 'one', 'top']);
});

describe('failures', () => {
  test('the first one is told, the others are called off, and what was done is kept', async () => {
    const world = new FakeWorld({
      run: async (vertex) => {
        await tick();
        if (vertex.name === 'bad') throw new Error('bad failed');
        if (vertex.name === 'after') throw new Error('called off');
      },
    });
    const good = step('good', base);
    const bad = step('bad', good);
    const events: BuildEvent[] = [];
    const stop = new AbortController();
    const solver = new Solver(world, {
      ...{
        onEvent: (event) => events.push(event),
        signal: stop.signal,
        stop: () => stop.abort(),
        firstNumber: 1,
        jobs: 1,
      },
    });
    await expect(solver.snapshot(step('top', bad, false, step('other', base)))).rejects.toThrow();
    await expect(solver.settle()).rejects.toThrow('bad failed');
    expect(stop.signal.aborted).toBe(true);
    expect([...world.records.values()].map(({ description }) => description)).toContain('good');
    expect(world.ran).not.toContain('top');
  });

  test('nothing is at work any more when it has settled', async () => {
    let isDone = false;
    const world = new FakeWorld({
      run: async (vertex) => {
        if (vertex.name === 'bad') throw new Error('bad failed');
        await tick();
        isDone = true;
      },
    });
    await expect(solve(world, step('top', step('bad', base), false, step('long', base)))).rejects.toThrow(
      'bad failed',
    );
    expect(isDone).toBe(true);
  });

  test('a layer that cannot be stored is one too', async () => {
    const world = new FakeWorld({ storing: () => Promise.reject(new Error('disk full')) });
    await expect(solve(world, step('one', base))).rejects.toThrow('disk full');
    expect(world.records.size).toBe(0);
  });
});

describe('a cache of elsewhere', () => {
  const record: CachedStep = {
    ...{ layers: [layerOf('two')], made: [true, true], sizeBytes: 1, description: '', createdAt: '' },
    from: 'there',
  };

  test('spares a step, and all below it; the own cache goes first', async () => {
    const world = new FakeWorld();
    const asked: string[] = [];
    world.elsewhere = (vertex, start) => {
      asked.push(vertex.name);
      start();
      return Promise.resolve(vertex.name === 'two' ? record : undefined);
    };
    const target = step('three', step('two', step('one', base)));
    const events = await solve(world, target);
    expect(asked).toEqual(['three', 'two']);
    expect(world.ran).toEqual(['three']);
    const cached = events.filter((event) => event.type === 'cached');
    expect(cached.map((event) => event.from)).toEqual([undefined, undefined, 'there']);
    expect(new Set(events.filter(({ type }) => type === 'start').map(({ vertex }) => vertex)).size).toBe(4);
    await solve(world, target);
    expect(asked).toHaveLength(2);
  });

  test('is not asked for a step that is to be run', async () => {
    const world = new FakeWorld();
    world.elsewhere = () => Promise.resolve(record);
    await solve(world, step('two', base, true));
    expect(world.ran).toEqual(['two']);
  });

  test('that has nothing after all costs nothing but the step', async () => {
    const world = new FakeWorld();
    world.elsewhere = (_vertex, start) => Promise.resolve(start()).then(() => undefined);
    const events = await solve(world, step('one', base));
    expect(world.ran).toEqual(['one']);
    expect(events.filter(({ type }) => type === 'start')).toHaveLength(2);
  });
});
