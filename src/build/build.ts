// `build`: Dockerfile and context → image. Evaluates, solves, and gives the result its config and names.

import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { sha256OfText } from '../core/sha256.ts';
import { addingBlobs } from '../image/adding.ts';
import { ensureImage } from '../image/ensure-image.ts';
import { readBase } from '../image/new-image.ts';
import { hostPlatform } from '../core/platform.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import type { HistoryEntry, Platform } from '../spec/image.ts';
import { buildCacheDir, hasCached, readCached, writeCached, type CachedLayer } from '../store/build-cache.ts';
import type { ResolvedImage } from '../store/images.ts';
import { ensureStore } from '../store/init.ts';
import type { Selection } from './context/types.ts';
import { globalScope, unconsumedBuildArgs, unconsumedWarning } from './dockerfile/scope.ts';
import { proxyEnv } from './dockerfile/predefined-args.ts';
import { findTarget } from './dockerfile/stages.ts';
import type { Annotation } from './annotations.ts';
import { checkEmulators } from './emulators.ts';
import { Evaluator, type EvaluatedStage, type SharedImages } from './evaluate.ts';
import type { ContextEvent, OnBuildEvent } from './events.ts';
import { FileSteps, type ContextDir } from './files/steps.ts';
import { stepsBelow, type BaseVertex, type Vertex } from './graph.ts';
import type { BuildInput } from './input.ts';
import type { PullSettings, RunSettings } from './options.ts';
import type { BuildIds, BuildParts } from './parts.ts';
import type { Snapshot } from './snapshot.ts';
import { emulationOf } from './run/emulation.ts';
import { Solver } from './solve.ts';
import { storeResults, type StageResult, type StoredResult } from './store-results.ts';
import type { NotedStep } from './step-key.ts';
import { FIXED_TIME_SEC } from './times.ts';
import { WorkDir } from './work.ts';
import { BuildWorld } from './world.ts';

export interface BuildRequest {
  input: BuildInput;
  target: string | undefined;
  buildArgs: ReadonlyMap<string, string>;
  /** Full references. */
  tags: readonly string[];
  /** An image without a name is kept too. */
  keepsImage: boolean;
  labels: Readonly<Record<string, string>>;
  annotations: readonly Annotation[];
  /** Named contexts: a directory, or the reference of an image. */
  contexts: ReadonlyMap<
    string,
    { kind: 'directory'; dir: ContextDir } | { kind: 'image'; reference: string }
  >;
  /** None: this machine's, or whatever image is there. Several come to an index. */
  platforms: readonly Platform[];
  pull: PullSettings;
  noCache: boolean;
  /** Stages. */
  noCacheFilter: readonly string[];
  run: RunSettings;
  /** RFC 3339, of the image and its new history entries. */
  created: string;
  onEvent: OnBuildEvent;
  onContext: (event: ContextEvent) => void;
  /** One of two builds that are to be compared; of the second nothing is kept, not even in the cache. */
  pass?: 'first' | 'second';
}

export interface Built extends StoredResult {
  /** Of a build that is one of two: every step that it needed, inputs first. */
  steps: readonly BuiltStep[];
}

export interface BuiltStep {
  /** "[2/3] RUN make" */
  name: string;
  /** "Dockerfile:4" */
  place: string;
  /** Bottom first; none: not known any more. */
  layers: readonly CachedLayer[];
  /** Whether the last of them is the step's own. */
  isMade: boolean;
}

/** @throws DockerfileError, BUILD_STEP_FAILED and what pulls, steps and the store throw: nothing but cache is left then */
export async function buildImage(
  parts: BuildParts,
  request: BuildRequest,
  /** Of the caller's addingBlobs(); undefined: this build's own. */
  adding?: Set<Digest>,
): Promise<Built> {
  const { paths } = parts;
  ensureStore(paths);
  const ids = chooseIdMap(readIdMapInput(parts, undefined));
  for (const note of ids.notes) parts.log.warn(note);
  // The first failure ends everything that is under way, as the user's Ctrl-C does.
  const stop = new AbortController();
  const signal = AbortSignal.any([parts.signal, stop.signal]);
  const build = new Build({ ...parts, signal }, request, ids, () => stop.abort());
  try {
    if (adding !== undefined) return await build.run(adding);
    return await addingBlobs(paths, signal, (added) => build.run(added));
  } catch (error) {
    if (parts.signal.aborted) throw new EngineError('CANCELLED', 'building: cancelled', { cause: error });
    throw error;
  }
}

