// `build`: Dockerfile and context → image. Evaluates, solves, and gives the result its config and names.

import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { sha256OfText } from '../core/sha256.ts';
import { addingBlobs } from '../image/adding.ts';
import { ensureImage } from '../image/ensure-image.ts';
import { hostPlatform } from '../core/platform.ts';
import type { ImageEvent } from '../image/events.ts';
import { loadFromLayout } from '../image/load.ts';
import type { Layout } from '../image/load-oci.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import type { Platform } from '../oci/image.ts';
import { buildCacheDir, hasCached, readCached, writeCached, type CachedLayer } from '../store/build-cache.ts';
import type { ResolvedImage } from '../store/images.ts';
import { ensureStore } from '../store/init.ts';
import type { RemoteSource } from './context/remote-source.ts';
import type { Selection } from './context/types.ts';
import { globalScope, unconsumedBuildArgs, unconsumedWarning } from './dockerfile/scope.ts';
import { proxyEnv } from './dockerfile/predefined-args.ts';
import { findTarget } from './dockerfile/stages.ts';
import type { Annotation } from './annotations.ts';
import { contentOf, type CacheContent, type ContentInput } from './cache-transfer/content.ts';
import { ContentNotes } from './cache-transfer/contents.ts';
import type { CacheImports } from './cache-transfer/imports.ts';
import { checkEmulators } from './emulators.ts';
import { Evaluator, type EvaluatedStage, type SharedImages } from './evaluate.ts';
import type { ContextEvent, OnBuildEvent } from './events.ts';
import { FileSteps } from './files/steps.ts';
import { stepsBelow, type BaseVertex, type Vertex } from './graph.ts';
import type { Unset } from './image-config.ts';
import type { Arrived, BuildInput } from './input.ts';
import { NamedContexts, type NamedContext } from './named-contexts.ts';
import type { PullSettings, RunSettings } from './options.ts';
import type { BuildIds, BuildParts } from './parts.ts';
import type { Snapshot } from './snapshot.ts';
import { emulationOf } from './run/emulation.ts';
import { Solver } from './solve.ts';
import type { SquashMode } from './squash.ts';
import { storeResults, type StageResult, type StoredResult } from './store-results.ts';
import type { NotedStep } from './step-key.ts';
import type { DebugTerminal } from './run/debug-shell.ts';
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
  /** --unsetenv, --unsetlabel: what the image is not to have, whoever set it. */
  unset: Unset;
  annotations: readonly Annotation[];
  contexts: ReadonlyMap<string, NamedContext>;
  /** A named context that is elsewhere; once for each source. */
  fetchContext: (source: RemoteSource, vertex: number) => Promise<Arrived>;
  /** None: this machine's, or whatever image is there. Several come to an index. */
  platforms: readonly Platform[];
  pull: PullSettings;
  /** Steps at work at the same time; undefined: as many as there are processors. */
  jobs: number | undefined;
  noCache: boolean;
  /** Stages. */
  noCacheFilter: readonly string[];
  /** Undefined: nothing but the own one. */
  cache?: TransferredCache | undefined;
  run: RunSettings;
  /** RFC 3339, of the image and its new history entries. */
  created: string;
  /** Undefined: each step that changes something has a layer. */
  squash: SquashMode | undefined;
  /** --debug-shell */
  debug: DebugTerminal | undefined;
  onEvent: OnBuildEvent;
  onContext: (event: ContextEvent) => void;
  /** One of two builds that are to be compared; of the second nothing is kept, not even in the cache. */
  pass?: 'first' | 'second';
}

/** Caches of elsewhere. */
export interface TransferredCache {
  imports: CacheImports;
  /** What is to be exported is told. */
  isExported: boolean;
  /** In the manifest of the image. */
  inline: boolean;
}

export interface Built extends StoredResult {
  /** What another machine could use of it, for each platform; none where that was not asked for. */
  caches: readonly CacheContent[];
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

interface PreviousBuild {
  /** Of its file in the cache. */
  name: string;
  steps: readonly NotedStep[];
}

class Build {
  readonly #parts: BuildParts;
  readonly #request: BuildRequest;
  readonly #ids: BuildIds;
  readonly #stop: () => void;
  readonly #contexts: NamedContexts;
  #numbers = 1;

  constructor(parts: BuildParts, request: BuildRequest, ids: BuildIds, stop: () => void) {
    this.#parts = parts;
    this.#request = request;
    this.#ids = ids;
    this.#stop = stop;
    this.#contexts = new NamedContexts(request.contexts, (source) =>
      request.fetchContext(source, this.#numbers++),
    );
  }

