// Heredocs of RUN, COPY and ADD: which ones an instruction opens. Their bodies are cut out by the lexer. (pure)

import { isSpace, parseJsonWords, splitInstruction } from './words.ts';
import { Mistake } from './errors.ts';

export interface HeredocHead {
  /** Delimiter, unquoted. */
  name: string;
  /** False when any part of the delimiter was quoted or escaped. */
  expand: boolean;
  stripTabs: boolean;
}

const HEREDOC = /^\d*<<(-?)([^<]+)$/;

/** In the order in which their bodies follow. None for other instructions and for the JSON form. */
export function heredocsOf(instruction: string): HeredocHead[] {
  if (!instruction.includes('<<')) return [];
  let { keyword, rest } = splitInstruction(instruction);
  if (/^onbuild$/i.test(keyword)) ({ keyword, rest } = splitInstruction(rest));
  if (!/^(?:run|copy|add)$/i.test(keyword) || isJson(rest)) return [];
  return (shellWords(rest) ?? []).flatMap((word) => parseHeredoc(word) ?? []);
}

/** `<<EOF`, `3<<-"E O F"`; undefined for any other word. */
export function parseHeredoc(word: string): HeredocHead | undefined {
  const match = HEREDOC.exec(word);
  if (match === null) return undefined;
  const delimiter = match[2] as string;
  const name = unquote(delimiter);
  if (name === undefined || name === '') return undefined;
  return { name, expand: name === delimiter, stripTabs: match[1] === '-' };
}

function isJson(text: string): boolean {
  try {
    return parseJsonWords(text) !== undefined;
  } catch (error) {
    // An array of other things is refused when the instruction is parsed.
    if (error instanceof Mistake) return true;
    throw error;
  }
}

/** Words as a shell cuts them, quotes kept; undefined when one is not closed. */
function shellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let start = -1;
  let quote = '';
  for (let i = 0; i <= text.length; i++) {
    const unit = text[i];
    if (unit === undefined || (quote === '' && isSpace(unit))) {
      if (start >= 0) words.push(text.slice(start, i));
      start = -1;
      continue;
    }
    if (start < 0) start = i;
    if (unit === '\\' && quote !== "'") i++;
    else if (unit === quote) quote = '';
    else if (quote === '' && (unit === '"' || unit === "'")) quote = unit;
  }
  return quote === '' ? words : undefined;
}

function unquote(word: string): string | undefined {
  const out: string[] = [];
  let quote = '';
  for (let i = 0; i < word.length; i++) {
    const unit = word[i] as string;
    if (unit === '\\' && quote !== "'") out.push(word[++i] ?? '');
    else if (unit === quote) quote = '';
    else if (quote === '' && (unit === '"' || unit === "'")) quote = unit;
    else out.push(unit);
  }
  return quote === '' ? out.join('') : undefined;
}
