// What must hold of any bytes taken for a Dockerfile: an answer, or a DockerfileError at a place of the file.

import type { Dockerfile } from '../../../src/builder/dockerfile/ast.ts';
import { DockerfileError } from '../../../src/builder/dockerfile/errors.ts';
import { lintDockerfile } from '../../../src/builder/dockerfile/lint/lint.ts';
import { renderLint } from '../../../src/builder/dockerfile/lint/render.ts';
import { parseDockerfile } from '../../../src/builder/dockerfile/parse.ts';
import { globalScope, resolveFrom, startState, walkStage } from '../../../src/builder/dockerfile/scope.ts';
import { formatDockerfile, meaningOf } from '../../helpers/dockerfile-format.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
export const OPTIONS = {
  buildArgs: new Map([
    ['A', 'x*y'],
    ['N', ''],
  ]),
  buildPlatform: PLATFORM,
  targetPlatform: PLATFORM,
  targetStage: undefined,
};

export type Verdict = 'refused' | 'read';

/** @throws whatever is no DockerfileError, and for a place that is not in the file */
export function judge(bytes: Uint8Array): Verdict {
  try {
    const dockerfile = parseDockerfile(bytes, 'Dockerfile');
    renderLint(dockerfile, lintDockerfile(dockerfile, OPTIONS));
    const scope = globalScope(dockerfile, OPTIONS);
    for (const stage of dockerfile.stages) {
      resolveFrom(scope, stage);
      const steps = walkStage(scope, stage.instructions, startState(['PATH=/bin', 'A=b']));
      while (steps.next().done !== true);
    }
    return 'read';
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const { line, column, endLine } = error;
    const lines = Buffer.from(bytes).toString('utf8').split('\n').length;
    if (line < 1 || column < 1 || endLine < line || endLine > lines) {
      throw new Error(`place ${line}:${column}-${endLine} of ${lines} lines`, { cause: error });
    }
    return 'refused';
  }
}

/**
 * `RUN a \ \` at the end of a file is `RUN a \`, which has no other place; and ports are sorted, so that a strange blank
 * may come to an end, where it would be cut off.
 */
function canBeWritten({ directives, stages, globalArgs }: Dockerfile): boolean {
  const nodes = [...globalArgs, ...stages.flatMap((stage) => [stage, ...stage.instructions])];
  const { escape } = directives;
  return nodes.every((node) => {
    const { text } = node;
    if ('kind' in node && node.kind === 'expose' && node.ports.some((port) => port !== port.trim()))
      return false;
    return !text.endsWith(escape) || text.endsWith(escape + escape);
  });
}

/** Undefined: not a Dockerfile, or one that cannot be written. Else the tree of the text, and of the text made from that tree. */
export function roundTrip(
  text: string,
): { first: unknown; second: unknown; texts: [string, string] } | undefined {
  let dockerfile;
  try {
    dockerfile = parseDockerfile(Buffer.from(text), 'Dockerfile');
  } catch (error) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
  if (!canBeWritten(dockerfile)) return undefined;
  const formatted = formatDockerfile(dockerfile);
  const again = parseDockerfile(Buffer.from(formatted), 'formatted');
  return {
    first: meaningOf(dockerfile),
    second: meaningOf(again),
    texts: [formatted, formatDockerfile(again)],
  };
}
