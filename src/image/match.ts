// Patterns of names as docker matches them: Go's path.Match. `*` and `?` stop at "/", `[a-z]` and `[^a]` are classes, a
// backslash takes away the meaning of the next character. Pure.

import { EngineError } from '../core/errors.ts';

/** @throws USAGE for a class without an end or a backslash at the end */
export function matchesPattern(pattern: string, name: string): boolean {
  return toRegExp(pattern).test(name);
}

function toRegExp(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', i + 2);
      if (end === -1) throw bad(pattern);
      const negated = pattern[i + 1] === '^';
      const body = pattern.slice(i + (negated ? 2 : 1), end).replace(/[\\\]^]/g, '\\$&');
      source += `(?!/)[${negated ? '^' : ''}${body}]`;
      i = end;
    } else if (char === '\\') {
      i++;
      if (i === pattern.length) throw bad(pattern);
      source += escape(pattern[i] as string);
    } else source += escape(char);
  }
  try {
    return new RegExp(`^${source}$`, 'u');
  } catch {
    throw bad(pattern);
  }
}

function escape(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

function bad(pattern: string): EngineError {
  return new EngineError('USAGE', `reading pattern ${JSON.stringify(pattern)}: not a pattern of names`);
}
