// `build`: Dockerfile and context → image. Evaluates, solves, and gives the result its config and names.

import type { Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { sha256OfText } from '../core/sha256.ts';
import { addingBlobs } from '../image/adding.ts';
import { ensureImage } from '../image/ensure-image.ts';
import type { ImageEvent } from '../image/events.ts';
import { loadFromLayout } from '../image/load.ts';
import type { Layout } from '../image/load-oci.ts';
import { readBase, storeNewImage } from '../image/new-image.ts';
import { hostPlatform } from '../image/platform.ts';
import { chooseIdMap } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import type { HistoryEntry, Platform } from '../spec/image.ts';
import { buildCacheDir, hasCached, readCached, writeCached, type CachedLayer } from '../store/build-cache.ts';
import type { ResolvedImage } from '../store/images.ts';
import { ensureStore } from '../store/init.ts';
import type { RemoteSource } from './context/remote-source.ts';
import type { Selection } from './context/types.ts';
import { globalScope, unconsumedBuildArgs, unconsumedWarning } from './dockerfile/scope.ts';
import { proxyEnv } from './dockerfile/predefined-args.ts';
import { findTarget } from './dockerfile/stages.ts';
import { Evaluator, type EvaluatedStage } from './evaluate.ts';
import type { ContextEvent, OnBuildEvent } from './events.ts';
import { FileSteps } from './files/steps.ts';
import { stepsBelow } from './graph.ts';
import { finalConfig, historyEntry, squashedHistory, type Unset } from './image-config.ts';
import type { Arrived, BuildInput } from './input.ts';
import { NamedContexts, type NamedContext } from './named-contexts.ts';
import type { PullSettings, RunSettings } from './options.ts';
import type { BuildIds, BuildParts } from './parts.ts';
import { storedLayers, type Snapshot } from './snapshot.ts';
import { Solver } from './solve.ts';
import { squashLayers, type SquashMode } from './squash.ts';
import type { NotedStep } from './step-key.ts';
import { FIXED_TIME_SEC } from './times.ts';
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
  annotations: Readonly<Record<string, string>>;
  contexts: ReadonlyMap<string, NamedContext>;
  /** A named context that is elsewhere; once for each source. */
  fetchContext: (source: RemoteSource, vertex: number) => Promise<Arrived>;
  platform: Platform | undefined;
  pull: PullSettings;
  /** Steps at work at the same time; undefined: as many as there are processors. */
  jobs: number | undefined;
  noCache: boolean;
  /** Stages. */
  noCacheFilter: readonly string[];
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

export interface Built {
  image: ResolvedImage;
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
    const target = findTarget(dockerfile, this.#request.target);
    const host = hostPlatform(process.arch);
    const scope = globalScope(dockerfile, {
      buildArgs,
      buildPlatform: host,
      targetPlatform: this.#request.platform ?? host,
      targetStage: target.name,
    });
    const evaluator = new Evaluator({
      scope,
      findImage: (name, platform, layout) => this.#findImage(name, platform, layout),
      context: (name) => this.#contexts.resolve(name),
      historyOf: (image) => historyOf(this.#parts, image),
      ignoreCache: (stage) => this.#request.noCache || this.#request.noCacheFilter.includes(stage),
      hiddenEnv: proxyEnv(buildArgs),
    });
    const stage = await evaluator.stage(target);
    const unused = unconsumedBuildArgs(dockerfile, buildArgs, evaluator.triggerArgs);
    if (unused.length > 0) this.#parts.log.warn(unconsumedWarning(unused));
    const work = await WorkDir.open(this.#parts.paths, this.#ids.idMap);
    const files = this.#fileSteps(work);
    try {
      const world = new BuildWorld({
        ...{ parts: this.#parts, ids: this.#ids, work, files, onEvent, added, source: dockerfile },
        settings: this.#request.run,
        debug: this.#request.debug,
        keepsSteps: this.#request.pass !== 'second',
        previous: this.#previous(),
      });
      const solver = new Solver(world, {
        ...{ onEvent, signal: this.#parts.signal, stop: this.#stop },
        firstNumber: this.#numbers,
        jobs: this.#request.jobs,
      });
      try {
        const snapshot = await solver.snapshot(stage.top);
        await solver.settle();
        const image = await this.#export(solver, stage, snapshot, added);
        return { image, steps: await this.#stepsOf(solver, stage) };
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

  async #stepsOf(solver: Solver, { top }: EvaluatedStage): Promise<BuiltStep[]> {
    if (this.#request.pass === undefined) return [];
    const { file } = this.#request.input.dockerfile;
    return await Promise.all(
      stepsBelow(top).map(async (vertex): Promise<BuiltStep> => {
        const { layers, made } = await solver.resultOf(vertex);
        const { name, range } = vertex;
        return { name, place: `${file}:${range.line}`, layers, isMade: made.at(-1) === true };
      }),
    );
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
        platform: platform ?? this.#request.platform,
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

  #fileSteps(work: WorkDir): FileSteps {
    const { input, run } = this.#request;
    return new FileSteps({
      ...{ parts: this.#parts, ids: this.#ids, work },
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

  async #export(
    solver: Solver,
    stage: EvaluatedStage,
    snapshot: Snapshot,
    added: Set<Digest>,
  ): Promise<ResolvedImage> {
    const { tags, created, labels, unset, annotations, platform, squash, onEvent } = this.#request;
    const vertex = solver.nextNumber();
    const say = (text: string): void => onEvent({ type: 'status', vertex, text, atMs: Date.now() });
    onEvent({
      ...{ type: 'start', vertex, work: 'export', stage: undefined, atMs: Date.now() },
      name: 'exporting to image',
    });
    const base =
      stage.image === undefined
        ? undefined
        : readBase(this.#parts.paths, stage.image.manifestDigest, `image "${stage.image.reference}"`);
    const layers = await storedLayers(snapshot);
    const made = await Promise.all(snapshot.made);
    let step = 0;
    const history = stage.lines.map((line) =>
      historyEntry(line.createdBy, !line.makesStep || made[step++] !== true, created),
    );
    const all = squash === 'all';
    const baseLayers = stage.image?.layers.length ?? 0;
    const below = layers.slice(0, all ? 0 : baseLayers);
    const own = layers.slice(below.length);
    if (squash !== undefined) say(`squashing ${own.length} layers`);
    const { idMap } = this.#ids;
    const kept =
      squash === undefined ? own : await squashLayers(this.#parts, { below, layers: own, idMap, added });
    const image = await storeNewImage(this.#parts, {
      doing: 'exporting the image',
      references: tags,
      isKept: this.#request.keepsImage,
      base: all ? undefined : base,
      layers: kept,
      added,
      platform: stage.image?.platform ?? platform ?? hostPlatform(process.arch),
      config: finalConfig(stage.config, { labels, unset }),
      author: stage.author,
      created,
      history:
        kept === own
          ? history
          : squashedHistory(
              [...(all ? (base?.config.history ?? []) : []), ...history],
              own.length,
              kept.length,
              created,
            ),
      annotations: { ...annotations },
      idMap,
    });
    say('exporting layers done');
    say(`exporting manifest ${image.manifestDigest} done`);
    say(`writing image ${image.imageId} done`);
    for (const tag of tags) say(`naming to ${tag} done`);
    onEvent({ type: 'done', vertex, atMs: Date.now() });
    return image;
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
export function fixedCreated(sourceDateEpoch: string | undefined): string {
  return new Date(Number(sourceDateEpoch ?? FIXED_TIME_SEC) * 1000).toISOString().replace('.000Z', 'Z');
}
