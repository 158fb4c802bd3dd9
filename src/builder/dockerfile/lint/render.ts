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

/** What a build says of them at its end; undefined: nothing. */
export function renderShort(warnings: readonly LintWarning[]): string | undefined {
  if (warnings.length === 0) return undefined;
  const lines = warnings.map(({ rule, detail, range }) => ` - ${rule}: ${detail} (line ${range.line})`);
  const found = warnings.length === 1 ? '1 warning found' : `${warnings.length} warnings found`;
  return [`${found} (use --check to expand):`, ...lines].join('\n');
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
