// Source lines around a place, as docker build prints them, with a caret where there is a column. (pure)

import { withoutCredentials } from '../context/credentials.ts';
import type { SourceRange } from './ast.ts';

const CONTEXT_LINES = 2;
/** A heredoc of thousands of lines is not shown whole. */
const MAX_MARKED_LINES = 12;
const MAX_WIDTH = 160;
const RULER = '-'.repeat(20);

/**
 * ```
 * Dockerfile:2
 * --------------------
 *    1 |     FROM alpine
 *    2 | >>> RUNN make
 *      |     ^^^^
 * --------------------
 * ```
 * column: where the caret goes, on the first line of the range.
 */
export function excerpt(
  { file, lines }: { file: string; lines: readonly string[] },
  { line, endLine }: Pick<SourceRange, 'line' | 'endLine'>,
  column?: number,
): string {
  const first = Math.max(1, line - CONTEXT_LINES);
  const lastMarked = Math.min(endLine, line + MAX_MARKED_LINES - 1, lines.length);
  const last = Math.min(lines.length, lastMarked + CONTEXT_LINES);
  const out = [`${file}:${line}`, RULER];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1] as string;
    const marked = number >= line && number <= lastMarked;
    out.push(
      `${String(number).padStart(4)} | ${marked ? '>>>' : '   '} ${shorten(withoutCredentials(text))}`,
    );
    if (number === line && column !== undefined) out.push(caretLine(text, column));
    if (number === lastMarked && lastMarked < endLine) {
      out.push(`     | >>> (${endLine - lastMarked} more lines)`);
      break;
    }
  }
  out.push(RULER);
  return out.join('\n');
}

/** Below the word at `column`; tabs are kept, so that it stands right at any width of theirs. */
function caretLine(text: string, column: number): string {
  const before = withoutCredentials(text.slice(0, Math.min(column - 1, MAX_WIDTH)));
  const word = /^\S+/.exec(text.slice(column - 1, column - 1 + MAX_WIDTH))?.[0] ?? ' ';
  return `     |     ${before.replace(/[^\t]/gu, ' ')}${'^'.repeat([...word].length)}`;
}

function shorten(text: string): string {
  return text.length <= MAX_WIDTH ? text : `${text.slice(0, MAX_WIDTH)}…`;
}
