// .dockerignore: text → patterns → a matcher (pure). The matching is @balena/dockerignore's, a port of docker's own code of
// 2020; what it gets wrong is set right here, before a pattern reaches it:
//
// - `( ) + { } | ^` mean themselves to docker; the port leaves them to the regular expression: they are escaped
// - " #a" is a name to docker, where the port would take it for a comment: escaped as well
// - a lone "!" is an error to docker; the port passes over it
// - a malformed pattern ("[a") must name its line
// - it remembers answers in an ordinary object, which "has" `constructor` and its like already
//
// --exclude has the same rules (`matchPatterns`).

import dockerignore, { type Ignore } from '@balena/dockerignore';
import { EngineError } from '../../core/errors.ts';

export interface IgnorePattern {
  /** Without the "!" of a negative one. */
  text: string;
  negative: boolean;
  /** What the user wrote, for messages. */
  written: string;
}

export interface IgnoreMatcher {
  /** path: relative, "a/b", as text (core/bytes.ts) */
  ignores(path: string): boolean;
  /** Whether something below an ignored directory may come back in. */
  mayReinclude(directory: string): boolean;
}

/** @param fileName for messages. @throws USAGE for a malformed pattern */
export function parseIgnoreFile(text: string, fileName: string): IgnorePattern[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  return lines.flatMap((line, i) => {
    if (line.startsWith('#') || line.trim() === '') return [];
    return [parsePattern(line, `${fileName}:${i + 1}`)];
  });
}

/** @param where for messages: `.dockerignore:3`, `--exclude` */
export function parsePattern(written: string, where: string): IgnorePattern {
  const trimmed = written.trim();
  const negative = trimmed.startsWith('!');
  const text = cleanPattern(negative ? trimmed.slice(1).trim() : trimmed);
  const pattern = { text, negative, written: trimmed };
  if (text === '') throw malformed(trimmed, where, 'it excludes nothing: a pattern must follow the "!"');
  try {
    createMatcher([{ ...pattern, negative: false }]).ignores('a');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed(trimmed, where, 'syntax error in pattern');
  }
  return pattern;
}

export function createMatcher(patterns: readonly IgnorePattern[]): IgnoreMatcher {
  const matcher = withCleanMemory(dockerignore.default({ ignorecase: false }));
  matcher.add(patterns.map(({ text, negative }) => `${negative ? '!' : ''}${escaped(text)}`));
  withCleanMemory(matcher);
  const negatives = patterns.filter(({ negative }) => negative).map(({ text }) => text.split('/'));
  return {
    ignores: (path) => patterns.length > 0 && matcher.ignores(path),
    mayReinclude: (directory) => {
      const parts = directory.split('/');
      return negatives.some((pattern) => reachesBelow(pattern, parts));
    },
  };
}

/** As Go's filepath.Clean, and relative: "/a//b/" and "./a/b" → "a/b". */
function cleanPattern(text: string): string {
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length > 0 || text === '' ? parts.join('/') : '.';
}

/** Whether `pattern` could match something inside the directory: compared part by part as long as both are literal. */
function reachesBelow(pattern: readonly string[], directory: readonly string[]): boolean {
  for (const [i, part] of directory.entries()) {
    const wanted = pattern[i];
    if (wanted === undefined) return true; // it names a directory above, and with it all that is inside
    if (/[*?[\\]/.test(wanted)) return true;
    if (wanted !== part) return false;
  }
  return true;
}

/** Characters that mean something to a regular expression and nothing to docker. */
function escaped(text: string): string {
  return text.replace(/\\.|\[\^|[()+{}|^]|^#/g, (found) => (found.length > 1 ? found : `\\${found}`));
}

function withCleanMemory(matcher: Ignore): Ignore {
  const memory = matcher as unknown as { _cache: object };
  memory._cache = Object.create(null) as object;
  return matcher;
}

function malformed(pattern: string, where: string, why: string): EngineError {
  return new EngineError('USAGE', `reading ${where}: pattern ${JSON.stringify(pattern)}: ${why}`, {
    exitCode: 1,
  });
}
