// `build --check`: what can be said about a Dockerfile without building it. (pure)

import { EngineError } from '../../../core/errors.ts';
import { formatPlatform } from '../../../core/platform.ts';
import type { Platform } from '../../../oci/image.ts';
import type { CheckDirective, Dockerfile, Stage } from '../ast.ts';
import { parseCheck } from '../directives.ts';
import { DockerfileError, Mistake, quoteShort } from '../errors.ts';
import { globalScope, resolveFrom, startState, walkStage } from '../scope.ts';
import type { GlobalScope, ResolvedFrom, ScopeOptions, StageState } from '../scope.ts';
import { findOrigin } from '../stages.ts';
import { checkFile } from './file-rules.ts';
import { checkFrom } from './from-rules.ts';
import { LintReport } from './report.ts';
import type { LintWarning } from './report.ts';
import { StageRules } from './stage-rules.ts';
import type { Inherited } from './stage-rules.ts';

export interface LintOptions extends ScopeOptions {
  /** What is known of the image a stage starts from; undefined: nothing, so that its variables are not missed. */
  readonly baseImage?: (from: ResolvedFrom) => BaseImage | undefined;
  /** Left out of the context by .dockerignore; path: relative, normalised. */
  readonly isIgnored?: (path: string) => boolean;
}

export interface BaseImage {
  readonly env: readonly string[];
  readonly platform: Platform | undefined;
  readonly hasShell: boolean;
}

export interface LintResult {
  /** By line. */
  readonly warnings: readonly LintWarning[];
  /** What would end the build; the checks go no further. */
  readonly error: DockerfileError | undefined;
}

interface CheckedStage {
  state: StageState;
  inherited: Inherited;
}

/** With `error=true`, warnings are errors: lintFailure. @throws USAGE for a wrong BUILDKIT_DOCKERFILE_CHECK */
export function lintDockerfile(dockerfile: Dockerfile, options: LintOptions): LintResult {
  const report = new LintReport(dockerfile, checkOf(dockerfile, options.buildArgs));
  try {
    checkFile(dockerfile, report);
    const scope = globalScope(dockerfile, options);
    const defaults = globalScope(dockerfile, { ...options, buildArgs: new Map() });
    const done: CheckedStage[] = [];
    for (const stage of dockerfile.stages) {
      checkFrom(scope, defaults, stage, report);
      done.push(checkStage(scope, stage, done, options, report));
    }
    return { warnings: report.warnings(), error: undefined };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    return { warnings: report.warnings(), error };
  }
}

/** What `check=error=true` makes of warnings, which are looked for only then. */
export function lintFailure(
  dockerfile: Dockerfile,
  buildArgs: ReadonlyMap<string, string>,
  warningsOf: () => readonly LintWarning[],
): DockerfileError | undefined {
  if (!checkOf(dockerfile, buildArgs).error) return undefined;
  const warnings = warningsOf();
  const [first] = warnings;
  if (first === undefined) return undefined;
  const rules = [...new Set(warnings.map(({ rule }) => rule))];
  return new DockerfileError(dockerfile, first.range, `lint violation found for rules: ${rules.join(', ')}`, {
    caret: false,
  });
}

/** The directive, or the build argument that replaces it. */
function checkOf(dockerfile: Dockerfile, buildArgs: ReadonlyMap<string, string>): CheckDirective {
  const given = buildArgs.get('BUILDKIT_DOCKERFILE_CHECK');
  if (given === undefined) return dockerfile.directives.check;
  try {
    return parseCheck(given);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    throw new EngineError('USAGE', `--build-arg BUILDKIT_DOCKERFILE_CHECK: ${error.message}`, {
      hint: error.hint,
    });
  }
}

function checkStage(
  scope: GlobalScope,
  stage: Stage,
  done: readonly CheckedStage[],
  options: LintOptions,
  report: LintReport,
): CheckedStage {
  const { dockerfile } = scope;
  const start = startOf(resolveFrom(scope, stage), stage, done, options, report);
  const rules = new StageRules(
    report,
    { escape: dockerfile.directives.escape, isIgnored: options.isIgnored },
    start.inherited,
  );
  const walk = walkStage(scope, stage.instructions, start.state);
  for (const written of stage.instructions) {
    const step = walk.next();
    if (step.done === true) break;
    rules.check(step.value, written);
    if (written.kind === 'copy' && written.from !== undefined) {
      findOrigin(dockerfile, written.from, stage, written.range);
    }
    if (written.kind !== 'run') continue;
    for (const { from, range } of written.mounts) {
      if (from !== undefined) findOrigin(dockerfile, from, stage, range);
    }
  }
  const end = walk.next();
  return { state: end.done === true ? end.value : start.state, inherited: rules.inherited };
}

function startOf(
  from: ResolvedFrom,
  stage: Stage,
  done: readonly CheckedStage[],
  options: LintOptions,
  report: LintReport,
): CheckedStage {
  if (from.base.kind === 'stage') return done[from.base.stage.index] as CheckedStage;
  const image = from.base.kind === 'scratch' ? undefined : options.baseImage?.(from);
  const wanted = from.platform ?? options.targetPlatform;
  const found = image?.platform;
  if (found !== undefined && (found.os !== wanted.os || found.architecture !== wanted.architecture)) {
    report.add(
      'InvalidBaseImagePlatform',
      stage,
      `Base image ${from.name} was pulled with platform ${quoteShort(formatPlatform(found))}, expected ${quoteShort(formatPlatform(wanted))} for current build`,
    );
  }
  // PATH is set in every stage, also FROM scratch.
  const env = image?.env ?? [];
  return {
    state: startState(env.some((entry) => entry.startsWith('PATH=')) ? env : ['PATH=/usr/bin', ...env]),
    inherited: {
      hasShell: image?.hasShell ?? false,
      hasWorkdir: false,
      knowsEnv: from.base.kind === 'scratch' || image !== undefined,
    },
  };
}
