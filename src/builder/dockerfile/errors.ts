// Mistakes in a Dockerfile, and how their place is shown. (pure)

import { EngineError } from '../../core/errors.ts';
import type { SourceRange } from './ast.ts';
import { excerpt } from './excerpt.ts';

/**
 * What is wrong, before anybody knows where: the parsers of words, flags and mounts throw it, the caller adds the place.
 * offset: UTF-16 units into the text of the instruction, where the mistake is not the whole instruction's.
 */
export class Mistake extends Error {
  readonly offset: number | undefined;
  readonly hint: string | undefined;

  constructor(message: string, options: { offset?: number | undefined; hint?: string | undefined } = {}) {
    super(message);
    this.name = 'Mistake';
    this.offset = options.offset;
    this.hint = options.hint;
  }
}

const MAX_QUOTED = 100;

/** As JSON, cut to what a message can bear. */
export function quoteShort(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

/** The file as messages show it. */
export interface SourceText {
  readonly file: string;
  readonly lines: readonly string[];
}

/** A build that cannot start, or go on, because of what the Dockerfile says. Exit status 1, as docker build has it. */
export class DockerfileError extends EngineError {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;

  /** caret: false for a mistake of the whole instruction; place: false for one that is of no line. */
  constructor(
    source: SourceText,
    range: SourceRange,
    message: string,
    options: {
      hint?: string | undefined;
      caret?: boolean | undefined;
      place?: boolean;
      cause?: unknown;
    } = {},
  ) {
    super('DOCKERFILE_INVALID', message, {
      hint: options.hint,
      detail:
        options.place === false
          ? undefined
          : excerpt(source, range, options.caret === false ? undefined : range.column),
      exitCode: 1,
      cause: options.cause,
    });
    this.name = 'DockerfileError';
    this.file = source.file;
    this.line = range.line;
    this.column = range.column;
    this.endLine = range.endLine;
  }
}

/** Runs `body`; a Mistake in it becomes a DockerfileError about `range`. */
export function located<T>(source: SourceText, range: SourceRange, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    throw new DockerfileError(source, range, error.message, { hint: error.hint, caret: false });
  }
}
