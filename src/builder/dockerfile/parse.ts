// Bytes → Dockerfile: lines, instructions, stages. Whatever the input, the answer is a Dockerfile or a DockerfileError that
// shows the place. (pure)

import { decodeBytes } from '../../core/bytes.ts';
import type { ArgInstruction, Dockerfile, Instruction, Source, SourceRange, Stage } from './ast.ts';
import { parseDirectives } from './directives.ts';
import { DockerfileError, Mistake, quoteShort } from './errors.ts';
import type { SourceText } from './errors.ts';
import { parseFlags } from './flags.ts';
import { instructionInput, parseInstruction } from './instructions.ts';
import type { InstructionInput } from './instruction-input.ts';
import { splitLogicalLines } from './lexer.ts';
import type { LexerInput, LogicalLine } from './lexer.ts';
import { splitBlanks, splitInstruction } from './words.ts';

/** More than any Dockerfile that somebody wrote or generated; a guard against /dev/zero. */
export const MAX_DOCKERFILE_BYTES = 16 * 2 ** 20;
const STAGE_NAME = /^[a-z][a-z0-9\-_.]*$/;

/** file: how messages call it. @throws DockerfileError */
export function parseDockerfile(bytes: Uint8Array, file: string): Dockerfile {
  const source = readSource(bytes, file);
  const { directives, lines: first } = parseDirectives(source);
  const lines = splitLogicalLines(source, directives.escape, first);
  if (lines.length === 0) throw atStart(source, 'file with no instructions');
  const globalArgs: ArgInstruction[] = [];
  const stages: (Omit<Stage, 'instructions'> & { instructions: Instruction[] })[] = [];
  for (const line of lines) {
    placed(source, line, () => {
      const input = instructionInput(sourceOf(line), line.heredocs, directives.escape);
      if (input.name === 'FROM') {
        stages.push({ ...parseFrom(input, stages.length), instructions: [] });
        return;
      }
      const instruction = parseInstruction(input);
      const stage = stages.at(-1);
      if (stage !== undefined) stage.instructions.push(instruction);
      else if (instruction.kind === 'arg') globalArgs.push(instruction);
      else {
        throw new Mistake('no build stage in current context', {
          offset: 0,
          hint: 'a Dockerfile begins with FROM; only ARG may stand ahead of it',
        });
      }
    });
  }
  if (stages.length === 0) throw atStart(source, 'dockerfile contains no stages to build');
  const emptyContinuations = lines.flatMap((line) => line.emptyContinuations.slice(0, 1));
  return { file, lines: source.lines, directives, globalArgs, stages, emptyContinuations };
}

/**
 * ONBUILD triggers of a base image, as instructions of `stage`, in whose place they run.
 * @throws DockerfileError at the stage's FROM
 */
export function parseTriggers(
  expressions: readonly string[],
  dockerfile: Pick<Dockerfile, 'file' | 'lines'>,
  stage: Pick<Stage, 'range'>,
): Instruction[] {
  return expressions.map((expression) => {
    try {
      const lexed = splitLogicalLines(splitLines(expression, 'ONBUILD'), '\\');
      const [line] = lexed;
      if (line === undefined || lexed.length > 1) {
        throw new Mistake('onbuild trigger should be a single expression');
      }
      const source = { ...sourceOf(line), range: stage.range, comments: [] };
      const input = instructionInput(source, line.heredocs, '\\');
      if (['FROM', 'ONBUILD', 'MAINTAINER'].includes(input.name)) {
        throw new Mistake(`${input.name} isn't allowed as an ONBUILD trigger`);
      }
      return parseInstruction(input);
    } catch (error) {
      if (!(error instanceof Mistake || error instanceof DockerfileError)) throw error;
      const shown = quoteShort(expression);
      throw new DockerfileError(
        dockerfile,
        stage.range,
        `ONBUILD trigger ${shown} of the base image: ${error.message}`,
        { hint: error.hint, caret: false },
      );
    }
  });
}

function readSource(bytes: Uint8Array, file: string): LexerInput {
  const nothing = { file, lines: [] };
  if (bytes.length > MAX_DOCKERFILE_BYTES) {
    throw atStart(nothing, `the Dockerfile is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
  }
  const text = decodeBytes(bytes);
  if (text.trim() === '') throw atStart(nothing, 'the Dockerfile cannot be empty');
  const source = splitLines(text.startsWith('\ufeff') ? text.slice(1) : text, file);
  const nul = source.lines.findIndex((line) => line.includes('\0'));
  if (nul >= 0) {
    const range = { line: nul + 1, column: 1, endLine: nul + 1 };
    throw new DockerfileError(nothing, range, 'the Dockerfile is no text: it holds a NUL byte', {
      hint: 'save it as UTF-8',
      caret: false,
    });
  }
  return source;
}

function splitLines(text: string, file: string): LexerInput {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const lineEnds = new Map<number, string>();
  for (const [index, line] of lines.entries()) {
    if (!line.endsWith('\r')) continue;
    lines[index] = line.slice(0, -1);
    lineEnds.set(index, '\r\n');
  }
  return { file, lines, lineEnds };
}

function parseFrom(input: InstructionInput, index: number): Omit<Stage, 'instructions'> {
  const words = splitBlanks(input.rest);
  const [from, asKeyword, typedName] = words;
  if (from === undefined || (words.length !== 1 && (words.length !== 3 || !/^as$/i.test(asKeyword ?? '')))) {
    throw new Mistake('FROM requires either one or three arguments', {
      offset: input.restOffset,
      hint: 'FROM [--platform=PLATFORM] IMAGE [AS NAME]',
    });
  }
  const { platform } = parseFlags(input.flags, { platform: 'string' });
  const name = typedName?.toLowerCase();
  if (name !== undefined && !STAGE_NAME.test(name)) {
    throw new Mistake(
      `invalid name for build stage: ${quoteShort(typedName ?? name)}, name can't start with a number or contain symbols`,
      { offset: input.source.text.lastIndexOf(typedName as string) },
    );
  }
  return {
    ...input.source,
    index,
    name,
    typedName,
    asKeyword,
    from,
    platform: platform === '' ? undefined : platform,
  };
}

function sourceOf(line: LogicalLine): Source {
  const text = line.text.trimEnd();
  const range = { ...positionAt(line, 0), endLine: line.endLine };
  return { text, keyword: splitInstruction(text).keyword, range, comments: line.comments };
}

/** Where in the file a place of the joined text is. */
function positionAt({ pieces }: LogicalLine, offset: number): { line: number; column: number } {
  const piece = pieces.findLast((candidate) => candidate.offset <= offset);
  if (piece === undefined) return { line: 1, column: 1 };
  return { line: piece.line, column: piece.column + offset - piece.offset };
}

function placed(source: SourceText, line: LogicalLine, body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const { offset, hint } = error;
    const first = positionAt(line, 0);
    const range: SourceRange = { ...positionAt(line, offset ?? 0), endLine: line.endLine };
    throw new DockerfileError(
      source,
      range,
      `dockerfile parse error on line ${first.line}: ${error.message}`,
      { hint, caret: offset !== undefined },
    );
  }
}

function atStart(source: SourceText, message: string): DockerfileError {
  return new DockerfileError(source, { line: 1, column: 1, endLine: 1 }, message, { caret: false });
}
