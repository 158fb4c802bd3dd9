// How steps are named in what a build tells: after their stage, and of a build of several platforms after the platform. (pure)

import { formatPlatform } from '../core/platform.ts';
import type { Platform } from '../oci/image.ts';
import type { Dockerfile, Stage } from './dockerfile/ast.ts';
import type { StageState } from './dockerfile/scope.ts';
import { stageName } from './dockerfile/stages.ts';

/** "[build 2/5]", of several platforms "[linux/arm64 build 2/5]" */
export function stepName(
  stage: Stage,
  { stages }: Dockerfile,
  step: number,
  total: number,
  platform: string | undefined,
): string {
  const isOnly = stage.name === undefined && stages.length === 1;
  const words = [platform, isOnly ? undefined : stageName(stage), `${step}/${total}`];
  return `[${words.filter((word) => word !== undefined).join(' ')}]`;
}

/** As BuildKit: linux/amd64->arm64 is a step for one machine's sake that is run on another. */
export function shownPlatform(
  target: Platform,
  platform: string | undefined,
  args: StageState['args'],
): string | undefined {
  const wanted = formatPlatform(target);
  const knowsTarget = [...args.keys()].some((name) => /^TARGET(?!STAGE)/.test(name));
  if (platform === undefined || platform === wanted || !knowsTarget) return platform;
  return `${platform}->${wanted.replace(/^linux\//, '')}`;
}

export function shownStage(stage: Stage, platform: string | undefined): string {
  return platform === undefined ? stageName(stage) : `${platform} ${stageName(stage)}`;
}
