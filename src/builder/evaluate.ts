// Dockerfile → graph. Stages are evaluated when something needs them, so what the target does not need is not looked at. The
// images that stages begin with are looked up by the caller; all else is pure.

import { formatPlatform } from '../core/platform.ts';
import type { Layout } from '../image/load-oci.ts';
import type { ResolvedImage } from '../store/images.ts';
import type { ImageConfigSection, Platform } from '../oci/image.ts';
import { withoutCredentials } from './context/credentials.ts';
import type {
  Dockerfile,
  ExpandedInstruction,
  ExpandedRun,
  Instruction,
  Mount,
  SourceRange,
  Stage,
} from './dockerfile/ast.ts';
import { DockerfileError } from './dockerfile/errors.ts';
import { parseTriggers } from './dockerfile/parse.ts';
import { resolveFrom, startState, walkStage, type GlobalScope, type StageState } from './dockerfile/scope.ts';
import { findOrigin, stageName } from './dockerfile/stages.ts';
import type { BaseVertex, FilesVertex, Origin, RunMount, RunVertex, StepVertex, Vertex } from './graph.ts';
import { shownPlatform, shownStage, stepName } from './step-name.ts';
import { configAfter, createdBy, resolveWorkdir, runArgs, scriptOf, startConfig } from './image-config.ts';

export interface EvaluateOptions {
  scope: GlobalScope;
  /** The image of that name, or undefined where the name is a context's directory. */
  findImage(name: string, platform: Platform | undefined, layout: Layout | undefined): Promise<ResolvedImage>;
  /** What --build-context says of a name. `layout`: the image is there, whatever its reference. */
  context(
    name: string,
  ): Promise<{ kind: 'directory' } | { kind: 'image'; reference: string; layout?: Layout } | undefined>;
  ignoreCache(stage: string): boolean;
  /** `NAME=value` of proxies. */
  hiddenEnv: readonly string[];
  /** What was asked for; undefined: whatever image is there. */
  platform: Platform | undefined;
  /** Of a build of several platforms: what their evaluators share. Steps say which one they are for then. */
  shared?: SharedImages;
}

/** Images by name and platform. */
export type SharedImages = Map<string, Promise<BaseVertex>>;

/** One line of the history: of a step, or of an instruction that makes no files. */
export interface HistoryLine {
  createdBy: string;
  makesStep: boolean;
}

export interface EvaluatedStage {
  stage: Stage;
  /** "linux/arm64", of a build of several. */
  platform: string | undefined;
  /** What the stage's file system is after its last instruction. */
  top: Vertex;
  config: ImageConfigSection;
  state: StageState;
  lines: HistoryLine[];
  author: string | undefined;
  /** The image at the bottom, undefined for scratch. */
  image: ResolvedImage | undefined;
}

export class Evaluator {
  readonly #options: EvaluateOptions;
  readonly #dockerfile: Dockerfile;
  readonly #stages = new Map<Stage, Promise<EvaluatedStage>>();
  readonly #images: SharedImages;
  /** ARGs that ONBUILD triggers declare. */
  readonly triggerArgs = new Set<string>();

  constructor(options: EvaluateOptions) {
    this.#options = options;
    this.#dockerfile = options.scope.dockerfile;
    this.#images = options.shared ?? new Map<string, Promise<BaseVertex>>();
  }

  /** @throws DockerfileError, what findImage throws */
  stage(stage: Stage): Promise<EvaluatedStage> {
    let evaluated = this.#stages.get(stage);
    if (evaluated === undefined) {
      evaluated = this.#evaluate(stage);
      evaluated.catch(() => {});
      this.#stages.set(stage, evaluated);
    }
    return evaluated;
  }

