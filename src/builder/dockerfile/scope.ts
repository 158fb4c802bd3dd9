// Which variables an instruction sees: ARGs ahead of FROM, ARGs and ENVs of the stage, what the base brings, what --build-arg
// says. As BuildKit has it, the later of an ENV and an ARG of one name counts. (pure)

import { EngineError } from '../../core/errors.ts';
import { parsePlatform } from '../../core/platform.ts';
import type { Platform } from '../../oci/image.ts';
import type { ArgInstruction, Dockerfile, ExpandedInstruction, Instruction, Stage } from './ast.ts';
import { DockerfileError, located, Mistake, quoteShort } from './errors.ts';
import { expandInstruction } from './expand-instruction.ts';
import { expandWord } from './expand.ts';
import type { Env, ExpandOptions, Expansion } from './expand.ts';
import { isPredefined, platformArgs } from './predefined-args.ts';
import { findBase } from './stages.ts';
import type { Origin } from './stages.ts';
import { didYouMean } from './suggest.ts';

export interface ScopeOptions {
  /** --build-arg */
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** The stage that is built, if it has a name. */
  readonly targetStage: string | undefined;
}

/** What stands ahead of the first FROM, evaluated. */
export interface GlobalScope {
  readonly dockerfile: Dockerfile;
  readonly options: ScopeOptions;
  /** FROM's variables: automatic ones, and global ARGs that have a value. */
  readonly env: Env;
  /** Global ARGs, with a value or without. */
  readonly declared: ReadonlySet<string>;
}

/** The variables at one place of a stage. A live view: it changes as the walk goes on. */
export interface StageState {
  /** ENVs and ARGs. */
  readonly env: Env;
  /** ARGs in the order of their declaration, with the value that a RUN sees; undefined: declared, and without one. */
  readonly args: ReadonlyMap<string, string | undefined>;
}

