// Source → logical lines: continuations joined, comments dropped, heredocs' bodies cut out. Every line is looked at once, so
// time grows with the size of the file, however it is made. (pure)

import type { Heredoc, SourceRange } from './ast.ts';
import { DockerfileError } from './errors.ts';
import type { SourceText } from './errors.ts';
import { heredocsOf } from './heredoc.ts';
import type { HeredocHead } from './heredoc.ts';

/** One instruction. */
export interface LogicalLine {
  text: string;
  /** Where each piece of `text` comes from, in order. */
  pieces: { offset: number; line: number; column: number }[];
  endLine: number;
  comments: string[];
  heredocs: Heredoc[];
  emptyContinuations: SourceRange[];
}

/** lineEnds: the end of each line that is not `\n`; heredocs keep theirs. */
export interface LexerInput extends SourceText {
  readonly lineEnds: ReadonlyMap<number, string>;
}

/** first: index of the line to begin with, behind the directives. */
export function splitLogicalLines(source: LexerInput, escape: '\\' | '`', first = 0): LogicalLine[] {
  const out: LogicalLine[] = [];
  let comments: string[] = [];
  for (let next = first; next < source.lines.length;) {
    const line = (source.lines[next] as string).trimStart();
    if (line.startsWith('#')) {
      const comment = line.slice(1).trim();
      // An empty comment, as an empty line, parts what stands above it from the instruction.
      if (comment === '') comments = [];
      else comments.push(comment);
      next++;
    } else if (line === '') {
      comments = [];
      next++;
    } else {
      const logical = readLogicalLine(source, next, escape, comments);
      comments = [];
      next = logical.endLine;
      if (logical.text.trim() !== '') out.push(logical);
    }
  }
  return out;
}

function readLogicalLine(source: LexerInput, first: number, escape: string, comments: string[]): LogicalLine {
  const parts: string[] = [];
  const pieces: LogicalLine['pieces'] = [];
  const emptyContinuations: SourceRange[] = [];
  let length = 0;
  let index = first;
  for (let goesOn = true; goesOn && index < source.lines.length; index++) {
    const whole = source.lines[index] as string;
    const trimmed = whole.trimStart();
    if (index > first && trimmed.startsWith('#')) continue;
    if (index > first && trimmed === '') {
      emptyContinuations.push({ line: index + 1, column: 1, endLine: index + 1 });
      continue;
    }
    // Blanks ahead of a continuation belong to it: `a\` + `  b` is `a  b`.
    const text = index === first ? trimmed : whole;
    const kept = withoutContinuation(text, escape);
    goesOn = kept !== undefined;
    parts.push(kept ?? text);
    pieces.push({ offset: length, line: index + 1, column: whole.length - text.length + 1 });
    length += (kept ?? text).length;
  }
  const text = parts.join('');
  const heads = heredocsOf(text);
  const heredocs = readHeredocs(source, heads, index, { line: first + 1, column: 1, endLine: index });
  return {
    text,
    pieces,
    endLine: heredocs.next,
    comments,
    heredocs: heredocs.bodies,
    emptyContinuations,
  };
}

/** The line without the escape character at its end; undefined: it ends there. Two of them are a literal one. */
function withoutContinuation(text: string, escape: string): string | undefined {
  let end = text.length;
  while (text[end - 1] === ' ' || text[end - 1] === '\t') end--;
  if (text[end - 1] !== escape || text[end - 2] === escape) return undefined;
  return text.slice(0, end - 1);
}

function readHeredocs(
  source: LexerInput,
  heads: readonly HeredocHead[],
  first: number,
  opened: SourceRange,
): { bodies: Heredoc[]; next: number } {
  const bodies: Heredoc[] = [];
  let next = first;
  for (const { name, expand, stripTabs } of heads) {
    const lines: string[] = [];
    for (;;) {
      const line = source.lines[next++];
      if (line === undefined) {
        throw new DockerfileError(source, opened, 'unterminated heredoc', {
          hint: `the body of <<${name} ends with a line that is ${JSON.stringify(name)} and nothing else`,
          caret: false,
        });
      }
      if ((stripTabs ? line.replace(/^\t+/, '') : line) === name) break;
      lines.push(line, source.lineEnds.get(next - 1) ?? '\n');
    }
    bodies.push({ name, content: lines.join(''), expand, stripTabs });
  }
  return { bodies, next };
}
