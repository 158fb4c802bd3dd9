// Shell patterns of ${VAR#p}, ${VAR%p} and ${VAR/p/r}: `*`, `?` and literals, without brackets (POSIX 2.13.1, as far as
// BuildKit has it). Matched segment by segment instead of by a regular expression, which a hostile pattern could stall. (pure)

import { Mistake } from './errors.ts';

/** One character of a segment: itself, or any one. */
type Unit = string | typeof ANY;
const ANY = Symbol('?');
/** The parts between stars: `a*b?` is [[a], [b, ANY]]. */
type Pattern = Unit[][];

/** Characters of the value times characters of the pattern. */
const MAX_WORK = 50_000_000;

export function trimPrefix(value: string, text: string, longest: boolean): string {
  const chars = [...value];
  const end = matchAt(chars, parsePattern(text, chars.length), 0, longest);
  return end === undefined ? value : chars.slice(end).join('');
}

export function trimSuffix(value: string, text: string, longest: boolean): string {
  const chars = [...value].reverse();
  const pattern = parsePattern(text, chars.length).reverse();
  const end = matchAt(
    chars,
    pattern.map((segment) => segment.toReversed()),
    0,
    longest,
  );
  return end === undefined ? value : chars.slice(end).reverse().join('');
}

/** The first match, or all of them; each as far left and as long as can be. */
export function replace(value: string, text: string, replacement: string, all: boolean): string {
  const chars = [...value];
  const pattern = parsePattern(text, chars.length);
  const out: string[] = [];
  let at = 0;
  while (at <= chars.length) {
    const first = pattern[0] as Unit[];
    const start = find(chars, first, at);
    const end = start === undefined ? undefined : matchAt(chars, pattern, start, true);
    // A later start leaves less room for the rest of the pattern: there is no match at all.
    if (start === undefined || end === undefined) break;
    out.push(chars.slice(at, start).join(''), replacement);
    at = end;
    if (!all || end === chars.length) break;
    // An empty match is one before each character, as in Go's regexp.
    if (end === start) out.push(chars[at++] as string);
  }
  return out.join('') + chars.slice(at).join('');
}

/** Index behind the match that begins at `start`: the nearest one, or the farthest. */
function matchAt(
  chars: readonly string[],
  pattern: Pattern,
  start: number,
  longest: boolean,
): number | undefined {
  const [first, ...rest] = pattern as [Unit[], ...Unit[][]];
  if (!fits(chars, first, start)) return undefined;
  let at = start + first.length;
  for (const [index, segment] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const found = isLast && longest ? findLast(chars, segment, at) : find(chars, segment, at);
    if (found === undefined) return undefined;
    at = found + segment.length;
  }
  return at;
}

function find(chars: readonly string[], segment: readonly Unit[], from: number): number | undefined {
  for (let at = from; at + segment.length <= chars.length; at++) if (fits(chars, segment, at)) return at;
  return undefined;
}

function findLast(chars: readonly string[], segment: readonly Unit[], from: number): number | undefined {
  for (let at = chars.length - segment.length; at >= from; at--) if (fits(chars, segment, at)) return at;
  return undefined;
}

function fits(chars: readonly string[], segment: readonly Unit[], at: number): boolean {
  if (at + segment.length > chars.length) return false;
  return segment.every((unit, i) => unit === ANY || unit === chars[at + i]);
}

/** A backslash makes `*`, `?` and itself literal; before `}` and `/` it was for ${} and goes. @throws Mistake */
function parsePattern(text: string, valueLength: number): Pattern {
  const pattern: Pattern = [[]];
  const chars = [...text];
  if (chars.length * valueLength > MAX_WORK) throw new Mistake('pattern and value are too long');
  for (let i = 0; i < chars.length; i++) {
    let unit: Unit = chars[i] as string;
    if (unit === '*') {
      pattern.push([]);
      continue;
    }
    if (unit === '?') unit = ANY;
    else if (unit === '\\') {
      const escaped = chars[++i] ?? '';
      if (!['*', '?', '\\', '}', '/'].includes(escaped)) {
        throw new Mistake(`invalid pattern (${text}) in substitution: invalid escape '\\${escaped}'`);
      }
      unit = escaped;
    }
    pattern.at(-1)?.push(unit);
  }
  return pattern;
}
