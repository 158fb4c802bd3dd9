// The checks of a Dockerfile around a build: all that `build --check` does, and `check=error=true` of any build.

import { hostPlatform } from '../core/platform.ts';
import { readIgnoreFile } from './context/context.ts';
import { lintDockerfile, lintFailure, type LintResult } from './dockerfile/lint/lint.ts';
import { renderLint, renderShort } from './dockerfile/lint/render.ts';
import { findTarget } from './dockerfile/stages.ts';
import type { BuildRequest } from './build.ts';

export type CheckRequest = Pick<BuildRequest, 'input' | 'target' | 'buildArgs' | 'platforms'>;

/** `--check`: what docker prints, and its exit status, which is 1 for warnings as well. Pulls and builds nothing. */
export function checkBuild(request: CheckRequest): { text: string; exitCode: number } {
  const result = lint(request);
  const isClean = result.warnings.length === 0 && result.error === undefined;
  return { text: renderLint(request.input.dockerfile, result), exitCode: isClean ? 0 : 1 };
}

/** @throws DockerfileError when the Dockerfile wants its warnings to be errors, and has some */
export function refuseWarnings(request: CheckRequest): void {
  const { input, buildArgs } = request;
  const failure = lintFailure(input.dockerfile, buildArgs, () => lint(request).warnings);
  if (failure !== undefined) throw failure;
}

/** What a build that went well has to say. */
export function warningsOf(request: CheckRequest): string | undefined {
  return renderShort(lint(request).warnings);
}

function lint({ input, target, buildArgs, platforms }: CheckRequest): LintResult {
  const { dockerfile, context } = input;
  const host = hostPlatform(process.arch);
  const matcher = context === undefined ? undefined : readIgnoreFile(context)?.matcher;
  return lintDockerfile(dockerfile, {
    buildArgs,
    buildPlatform: host,
    targetPlatform: platforms[0] ?? host,
    targetStage: findTarget(dockerfile, target).name,
    ...(matcher === undefined
      ? {}
      : { isIgnored: (path) => matcher.ignores(path) && !matcher.mayReinclude(path) }),
  });
}