class Build {
  readonly #parts: BuildParts;
  readonly #request: BuildRequest;
  readonly #ids: BuildIds;
  readonly #stop: () => void;
  #numbers = 1;

  constructor(parts: BuildParts, request: BuildRequest, ids: BuildIds, stop: () => void) {
    this.#parts = parts;
    this.#request = request;
    this.#ids = ids;
    this.#stop = stop;
  }

  async run(added: Set<Digest>): Promise<Built> {
    const { input, buildArgs, onEvent } = this.#request;
    const { dockerfile } = input;
    const { stages, triggerArgs } = await this.#evaluate();
    const tops = stages.map(({ top }) => top);
    const unused = unconsumedBuildArgs(dockerfile, buildArgs, triggerArgs);
    if (unused.length > 0) this.#parts.log.warn(unconsumedWarning(unused));
    const work = await WorkDir.open(this.#parts.paths, this.#ids.idMap);
    const files = this.#fileSteps(work);
    try {
      const world = new BuildWorld({
        ...{ parts: this.#parts, ids: this.#ids, work, files, onEvent, added, source: dockerfile },
        settings: this.#request.run,
        keepsSteps: this.#request.pass !== 'second',
        previous: this.#previous(),
      });
      const solver = new Solver(world, {
        ...{ onEvent, signal: this.#parts.signal, stop: this.#stop },
        firstNumber: this.#numbers,
      });
      try {
        await checkEmulators(tops, world, {
          log: this.#parts.log,
          emulationOf: (platform) => emulationOf(platform, () => work.folder('probe')),
        });
        const snapshots = await Promise.all(tops.map((top) => solver.snapshot(top)));
        await solver.settle();
        const built = await this.#export(
          solver,
          stages.map((stage, i) => ({ stage, snapshot: snapshots[i] as Snapshot })),
          added,
        );
        return { ...built, steps: await this.#stepsOf(solver, tops) };
      } catch (error) {
        // What is still being stored ends before its folders go; the first failure is the one to tell.
        await solver.settle();
        throw error;
      } finally {
        if (this.#request.pass !== 'second') this.#note(solver);
      }
    } finally {
      files.close();
      await work.remove(this.#ids.idMap);
    }
  }

  /** The target for each platform, one after the other: pulls for one name would be in each other's way. */
  async #evaluate(): Promise<{ stages: EvaluatedStage[]; triggerArgs: Set<string> }> {
    const { input, buildArgs, platforms } = this.#request;
    const { dockerfile } = input;
    const target = findTarget(dockerfile, this.#request.target);
    const host = hostPlatform(process.arch);
    const shared: SharedImages = new Map<string, Promise<BaseVertex>>();
    const triggerArgs = new Set<string>();
    const stages: EvaluatedStage[] = [];
    for (const platform of platforms.length === 0 ? [undefined] : platforms) {
      const evaluator = new Evaluator({
        scope: globalScope(dockerfile, {
          ...{ buildArgs, buildPlatform: host, targetPlatform: platform ?? host, targetStage: target.name },
        }),
        findImage: (name, wanted) => this.#findImage(name, wanted),
        context: (name) => this.#request.contexts.get(name),
        historyOf: (image) => historyOf(this.#parts, image),
        ignoreCache: (stage) => this.#request.noCache || this.#request.noCacheFilter.includes(stage),
        hiddenEnv: proxyEnv(buildArgs),
        platform,
        ...(platforms.length > 1 ? { shared } : {}),
      });
      stages.push(await evaluator.stage(target));
      for (const name of evaluator.triggerArgs) triggerArgs.add(name);
    }
    return { stages, triggerArgs };
  }

  async #stepsOf(solver: Solver, tops: readonly Vertex[]): Promise<BuiltStep[]> {
    if (this.#request.pass === undefined) return [];
    const { file } = this.#request.input.dockerfile;
    return await Promise.all(
      stepsBelow(...tops).map(async (vertex): Promise<BuiltStep> => {
        const { layers, made } = await solver.resultOf(vertex);
        const { name, range } = vertex;
        return { name, place: `${file}:${range.line}`, layers, isMade: made.at(-1) === true };
      }),
    );
  }

  async #findImage(name: string, platform: Platform | undefined): Promise<ResolvedImage> {
    const { pull, onEvent } = this.#request;
    const vertex = this.#numbers++;
    onEvent({
      ...{ type: 'start', vertex, work: 'pull', stage: undefined, atMs: Date.now() },
      name: `[internal] load metadata for ${name}`,
    });
    try {
      const image = await ensureImage(this.#parts, name, pull.policy, {
        idMap: this.#ids.idMap,
        platform,
        registry: pull.registry,
        onEvent: (event) => onEvent({ type: 'image', vertex, event, atMs: Date.now() }),
      });
      onEvent({ type: 'done', vertex, atMs: Date.now() });
      return image;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      onEvent({ type: 'error', vertex, message, canceled: false, atMs: Date.now() });
      throw error;
    }
  }

  #fileSteps(work: WorkDir): FileSteps {
    const { input, contexts, run } = this.#request;
    return new FileSteps({
      ...{ parts: this.#parts, ids: this.#ids, work },
      context: (name) => {
        if (name === '') return input.context;
        const named = contexts.get(name);
        return named?.kind === 'directory' ? named.dir : undefined;
      },
      statFile: `${buildCacheDir(this.#parts.paths)}/stat-cache`,
      keepTimes: run.keepTimes,
      timed: (name, context, request) => this.#timed(name, () => context.select(request)),
    });
  }

  async #timed(name: string, select: () => Promise<Selection>): Promise<Selection> {
    const startMs = Date.now();
    const selection = await select();
    const files = selection.sources.flatMap((source) => source.files);
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    this.#request.onContext({
      ...{ type: 'context', name, files: files.length, sizeBytes },
      ...{ startMs, atMs: Date.now() },
    });
    return selection;
  }

  async #export(solver: Solver, results: readonly StageResult[], added: Set<Digest>): Promise<StoredResult> {
    const { tags, onEvent } = this.#request;
    const vertex = solver.nextNumber();
    const say = (text: string): void => onEvent({ type: 'status', vertex, text, atMs: Date.now() });
    onEvent({
      ...{ type: 'start', vertex, work: 'export', stage: undefined, atMs: Date.now() },
      name: 'exporting to image',
    });
    const into = { parts: this.#parts, ids: this.#ids, request: this.#request, added };
    const { image, platforms } = await storeResults(into, results);
    say('exporting layers done');
    for (const { manifestDigest } of platforms) say(`exporting manifest ${manifestDigest} done`);
    if (image.index === undefined) say(`writing image ${image.imageId} done`);
    else say(`exporting manifest list ${image.index} done`);
    for (const tag of tags) say(`naming to ${tag} done`);
    onEvent({ type: 'done', vertex, atMs: Date.now() });
    return { image, platforms };
  }

  /** Names the last build of the same target: of no consequence but for what is said of misses. */
  #identity(): string {
    const { input, target } = this.#request;
    return sha256OfText(JSON.stringify([input.name, input.dockerfile.file, target ?? '']));
  }

  #previous(): NotedStep[] {
    const value = readCached(this.#parts.paths, 'builds', this.#identity());
    return Array.isArray(value) ? (value as NotedStep[]) : [];
  }

  #note(solver: Solver): void {
    const done = solver.solved().filter(({ key }) => hasCached(this.#parts.paths, 'steps', key));
    const steps = done.map(({ vertex: { stage, position }, parts }): NotedStep => ({
      stage,
      position,
      parts,
    }));
    if (steps.length === 0) return;
    try {
      const before = JSON.stringify(this.#previous());
      if (before !== JSON.stringify(steps)) writeCached(this.#parts.paths, 'builds', this.#identity(), steps);
    } catch (error) {
      this.#parts.log.debug(`the build was not noted: ${String(error)}`);
    }
  }
}

function historyOf({ paths }: BuildParts, { manifestDigest, reference }: ResolvedImage): HistoryEntry[] {
  return readBase(paths, manifestDigest, `image "${reference}"`).config.history ?? [];
}

/** RFC 3339 of the time that images have unless something else is asked for. */
export function fixedCreated(timeSec: number = FIXED_TIME_SEC): string {
  return new Date(timeSec * 1000).toISOString().replace('.000Z', 'Z');
}
