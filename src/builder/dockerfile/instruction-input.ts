// What the parser of one instruction starts from, and the complaints they share. (pure)

import type { CommandForm, Heredoc, Source } from './ast.ts';
import { Mistake } from './errors.ts';
import { parseJsonWords } from './words.ts';
import type { FlagText } from './words.ts';

export interface InstructionInput {
  /** Upper case, for messages. */
  name: string;
  source: Source;
  flags: readonly FlagText[];
  /** Arguments behind the flags, trimmed. */
  rest: string;
  restOffset: number;
  heredocs: readonly Heredoc[];
  escape: '\\' | '`';
}

/** JSON array or, where it is none, a line for the shell. */
export function commandForm(text: string): CommandForm {
  const argv = parseJsonWords(text);
  return argv === undefined ? { form: 'shell', line: text } : { form: 'exec', argv };
}

/** The one argument of USER, WORKDIR and the like: the rest of the line, blanks and all. */
export function exactlyOne({ name, rest }: InstructionInput): string {
  if (rest === '') throw new Mistake(`${name} requires exactly one argument`);
  return rest;
}

export function atLeastOne({ name, rest }: InstructionInput): string {
  if (rest === '') throw new Mistake(`${name} requires at least one argument`);
  return rest;
}
