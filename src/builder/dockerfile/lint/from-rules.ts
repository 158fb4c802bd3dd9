// Rules about FROM: its variables and its platform. (pure)

import { EngineError } from '../../../core/errors.ts';
import { parseReference } from '../../../core/reference.ts';
import { parsePlatform } from '../../../core/platform.ts';
import type { Stage } from '../ast.ts';
import { Mistake, quoteShort } from '../errors.ts';
import { expandWord } from '../expand.ts';
import type { Expansion } from '../expand.ts';
import type { GlobalScope } from '../scope.ts';
import { nearest } from '../suggest.ts';
import type { LintReport } from './report.ts';

/** defaults: the scope without any --build-arg. */
export function checkFrom(scope: GlobalScope, defaults: GlobalScope, stage: Stage, report: LintReport): void {
  const from = tryExpand(scope, stage.from);
  const platform = stage.platform === undefined ? undefined : tryExpand(scope, stage.platform);
  const known = [...scope.declared, ...scope.env.keys()];
  for (const name of new Set([...(from?.missing ?? []), ...(platform?.missing ?? [])])) {
    if (known.includes(name)) continue;
    const suggestion = nearest(name, known);
    report.add(
      'UndefinedArgInFrom',
      stage,
      `FROM argument '${name}' is not declared${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`,
    );
  }
  const byDefault = tryExpand(defaults, stage.from);
  if (byDefault !== undefined && !isImageName(byDefault.text)) {
    report.add(
      'InvalidDefaultArgInFrom',
      stage,
      `Default value for ARG ${stage.from} results in empty or invalid base image name`,
    );
  }
  if (platform !== undefined) checkPlatform(scope, stage, platform, report);
}

function checkPlatform(
  { env, options }: GlobalScope,
  stage: Stage,
  { text, used, missing }: Expansion,
  report: LintReport,
): void {
  const written = stage.platform as string;
  if (used.size === 1 && missing.size === 0 && used.has('TARGETPLATFORM')) {
    if (text !== env.get('TARGETPLATFORM')) return;
    report.add(
      'RedundantTargetPlatform',
      stage,
      `Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`,
    );
  }
  if (used.size > 0 || missing.size > 0) return;
  const platform = ignoring(() => parsePlatform(text, options.targetPlatform));
  // A stage that is named after its platform means it.
  if (
    platform === undefined ||
    [platform.os, platform.architecture].some((part) => stage.name?.includes(part))
  )
    return;
  report.add(
    'FromPlatformFlagConstDisallowed',
    stage,
    `FROM --platform flag should not use constant value ${quoteShort(text)}`,
  );
}

/** Undefined: FROM is wrong in itself, which is an error of its own. */
function tryExpand({ dockerfile, env }: GlobalScope, word: string): Expansion | undefined {
  return ignoring(() => expandWord(word, env, { escape: dockerfile.directives.escape }));
}

function isImageName(text: string): boolean {
  return ignoring(() => parseReference(text)) !== undefined;
}

function ignoring<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof Mistake || error instanceof EngineError) return undefined;
    throw error;
  }
}
