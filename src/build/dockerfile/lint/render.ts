// Warnings as `docker build --check` prints them. (pure)

import type { Dockerfile } from '../ast.ts';
import { excerpt } from '../excerpt.ts';
import type { LintResult } from './lint.ts';
import type { LintWarning } from './report.ts';

/** Lines without the last newline. */
export function renderLint(dockerfile: Dockerfile, { warnings, error }: LintResult): string {
  const blocks = [summary(warnings.length), ...warnings.map((warning) => renderWarning(dockerfile, warning))];
  if (error !== undefined)
    blocks.push([error.detail ?? '', `ERROR: ${error.message}`].filter(Boolean).join('\n'));
  return blocks.join('\n\n');
}

/** One line, for a build that goes on. */
export function shortWarning({ rule, detail, range }: LintWarning): string {
  return `${rule}: ${detail} (line ${range.line})`;
}

function renderWarning(dockerfile: Dockerfile, { rule, description, detail, range }: LintWarning): string {
  return [`WARNING: ${rule} - ${description}`, detail, excerpt(dockerfile, range)].join('\n');
}

function summary(count: number): string {
  if (count === 0) return 'Check complete, no warnings found.';
  return count === 1
    ? 'Check complete, 1 warning has been found!'
    : `Check complete, ${count} warnings have been found!`;
}