  async run(added: Set<Digest>): Promise<Built> {
    const { input, buildArgs, onEvent } = this.#request;
    const { dockerfile } = input;
    const imports = this.#request.noCache ? undefined : this.#request.cache?.imports;
    const opening = imports?.open(onEvent, () => this.#numbers++);
    opening?.catch(() => {});
    const { stages, triggerArgs } = await this.#evaluate().finally(() => opening);
    const tops = stages.map(({ top }) => top);
    const unused = unconsumedBuildArgs(dockerfile, buildArgs, triggerArgs);
    if (unused.length > 0) this.#parts.log.warn(unconsumedWarning(unused));
    const previous = this.#previous();
    const work = await WorkDir.open(this.#parts.paths, this.#ids.idMap);
    const contents = new ContentNotes(this.#parts.paths, imports);
    const files = this.#fileSteps(work, contents);
    try {
      const world = new BuildWorld({
        ...{ parts: this.#parts, ids: this.#ids, work, files, imports, onEvent, added, source: dockerfile },
        settings: this.#request.run,
        debug: this.#request.debug,
        keepsSteps: this.#request.pass !== 'second',
        previous: previous.steps,
      });
      const solver = new Solver(world, {
        ...{ onEvent, signal: this.#parts.signal, stop: this.#stop },
        firstNumber: this.#numbers,
        jobs: this.#request.jobs,
      });
      try {
        await checkEmulators(tops, world, {
          log: this.#parts.log,
          emulationOf: (platform) => emulationOf(platform, () => work.folder('probe')),
        });
        const snapshots = await Promise.all(tops.map((top) => solver.snapshot(top)));
        await solver.settle();
        const caches = await this.#cachesOf(tops, {
          ...{ root: this.#parts.paths, of: solver, imports, ran: world.ran },
          contents: contents.used(),
        });
        const built = await this.#export(
          solver,
          stages.map((stage, i) => ({ stage, snapshot: snapshots[i] as Snapshot, cache: caches[i] })),
          added,
        );
        return { ...built, caches, steps: await this.#stepsOf(solver, tops) };
      } catch (error) {
        // What is still being stored ends before its folders go; the first failure is the one to tell.
        await solver.settle();
        throw error;
      } finally {
        if (this.#request.pass !== 'second') this.#note(solver, previous);
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
        findImage: (name, wanted, layout) => this.#findImage(name, wanted, layout),
        context: (name) => this.#contexts.resolve(name),
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

  async #cachesOf(tops: readonly Vertex[], input: Omit<ContentInput, 'top'>): Promise<CacheContent[]> {
    const { cache } = this.#request;
    if (cache === undefined || (!cache.isExported && !cache.inline)) return [];
    return await Promise.all(tops.map((top) => contentOf({ ...input, top })));
  }

  async #findImage(
    name: string,
    platform: Platform | undefined,
    layout: Layout | undefined,
  ): Promise<ResolvedImage> {
    const { pull, onEvent } = this.#request;
    const vertex = this.#numbers++;
    onEvent({
      ...{ type: 'start', vertex, work: 'pull', stage: undefined, atMs: Date.now() },
      name: `[internal] load metadata for ${name}`,
    });
    try {
      const options = {
        idMap: this.#ids.idMap,
        platform,
        onEvent: (event: ImageEvent): void => onEvent({ type: 'image', vertex, event, atMs: Date.now() }),
      };
      const { registry } = pull;
      const image =
        layout === undefined
          ? await ensureImage(this.#parts, name, pull.policy, { ...options, registry })
          : await loadFromLayout(this.#parts, layout, options);
      onEvent({ type: 'done', vertex, atMs: Date.now() });
      return image;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      onEvent({ type: 'error', vertex, message, canceled: false, atMs: Date.now() });
      throw error;
    }
  }

  #fileSteps(work: WorkDir, contents: ContentNotes): FileSteps {
    const { input, run } = this.#request;
    return new FileSteps({
      ...{ parts: this.#parts, ids: this.#ids, work, contents },
      context: (name) => (name === '' ? input.context : this.#contexts.dirOf(name)),
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
    if (this.#request.squash !== undefined) say('squashing layers');
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

  /** The last build of the same target: of no consequence but for what is said of misses. */
  #previous(): PreviousBuild {
    const { input, target } = this.#request;
    const name = sha256OfText(JSON.stringify([input.name, input.dockerfile.file, target ?? '']));
    const value = readCached(this.#parts.paths, 'builds', name);
    return { name, steps: Array.isArray(value) ? (value as NotedStep[]) : [] };
  }

  #note(solver: Solver, previous: PreviousBuild): void {
    const done = solver.solved().filter(({ key }) => hasCached(this.#parts.paths, 'steps', key));
    const steps = done.map(({ vertex: { stage, position }, parts }): NotedStep => ({
      stage,
      position,
      parts,
    }));
    if (steps.length === 0) return;
    try {
      if (JSON.stringify(previous.steps) !== JSON.stringify(steps))
        writeCached(this.#parts.paths, 'builds', previous.name, steps);
    } catch (error) {
      this.#parts.log.debug(`the build was not noted: ${String(error)}`);
    }
  }
}
