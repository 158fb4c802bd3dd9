// Parser directives: `# syntax=`, `# escape=` and `# check=`, which stand ahead of everything else. (pure)

import type { CheckDirective, Directives, SourceRange } from './ast.ts';
import { DockerfileError, located, Mistake, quoteShort } from './errors.ts';
import type { SourceText } from './errors.ts';

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)$/;
const KNOWN = ['syntax', 'escape', 'check'];
const NO_CHECK: CheckDirective = {
  skip: [],
  skipAll: false,
  experimental: [],
  experimentalAll: false,
  error: false,
};

/**
 * The first line that is no known directive ends them: from there on, `# escape=` is a comment. Keys are taken in any
 * case, each once. lines: how many there are, which are no comments.
 */
export function parseDirectives(source: SourceText): { directives: Directives; lines: number } {
  const found = new Map<string, { value: string; range: SourceRange }>();
  for (const [index, line] of source.lines.entries()) {
    const match = DIRECTIVE.exec(line.trim());
    const key = match?.[1]?.toLowerCase();
    if (match === null || key === undefined || !KNOWN.includes(key)) break;
    const range = { line: index + 1, column: line.indexOf(match[1] as string) + 1, endLine: index + 1 };
    if (found.has(key)) {
      throw new DockerfileError(source, range, `only one ${key} parser directive can be used`);
    }
    found.set(key, { value: (match[2] as string).trim(), range });
  }
  const escape = found.get('escape');
  const check = found.get('check');
  const directives: Directives = {
    syntax: found.get('syntax')?.value.split(/\s/, 1)[0],
    escape: escape === undefined ? '\\' : escapeOf(source, escape.value, escape.range),
    check: check === undefined ? NO_CHECK : located(source, check.range, () => parseCheck(check.value)),
  };
  return { directives, lines: found.size };
}

function escapeOf(source: SourceText, value: string, range: SourceRange): '\\' | '`' {
  if (value === '\\' || value === '`') return value;
  throw new DockerfileError(source, range, `invalid escape token '${value}' does not match \` or \\`);
}

/**
 * `skip=A,B;experimental=all;error=true`: of the directive, of a comment above an instruction, of the build argument
 * BUILDKIT_DOCKERFILE_CHECK. @throws Mistake
 */
export function parseCheck(text: string): CheckDirective {
  const check = { ...NO_CHECK };
  for (const part of text.split(';')) {
    const [key = '', value] = part.split(/=(.*)/s, 2).map((side) => side.trim());
    const names = (value ?? '').split(',').map((name) => name.trim());
    if (key === 'skip' && value === 'all') check.skipAll = true;
    else if (key === 'skip' && value !== undefined) check.skip = names;
    else if (key === 'experimental' && value === 'all') check.experimentalAll = true;
    else if (key === 'experimental' && value !== undefined) check.experimental = names;
    else if (key === 'error' && /^(?:true|false|1|0)$/i.test(value ?? '')) {
      check.error = /^(?:true|1)$/i.test(value ?? '');
    } else {
      throw new Mistake(`invalid check option ${quoteShort(part.trim())}`, {
        hint: 'it takes skip=RULE,…, experimental=RULE,… and error=true, separated by semicolons',
      });
    }
  }
  return check;
}