export interface Step extends StageState {
  readonly instruction: ExpandedInstruction;
  /** Variables that were looked up in its words: those that had a value, and those that had none. */
  readonly used: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

export interface ResolvedFrom {
  /** The name, variables replaced. */
  readonly name: string;
  readonly base: Origin | { readonly kind: 'scratch' };
  readonly platform: Platform | undefined;
  readonly used: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

/** All that one stage may expand to, in UTF-16 units: a guard against files that double a value line by line. */
const MAX_EXPANDED = 64 * 2 ** 20;

/** @throws DockerfileError */
export function globalScope(dockerfile: Dockerfile, options: ScopeOptions): GlobalScope {
  const { buildArgs, buildPlatform, targetPlatform, targetStage } = options;
  const env = new Map(platformArgs(buildPlatform, targetPlatform, targetStage));
  for (const name of env.keys()) {
    const given = buildArgs.get(name);
    if (given !== undefined) env.set(name, given);
  }
  const declared = new Set<string>();
  for (const instruction of dockerfile.globalArgs) {
    located(dockerfile, instruction.range, () => {
      for (const { name, value } of instruction.args) {
        declared.add(name);
        const result =
          buildArgs.get(name) ?? (value === undefined ? undefined : expand(dockerfile, value, env).text);
        if (result !== undefined) env.set(name, result);
      }
    });
  }
  return { dockerfile, options, env, declared };
}

/** FROM with its variables replaced. @throws DockerfileError */
export function resolveFrom(scope: GlobalScope, stage: Stage): ResolvedFrom {
  const { dockerfile, env } = scope;
  return located(dockerfile, stage.range, () => {
    const from = expand(dockerfile, stage.from, env);
    if (from.text === '') {
      throw new Mistake(
        `base name (${stage.from}) should not be blank${suggestAny(from.missing, env.keys())}`,
        { hint: 'declare the ARG ahead of the first FROM, with a default, or give it by --build-arg' },
      );
    }
    const platform = stage.platform === undefined ? undefined : expand(dockerfile, stage.platform, env);
    const base = findBase(dockerfile, from.text, stage);
    return {
      name: from.text,
      base: base.kind === 'image' && base.name === 'scratch' ? { kind: 'scratch' } : base,
      platform: platform === undefined ? undefined : platformOf(scope, stage, platform),
      used: new Set([...from.used, ...(platform?.used ?? [])]),
      missing: new Set([...from.missing, ...(platform?.missing ?? [])]),
    };
  });
}

/** What a stage on an image begins with; imageEnv: the Env of its config, PATH included. */
export function startState(imageEnv: readonly string[]): StageState {
  const env = new Map(
    imageEnv.map((entry): [string, string] => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
  return { env, args: new Map() };
}

/**
 * One step after the other, each with the variables ahead of it; when all are done, the state in which the stage ends, which
 * a stage FROM it starts with.
 * instructions: of the stage, behind the ONBUILD triggers of its base
 * @throws DockerfileError
 */
export function* walkStage(
  scope: GlobalScope,
  instructions: readonly Instruction[],
  start: StageState,
): Generator<Step, StageState> {
  const state = { env: new Map(start.env), args: new Map(start.args) };
  let expandedLength = 0;
  for (const instruction of instructions) {
    const used = new Set<string>();
    const missing = new Set<string>();
    const read = (word: string, options?: ExpandOptions): Expansion => {
      const expansion = expand(scope.dockerfile, word, state.env, options);
      for (const name of expansion.used) used.add(name);
      for (const name of expansion.missing) missing.add(name);
      expandedLength += expansion.text.length;
      if (expandedLength > MAX_EXPANDED) throw new Mistake('variables make this stage too long');
      return expansion;
    };
    const expanded = located(scope.dockerfile, instruction.range, () =>
      instruction.kind === 'arg'
        ? declareArgs(scope, state, instruction, (word) => read(word).text)
        : expandInstruction(instruction, {
            word: (word) => read(word).text,
            words: (word) => read(word).words,
            heredoc: (content) => read(content, { heredoc: true }).text,
          }),
    );
    yield { ...state, instruction: expanded, used, missing };
    if (expanded.kind !== 'env') continue;
    for (const { name, value } of expanded.pairs) {
      state.env.set(name, value);
      if (state.args.has(name)) state.args.set(name, value);
    }
  }
  return state;
}

/**
 * Sets the ARGs one by one: a later one of the line may use an earlier one. --build-arg counts more than the default here,
 * the default here more than the value ahead of FROM.
 */
function declareArgs(
  { env: globals, options }: GlobalScope,
  state: { env: Map<string, string>; args: Map<string, string | undefined> },
  instruction: ArgInstruction,
  read: (word: string) => string,
): ArgInstruction {
  const args = instruction.args.map(({ name, value: word }) => {
    const value = options.buildArgs.get(name) ?? (word === undefined ? globals.get(name) : read(word));
    if (value !== undefined) state.env.set(name, value);
    state.args.set(name, value ?? state.env.get(name));
    return { name, value };
  });
  return { ...instruction, args };
}

/** Build arguments that no ARG asks for. alsoDeclared: by ONBUILD triggers of base images. */
export function unconsumedBuildArgs(
  dockerfile: Dockerfile,
  buildArgs: ReadonlyMap<string, string>,
  alsoDeclared: Iterable<string> = [],
): string[] {
  const declared = new Set(alsoDeclared);
  for (const instruction of [
    ...dockerfile.globalArgs,
    ...dockerfile.stages.flatMap((stage) => stage.instructions),
  ]) {
    if (instruction.kind === 'arg') for (const { name } of instruction.args) declared.add(name);
  }
  return [...buildArgs.keys()].filter((name) => !declared.has(name) && !isPredefined(name));
}

/** docker's words for them. */
export function unconsumedWarning(names: readonly string[]): string {
  return `one or more build-args [${names.join(' ')}] were not consumed`;
}

function expand(dockerfile: Dockerfile, word: string, env: Env, options?: ExpandOptions): Expansion {
  return expandWord(word, env, { escape: dockerfile.directives.escape, ...options });
}

function platformOf(scope: GlobalScope, stage: Stage, { text, missing }: Expansion): Platform {
  const written = stage.platform as string;
  const suggestion = suggestAny(missing, scope.env.keys());
  if (text === '') throw new Mistake(`empty platform value from expression ${written}${suggestion}`);
  try {
    return parsePlatform(text, scope.options.targetPlatform);
  } catch (error) {
    if (!(error instanceof EngineError) || error instanceof DockerfileError) throw error;
    throw new Mistake(`failed to parse platform ${quoteShort(written)}: ${error.message}${suggestion}`, {
      hint: error.hint,
    });
  }
}

function suggestAny(names: Iterable<string>, options: Iterable<string>): string {
  const known = [...options];
  return [...names].map((name) => didYouMean(name, known)).find((text) => text !== '') ?? '';
}