  async #evaluate(stage: Stage): Promise<EvaluatedStage> {
    const start = await this.#start(stage);
    const { triggers } = start;
    const instructions: Instruction[] = [...triggers, ...stage.instructions];
    for (const trigger of triggers)
      if (trigger.kind === 'arg') for (const { name } of trigger.args) this.triggerArgs.add(name);
    const total = instructions.filter(makesStep).length + 1;
    const evaluated: EvaluatedStage = { ...start, stage };
    const builder = new StageBuilder(this.#options, evaluated, this.#dockerfile, total);
    const walk = walkStage(this.#options.scope, instructions, start.state);
    let next = walk.next();
    for (let position = 0; next.done !== true; next = walk.next(), position++) {
      const { instruction, args, env } = next.value;
      const origins = await Promise.all(
        fromsOf(instruction).map((from) => this.#origin(from, stage, instruction.range)),
      );
      builder.add(instruction, { args, env }, position, origins);
    }
    evaluated.state = next.value;
    return evaluated;
  }

  async #start(stage: Stage): Promise<Omit<EvaluatedStage, 'stage'> & { triggers: Instruction[] }> {
    const from = resolveFrom(this.#options.scope, stage);
    const platform = this.#shownPlatform(from.platform);
    const none = { lines: [], author: undefined, triggers: [], platform };
    if (from.base.kind === 'stage') {
      const below = await this.stage(from.base.stage);
      return {
        platform: from.platform === undefined ? below.platform : platform,
        ...{ top: below.top, config: below.config, state: below.state },
        ...{
          image: below.image,
          author: below.author,
          triggers: this.#triggers(below.config.OnBuild, stage),
        },
        config: startConfig(below.config),
        lines: [...below.lines],
      };
    }
    if (from.base.kind === 'scratch') {
      const config = startConfig(undefined);
      const top: Vertex = {
        kind: 'base',
        name: `${stepName(stage, this.#dockerfile, 1, stage.instructions.filter(makesStep).length + 1, platform)} FROM scratch`,
        stage: shownStage(stage, platform),
        image: undefined,
      };
      return { ...none, top, config, state: startState(config.Env ?? []), image: undefined };
    }
    const { name } = from.base;
    const top = await this.#image(name, from.platform, stage, stage.range);
    const image = top.image as ResolvedImage;
    const config = startConfig(image.config);
    return {
      ...none,
      ...{ top, config, image },
      triggers: this.#triggers(image.config.OnBuild, stage),
      state: startState(config.Env ?? []),
    };
  }

  #shownPlatform(platform: Platform | undefined): string | undefined {
    return this.#options.shared === undefined
      ? undefined
      : formatPlatform(platform ?? this.#options.scope.options.targetPlatform);
  }

  #triggers(expressions: readonly string[] | null | undefined, stage: Stage): Instruction[] {
    return parseTriggers(expressions ?? [], this.#dockerfile, stage);
  }

  async #image(
    name: string,
    asked: Platform | undefined,
    stage: Stage,
    range: SourceRange,
  ): Promise<BaseVertex> {
    const platform = asked ?? this.#options.platform;
    const named = await this.#options.context(name);
    if (named?.kind === 'directory')
      throw new DockerfileError(
        this.#dockerfile,
        range,
        `${name}: the build context is a directory, not an image`,
      );
    const reference = named === undefined ? name : named.reference;
    const layout = named?.layout;
    const key = JSON.stringify([reference, platform, layout]);
    let vertex = this.#images.get(key);
    if (vertex === undefined) {
      const steps = stage.instructions.filter(makesStep).length + 1;
      const shown = this.#shownPlatform(platform);
      const label = `${stepName(stage, this.#dockerfile, 1, steps, shown)} FROM ${reference}`;
      vertex = this.#options
        .findImage(reference, platform, layout)
        .then((image): BaseVertex => ({ kind: 'base', name: label, stage: shownStage(stage, shown), image }));
      vertex.catch(() => {});
      this.#images.set(key, vertex);
    }
    return await vertex;
  }

  async #origin(from: string | undefined, stage: Stage, range: SourceRange): Promise<Origin> {
    if (from === undefined) return { kind: 'context', name: '' };
    const named = await this.#options.context(from);
    if (named?.kind === 'directory') return { kind: 'context', name: from };
    if (named?.kind === 'image')
      return { kind: 'vertex', vertex: await this.#image(from, undefined, stage, range) };
    const origin = findOrigin(this.#dockerfile, from, stage, range);
    if (origin.kind === 'stage') return { kind: 'vertex', vertex: (await this.stage(origin.stage)).top };
    return { kind: 'vertex', vertex: await this.#image(origin.name, undefined, stage, range) };
  }
}

/** --from of the instruction, and of its mounts that have sources, in order. */
function fromsOf(instruction: ExpandedInstruction): (string | undefined)[] {
  if (instruction.kind === 'copy') return [instruction.from];
  if (instruction.kind === 'add') return [undefined];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap((mount) =>
    mount.type === 'bind' || (mount.type === 'cache' && mount.from !== undefined) ? [mount.from] : [],
  );
}

/** Those that BuildKit counts in `[2/5]`. */
function makesStep({ kind }: Instruction | ExpandedInstruction): boolean {
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir';
}

type StepCommon = Pick<StepVertex, 'name' | 'parent' | 'stage' | 'position' | 'range' | 'ignoreCache'>;

class StageBuilder {
  readonly #options: EvaluateOptions;
  readonly #stage: EvaluatedStage;
  readonly #dockerfile: Dockerfile;
  readonly #total: number;
  #step = 1;
  #hasOwnCmd = false;

  constructor(options: EvaluateOptions, stage: EvaluatedStage, dockerfile: Dockerfile, total: number) {
    this.#options = options;
    this.#stage = stage;
    this.#dockerfile = dockerfile;
    this.#total = total;
  }

  add(
    instruction: ExpandedInstruction,
    state: StageState,
    position: number,
    origins: readonly Origin[],
  ): void {
    const stage = this.#stage;
    const { args } = state;
    const given = new Map([...args].map(([name, value]): [string, string] => [name, value ?? '']));
    const text = createdBy(instruction, stage.config, given);
    const config = configAfter(stage.config, instruction, this.#hasOwnCmd);
    if (instruction.kind === 'cmd') this.#hasOwnCmd = true;
    if (instruction.kind === 'maintainer') stage.author = instruction.maintainer;
    let step: StepVertex | undefined;
    if (makesStep(instruction)) {
      const common = this.#common(
        instruction,
        position,
        shownPlatform(this.#options.scope.options.targetPlatform, stage.platform, args),
      );
      if (instruction.kind === 'run') step = this.#run(common, instruction, state, origins);
      else if (instruction.kind === 'workdir')
        step = { ...common, kind: 'workdir', path: config.WorkingDir ?? '/', user: config.User ?? '' };
      else if (instruction.kind === 'copy' || instruction.kind === 'add')
        step = this.#files(common, instruction, origins[0] as Origin);
      if (step !== undefined) stage.top = step;
    }
    stage.config = config;
    stage.lines.push({ createdBy: text, makesStep: step !== undefined });
  }

  #common(instruction: ExpandedInstruction, position: number, platform: string | undefined): StepCommon {
    const { stage, top } = this.#stage;
    const name = stepName(stage, this.#dockerfile, ++this.#step, this.#total, platform);
    return {
      name: `${name} ${withoutCredentials(instruction.text.replace(/\s*\n\s*/g, ' '))}`,
      parent: top,
      stage: shownStage(stage, platform),
      position,
      range: instruction.range,
      // A step that is run again may leave something else under the same key, so what stands on it is run again too.
      ignoreCache: this.#options.ignoreCache(stageName(stage)) || (top.kind !== 'base' && top.ignoreCache),
    };
  }

  #run(
    common: StepCommon,
    instruction: ExpandedRun,
    { args, env }: StageState,
    origins: readonly Origin[],
  ): RunVertex {
    const { config } = this.#stage;
    const { command } = instruction;
    const script = command.form === 'shell' ? scriptOf(command.line, instruction.heredocs).file : undefined;
    const rest = [...origins];
    const mounts = instruction.mounts.map((mount): RunMount => {
      const hasOrigin = mount.type === 'bind' || (mount.type === 'cache' && mount.from !== undefined);
      return {
        mount: placed(this.#dockerfile, mount, config.WorkingDir, instruction.range),
        origin: hasOrigin ? rest.shift() : undefined,
      };
    });
    return {
      ...common,
      kind: 'run',
      args: runArgs(instruction, config),
      env: Array.from(env, ([name, value]) => `${name}=${value}`),
      buildArgs: new Set(args.keys()),
      hiddenEnv: this.#options.hiddenEnv,
      shell: config.Shell?.[0],
      user: config.User ?? '',
      cwd: config.WorkingDir ?? '/',
      mounts,
      script,
      network: instruction.network ?? 'default',
      insecure: instruction.security === 'insecure',
    };
  }

  #files(
    common: StepCommon,
    instruction: Extract<ExpandedInstruction, { kind: 'copy' | 'add' }>,
    origin: Origin,
  ): FilesVertex {
    const { kind, sources, heredocs, destination, chown, chmod, parents, exclude } = instruction;
    const isAdd = kind === 'add';
    return {
      ...common,
      kind: 'files',
      isAdd,
      origin,
      sources,
      heredocs,
      destination: destinationOf(this.#stage.config.WorkingDir, destination),
      chown: chown === '' ? undefined : chown,
      chmod: chmod === '' ? undefined : chmod,
      parents,
      exclude,
      checksum: isAdd ? instruction.checksum : undefined,
      keepGitDir: isAdd && instruction.keepGitDir,
      unpack: isAdd ? instruction.unpack : undefined,
    };
  }
}

/** A relative target of files is below WORKDIR. @throws DockerfileError for one that is the root */
function placed(
  dockerfile: Dockerfile,
  mount: Mount,
  workdir: string | undefined,
  range: SourceRange,
): Mount {
  if (mount.type === 'secret' || mount.type === 'ssh') return mount;
  const target = resolveWorkdir(workdir, mount.target);
  if (target !== '/') return { ...mount, target };
  throw new DockerfileError(dockerfile, range, `invalid mount target ${JSON.stringify(mount.target)}`);
}

/** "." and "dir/." are directories too. */
function destinationOf(workdir: string | undefined, destination: string): string {
  const path = resolveWorkdir(workdir, destination);
  return /(?:^|\/)\.{1,2}$/.test(destination) && !path.endsWith('/') ? `${path}/` : path;
}
