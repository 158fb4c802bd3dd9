// Which stage a name or number means: of --from, of a mount's from, of --target. (pure)

import type { Dockerfile, SourceRange, Stage } from './ast.ts';
import { DockerfileError, quoteShort } from './errors.ts';
import { didYouMean } from './suggest.ts';

/** Where files, or a base, come from. An image may also be the name of a context: the caller knows those. */
export type Origin =
  { readonly kind: 'stage'; readonly stage: Stage } | { readonly kind: 'image'; readonly name: string };

/**
 * `--from=NAME` in stage `at`. A number is a stage's; a name a stage's in any case, the latest one above; else an image's.
 * @throws DockerfileError for the stage itself and for later ones
 */
export function findOrigin(dockerfile: Dockerfile, from: string, at: Stage, range: SourceRange): Origin {
  const stage = /^\d{1,9}$/.test(from) ? dockerfile.stages[Number(from)] : byName(dockerfile, from, at);
  if (stage === undefined) {
    if (!/^\d+$/.test(from)) return { kind: 'image', name: from };
    throw new DockerfileError(dockerfile, range, `invalid stage index ${from}`, {
      hint: `the ${dockerfile.stages.length} stages count from 0`,
      caret: false,
    });
  }
  if (stage.index < at.index) return { kind: 'stage', stage };
  if (stage === at) {
    throw new DockerfileError(
      dockerfile,
      range,
      `circular dependency detected on stage: ${stageName(stage)}`,
      { caret: false },
    );
  }
  throw new DockerfileError(
    dockerfile,
    range,
    `cannot copy from stage ${quoteShort(from)}, it needs to be defined before current stage ${quoteShort(stageName(at))}`,
    { caret: false },
  );
}

/** FROM NAME: an earlier stage, else an image, also when a later stage has that name (`FROM alpine AS alpine`). */
export function findBase(dockerfile: Dockerfile, from: string, at: Stage): Origin {
  const name = from.toLowerCase();
  const stage = dockerfile.stages.slice(0, at.index).findLast((earlier) => earlier.name === name);
  return stage === undefined ? { kind: 'image', name: from } : { kind: 'stage', stage };
}

/** --target: a name in any case, or a number; the last stage when nothing is asked. @throws DockerfileError */
export function findTarget(dockerfile: Dockerfile, target: string | undefined): Stage {
  const { stages } = dockerfile;
  if (target === undefined || target === '') return stages.at(-1) as Stage;
  const name = target.toLowerCase();
  const found =
    stages.findLast((stage) => stage.name === name) ??
    (/^\d{1,9}$/.test(target) ? stages[Number(target)] : undefined);
  if (found !== undefined) return found;
  const names = stages.flatMap((stage) => stage.name ?? []);
  throw new DockerfileError(
    dockerfile,
    { line: 1, column: 1, endLine: 1 },
    `target stage ${quoteShort(target)} could not be found${didYouMean(name, names)}`,
    {
      hint: names.length === 0 ? 'no stage has a name' : `there are ${names.join(', ')}`,
      caret: false,
      place: false,
    },
  );
}

/** As messages and progress call it: its name, else `stage-0`. */
export function stageName(stage: Pick<Stage, 'name' | 'index'>): string {
  return stage.name ?? `stage-${stage.index}`;
}

/** The latest one above counts; only when there is none, one that comes too late. */
function byName(dockerfile: Dockerfile, from: string, at: Stage): Stage | undefined {
  const name = from.toLowerCase();
  const named = dockerfile.stages.filter((stage) => stage.name === name);
  return named.findLast((stage) => stage.index < at.index) ?? named.find((stage) => stage.index >= at.index);
}
