// An instruction's text cut into words: keyword, flags and arguments, by the rules of BuildKit's parser. Quotes stay where
// the words are expanded later. (pure)

import { Mistake } from './errors.ts';

export interface InstructionText {
  keyword: string;
  flags: FlagText[];
  /** What follows the flags, trimmed. */
  rest: string;
  restOffset: number;
}

/** `--name=value` without its quotes. */
export interface FlagText {
  text: string;
  offset: number;
}

/** Blanks between arguments; other white space of Unicode belongs to a word. */
const BLANK = /[\t\v\f\r ]/;
const BLANKS = /[\t\v\f\r ]+/;

export function splitInstruction(text: string): InstructionText {
  const start = text.length - text.trimStart().length;
  const keyword = text.slice(start).split(BLANKS, 1)[0] as string;
  let at = start + keyword.length;
  const flags: FlagText[] = [];
  for (;;) {
    while (at < text.length && BLANK.test(text[at] as string)) at++;
    if (!text.startsWith('--', at)) break;
    const flag = readFlag(text, at);
    at = flag.end;
    // `--` alone ends the flags.
    if (flag.text === '--') break;
    flags.push({ text: flag.text, offset: flag.offset });
  }
  const rest = text.slice(at).trimStart();
  return { keyword, flags, rest: rest.trimEnd(), restOffset: text.length - rest.length };
}

/** One flag: quotes group and go, a backslash (whatever the escape directive says) takes the next character as it is. */
function readFlag(text: string, offset: number): FlagText & { end: number } {
  let at = offset;
  let quote = '';
  const out: string[] = [];
  for (; at < text.length; at++) {
    const unit = text[at] as string;
    if (quote === '' && BLANK.test(unit)) break;
    if (unit === quote) quote = '';
    else if (quote === '' && (unit === '"' || unit === "'")) quote = unit;
    else if (unit === '\\') {
      if (++at < text.length) out.push(text[at] as string);
    } else out.push(unit);
  }
  return { text: out.join(''), offset, end: at };
}

/** `a "b"  c` → `a`, `"b"`, `c`: cut at blanks alone; FROM, COPY, EXPOSE, VOLUME. */
export function splitBlanks(text: string): string[] {
  return text === '' ? [] : text.split(BLANKS);
}

/** Words in which quotes keep blanks together; quotes and escapes stay in them (ENV, LABEL, ARG). */
export function splitQuoted(text: string, escape: string): string[] {
  const words: string[] = [];
  let start = -1;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const unit = text[i] as string;
    if (start < 0) {
      if (isSpace(unit)) continue;
      start = i;
    }
    if (unit === escape && quote !== "'") {
      // At the very end it escapes nothing, and goes.
      if (i + 1 === text.length) text = text.slice(0, i);
      else i++;
    } else if (quote !== '') {
      if (unit === quote) quote = '';
    } else if (unit === '"' || unit === "'") quote = unit;
    else if (isSpace(unit)) {
      words.push(text.slice(start, i));
      start = -1;
    }
  }
  if (start >= 0 && start < text.length) words.push(text.slice(start));
  return words;
}

export function isSpace(unit: string): boolean {
  return /\s/.test(unit);
}

/** Name and the rest of the line, of the old forms `ENV name the rest`. */
export function splitFirst(text: string): [first: string, rest: string] | undefined {
  const match = /^([^\t\v\f\r ]+)[\t\v\f\r ]+(.*)$/s.exec(text);
  return match === null ? undefined : [match[1] as string, match[2] as string];
}

/** A JSON array of strings; undefined: it is none, so the shell form is meant. @throws Mistake for one of other things. */
export function parseJsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list)) return undefined;
  if (!list.every((item) => typeof item === 'string')) {
    throw new Mistake('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return list;
}
