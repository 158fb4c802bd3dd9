// What solving needs of the world (solve.ts, SolveWorld): the store, the cache, and the steps themselves.

import { EngineError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { sha256OfText } from '../core/sha256.ts';
import { hasBlob } from '../store/blobs.ts';
import { readStep, writeStep, type CachedLayer, type StepRecord } from '../store/build-cache.ts';
import { hasTree } from '../store/layers.ts';
import { excerpt } from './dockerfile/excerpt.ts';
import type { CacheImports, Taking } from './cache-transfer/imports.ts';
import type { OnBuildEvent } from './events.ts';
import type { FileSteps } from './files/steps.ts';
import {
  type BaseVertex,
  type RunMount,
  type RunVertex,
  type StepVertex,
  type Vertex,
  type WorkdirVertex,
} from './graph.ts';
import { keepLayer, treesOf } from './layer-store.ts';
import { explainMiss, type KeyPart, type NotedStep } from './step-key.ts';
import type { RunSettings } from './options.ts';
import { DebugShells, type DebugTerminal } from './run/debug-shell.ts';
import type { BuildIds, BuildParts } from './parts.ts';
import { holdMounts } from './run/mounts.ts';
import { runStep, type RunStep } from './run/step.ts';
import { chainsOf, HeldTrees, type FreshLayer, type Snapshot } from './snapshot.ts';
import type { CachedStep, Lookup, SolveWorld } from './solve.ts';
import { FIXED_TIME_SEC } from './times.ts';
import type { WorkDir } from './work.ts';

/** A file's time may be a tick older than the clock that we read. */
const CLOCK_SLACK_MS = 1000;

export interface WorldOptions {
  parts: BuildParts;
  ids: BuildIds;
  work: WorkDir;
  settings: RunSettings;
  /** Whether later builds may use what steps come to. */
  keepsSteps: boolean;
  files: FileSteps;
  /** Undefined: none is to be looked at. */
  imports: CacheImports | undefined;
  /** Steps of the last build of this target. */
  previous: readonly NotedStep[];
  onEvent: OnBuildEvent;
  added: Set<Digest>;
  /** The Dockerfile, to show the place of what fails. */
  source: { file: string; lines: readonly string[] };
  /** Where a RUN that fails opens a shell. */
  debug: DebugTerminal | undefined;
}

export class BuildWorld implements SolveWorld {
  readonly #parts: BuildParts;
  readonly #ids: BuildIds;
  readonly #work: WorkDir;
  readonly #settings: RunSettings;
  readonly #keepsSteps: boolean;
  readonly #files: FileSteps;
  readonly #imports: CacheImports | undefined;
  /** Steps that were run. */
  readonly ran = new Set<StepVertex>();
  readonly #previous: readonly NotedStep[];
  readonly #onEvent: OnBuildEvent;
  readonly #added: Set<Digest>;
  readonly #source: WorldOptions['source'];
  readonly #shells: DebugShells | undefined;

  constructor(options: WorldOptions) {
    this.#parts = options.parts;
    this.#ids = options.ids;
    this.#work = options.work;
    this.#settings = options.settings;
    this.#keepsSteps = options.keepsSteps;
    this.#files = options.files;
    this.#imports = options.imports;
    this.#previous = options.previous;
    this.#onEvent = options.onEvent;
    this.#added = options.added;
    this.#source = options.source;
    if (options.debug !== undefined) this.#shells = new DebugShells(options.debug);
  }

  now(): number {
    return Date.now();
  }

  located(vertex: Vertex, error: unknown): unknown {
    if (vertex.kind === 'base' || !(error instanceof EngineError) || error.detail !== undefined) return error;
    const { code, message, hint, cause } = error;
    const detail = excerpt(this.#source, vertex.range);
    return new EngineError(code, `failed to solve: ${message}`, { hint, cause, detail, exitCode: 1 });
  }

  baseKey({ image }: BaseVertex): string {
    return sha256OfText(JSON.stringify(image?.layers.map(({ diffId }) => diffId) ?? []));
  }

  base({ image }: BaseVertex): Promise<Snapshot> {
    return Promise.resolve({
      stored: (image?.layers ?? []).map(({ diffId, blob }) => ({ diffId, blob })),
      fresh: [],
      made: [],
    });
  }

  async partsOf(vertex: StepVertex, of: Lookup): Promise<KeyPart[]> {
    const own = vertex.kind === 'files' ? await this.#files.partsOf(vertex, of) : [];
    if (vertex.kind === 'files') return this.#withTimes(own);
    if (vertex.kind === 'workdir') return this.#withTimes(workdirParts(vertex));
    const mounts = await Promise.all(vertex.mounts.map((mount) => this.#mountPart(mount, of)));
    return this.#withTimes([...runParts(vertex, this.#settings), ...mounts.flat()]);
  }

  #withTimes(parts: KeyPart[]): KeyPart[] {
    return this.#settings.keepTimes ? [...parts, { name: '--timestamp', value: 'now' }] : parts;
  }

  /** Neither what a secret holds nor where it comes from can be in a key. */
  async #mountPart({ mount, origin }: RunMount, of: Lookup): Promise<KeyPart[]> {
    const name = `--mount ${mount.target ?? ''}`;
    if (mount.type !== 'bind') return [{ name, value: JSON.stringify(mount) }];
    if (origin === undefined) return [];
    const digest = await this.#files.digestOf(origin, mount.source, of);
    return [
      { name, value: JSON.stringify([mount.target, mount.readOnly]) },
      { name: `files of ${mount.source} for ${mount.target}`, value: digest },
    ];
  }

  findCached(key: string): StepRecord | undefined {
    const record = readStep(this.#parts.paths, key);
    return record !== undefined && this.#isWhole(record.layers) ? record : undefined;
  }

  isElsewhere(key: string): boolean {
    return this.#imports?.step(key) !== undefined;
  }

  async importCached(vertex: StepVertex, of: Lookup, start: () => number): Promise<CachedStep | undefined> {
    const taking: Taking = { ...this.#taking, start, onEvent: this.#onEvent };
    const found = await this.#imports?.take(vertex, of, taking);
    if (found === undefined) return undefined;
    for (const { key, record } of found.records)
      if (this.findCached(key) === undefined) this.keep(key, record);
    return found.step;
  }

  get #taking(): Pick<Taking, 'parts' | 'idMap' | 'added'> {
    return { parts: this.#parts, idMap: this.#ids.idMap, added: this.#added };
  }

  /** The blob is enough: a tree can be made from it. */
  #isWhole(layers: readonly CachedLayer[]): boolean {
    const { paths } = this.#parts;
    const chains = chainsOf(layers);
    return layers.every(
      ({ blob }, i) => hasBlob(paths, blob) || hasTree(paths, this.#ids.mapKey, chains[i] as Digest),
    );
  }

  keep(key: string, record: StepRecord): void {
    if (this.#keepsSteps) writeStep(this.#parts.paths, key, record);
  }

  explainMiss(vertex: StepVertex, parts: KeyPart[]): string | undefined {
    const step = { stage: vertex.stage, position: vertex.position, parts };
    return explainMiss(step, this.#previous, (before, after) => this.#files.changeBetween(before, after));
  }

  async run(
    vertex: StepVertex,
    below: Snapshot,
    of: Lookup,
    number: number,
  ): Promise<FreshLayer & { sizeBytes: Promise<number> }> {
    this.ran.add(vertex);
    const upper = this.#work.folder('upper');
    const startedMs = Date.now() - CLOCK_SLACK_MS;
    const stored = await treesOf(this.#parts, below.stored, this.#ids.idMap);
    const hold = (): HeldTrees => new HeldTrees(stored, below.fresh, this.#work.folder('empty'));
    const held = hold();
    let stubs: string[] = [];
    try {
      const place = {
        lower: held,
        trees: () => [...stored, ...below.fresh.map(({ dir }) => dir)].reverse(),
        upper,
        work: this.#work.folder('work'),
        containerDir: this.#work.folder('root'),
      };
      if (vertex.kind === 'run') stubs = await this.#runCommand(vertex, of, number, place, hold);
      else if (vertex.kind === 'files') await this.#files.copy(vertex, of, place);
      else await this.#files.makeWorkdir(vertex, place);
    } finally {
      held.close();
    }
    return await keepLayer(this.#parts, {
      upper,
      below,
      rules: {
        stubs,
        times: this.#settings.keepTimes ? undefined : { sinceMs: startedMs, toSec: FIXED_TIME_SEC },
      },
      idMap: this.#ids.idMap,
      doing: `storing ${JSON.stringify(vertex.name)}`,
      added: this.#added,
    });
  }

  async #runCommand(
    vertex: RunVertex,
    of: Lookup,
    number: number,
    place: StepPlace,
    hold: () => HeldTrees,
  ): Promise<string[]> {
    this.#checkEntitlements(vertex);
    const { paths, env, signal } = this.#parts;
    const mounts = await holdMounts(
      {
        paths,
        env,
        idMap: this.#ids.idMap,
        settings: this.#settings,
        lock: { signal, onWait: () => this.#say(number, 'waiting for a cache that another step has locked') },
        bindSource: ({ mount, origin }) => this.#files.bindSource(mount, origin, of),
        initCache: (folder, name, mount) => this.#initCache(folder, name, mount, of),
      },
      vertex.mounts,
    );
    const step: RunStep = {
      ...{ ...place, vertex, ids: this.#ids, settings: this.#settings, mounts },
      scriptDir: vertex.script === undefined ? '' : this.#work.folder('script'),
    };
    try {
      return await runStep(this.#parts, step, (stream, text) =>
        this.#onEvent({ type: 'log', vertex: number, stream, text, atMs: this.now() }),
      );
    } catch (error) {
      if (error instanceof EngineError && error.code === 'BUILD_STEP_FAILED')
        await this.#shells?.open(this.#parts, number, error, () => ({
          ...step,
          lower: hold(),
          // A volatile overlay never takes the same one again.
          work: this.#work.folder('work'),
          containerDir: this.#work.folder('root'),
        }));
      throw error;
    } finally {
      mounts.release();
    }
  }

  /** What another machine has left goes before what `from` has: it began with that. */
  async #initCache(folder: string, name: string, { mount, origin }: RunMount, of: Lookup): Promise<void> {
    const isRestored =
      mount.type === 'cache' &&
      (await this.#imports?.restore(mount, { folder, name }, this.#taking)) === true;
    if (!isRestored) await this.#files.initCache(folder, name, mount, origin, of);
  }

  #say(number: number, text: string): void {
    this.#onEvent({ type: 'status', vertex: number, text, atMs: this.now() });
  }

  #checkEntitlements({ insecure, network }: RunVertex): void {
    const { entitlements } = this.#settings;
    const wanted = insecure ? 'security.insecure' : network === 'host' ? 'network.host' : undefined;
    if (wanted === undefined || entitlements.has(wanted)) return;
    throw new EngineError('USAGE', `granting entitlement ${wanted} is not allowed`, {
      exitCode: 1,
      hint: `allow it with --allow ${wanted}`,
    });
  }
}

export interface StepPlace {
  lower: HeldTrees;
  /** Where they are on the host just now, topmost first: those of this build get other names while it goes on. */
  trees: () => readonly string[];
  upper: string;
  work: string;
  containerDir: string;
}

function workdirParts({ path, user }: WorkdirVertex): KeyPart[] {
  return [
    { name: 'instruction', value: `WORKDIR ${path}` },
    { name: 'USER', value: user },
  ];
}

function runParts(vertex: RunVertex, settings: RunSettings): KeyPart[] {
  const { args, script, env, buildArgs, user, cwd, network, insecure } = vertex;
  const set = (name: string, value: unknown, standard: unknown): KeyPart[] =>
    JSON.stringify(value) === JSON.stringify(standard) ? [] : [{ name, value: JSON.stringify(value) }];
  return [
    { name: 'instruction', value: JSON.stringify(script === undefined ? args : [...args, script.content]) },
    ...env.map((entry) => variablePart(entry, buildArgs)),
    { name: 'USER', value: user },
    { name: 'WORKDIR', value: cwd },
    ...set('network', network === 'default' ? settings.network : network, 'default'),
    ...set('--security', insecure, false),
    ...set('--add-host', settings.addHost, []),
    ...set('--ulimit', settings.ulimits, []),
    ...set('--shm-size', settings.shmSizeBytes, DEFAULT_SHM_BYTES),
  ];
}

function variablePart(entry: string, buildArgs: ReadonlySet<string>): KeyPart {
  const name = entry.split('=', 1)[0] as string;
  return { name: `${buildArgs.has(name) ? 'ARG' : 'ENV'} ${name}`, value: entry };
}

export const DEFAULT_SHM_BYTES = 64 * 2 ** 20;
