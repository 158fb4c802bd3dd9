// Reading Dockerfiles: golden folders (Dockerfile → tree; UPDATE_GOLDENS=1 writes them anew), and what is refused.

import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dockerfile, Instruction, SourceRange } from '../../../../src/builder/dockerfile/ast.ts';
import { DockerfileError } from '../../../../src/builder/dockerfile/errors.ts';
import {
  MAX_DOCKERFILE_BYTES,
  parseDockerfile,
  parseTriggers,
} from '../../../../src/builder/dockerfile/parse.ts';
import { BAD } from './parse.cases.ts';
import type { Row } from './parse.cases.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/dockerfile');
const parse = (text: string) => parseDockerfile(Buffer.from(text), 'Dockerfile');

function failure(text: string): DockerfileError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
  throw new Error(`not refused: ${text}`);
}

/** One line an instruction: place, kind, and whatever else is not undefined. */
function printTree({ directives, globalArgs, stages, emptyContinuations }: Dockerfile): string {
  const lines = [`directives ${JSON.stringify(directives)}`];
  for (const arg of globalArgs) lines.push(printNode(arg));
  for (const { instructions, index, ...head } of stages) {
    lines.push('', printNode({ kind: `stage ${index}`, ...head }), ...instructions.map(printNode));
  }
  if (emptyContinuations.length > 0) lines.push('', `empty ${emptyContinuations.map(place).join(' ')}`);
  return `${lines.join('\n')}\n`;
}

function printNode(node: Omit<Instruction, 'kind'> & { kind: string }): string {
  const { kind, range, ...rest } = node;
  return `${place(range)} ${kind} ${JSON.stringify(rest)}`;
}

const place = ({ line, column, endLine }: SourceRange) => `${line}:${column}-${endLine}`;

describe('golden Dockerfiles', () => {
  const folders = readdirSync(FIXTURES);
  it.each(folders)('%s', (folder) => {
    const bytes = readFileSync(join(FIXTURES, folder, 'Dockerfile'));
    const golden = join(FIXTURES, folder, 'tree.txt');
    const tree = printTree(parseDockerfile(bytes, 'Dockerfile'));
    if (process.env['UPDATE_GOLDENS'] === '1') writeFileSync(golden, tree);
    expect(tree).toBe(existsSync(golden) ? readFileSync(golden, 'utf8') : undefined);
  });

  it('are all there', () => expect(folders.length).toBe(18));
});

describe('mistakes', () => {
  it.each(BAD)('%j', (...row) => {
    const [text, message, at, hint] = row as unknown as Row;
    const error = failure(text.startsWith('!') ? text.slice(1) || '!' : `FROM a\n${text}\n`);
    expect(error.message).toContain(message);
    expect(`${error.line}:${error.column}`).toBe(at);
    if (hint !== undefined) expect(error.hint).toContain(hint);
    expect(error.exitCode).toBe(1);
    expect(error.code).toBe('DOCKERFILE_INVALID');
  });

  it('has all rows', () => expect(BAD.length).toBe(73));

  it('shows the lines, and the word that is wrong', () => {
    expect(
      failure('FROM a\n\nRUN x \\\n\t--mout=y\nCOPY --from=b \\\n    --chwon=c \\\n    a b\nRUN y\n').detail,
    ).toBe(
      [
        'Dockerfile:6',
        '--------------------',
        '   4 |     \t--mout=y',
        '   5 |     COPY --from=b \\',
        '   6 | >>>     --chwon=c \\',
        '     |         ^^^^^^^^^',
        '   7 | >>>     a b',
        '   8 |     RUN y',
        '--------------------',
      ].join('\n'),
    );
  });

  it('does not show thousands of lines', () => {
    const { detail } = failure(`FROM a\nRUN <<EOF\n${'x\n'.repeat(10_000)}`);
    expect(detail?.split('\n').length).toBeLessThan(30);
    expect(failure(`FROM a\nCOPY <<EOF\n${'x\n'.repeat(100)}EOF\n`).detail).toContain('(90 more lines)');
  });

  it('names the file', () => {
    const read = () => parseDockerfile(Buffer.from('x'), 'docker/app.Dockerfile');
    expect(read).toThrow(expect.objectContaining({ file: 'docker/app.Dockerfile' }));
  });

  it('has an end to what it reads', () => {
    const bytes = Buffer.alloc(MAX_DOCKERFILE_BYTES + 1, '#');
    expect(() => parseDockerfile(bytes, 'Dockerfile')).toThrow('is larger than');
  });

  it('says that an empty file is empty', () => {
    for (const text of ['', '\n\n', '\ufeff']) expect(failure(text).message).toContain('cannot be empty');
  });
});

describe('ONBUILD triggers of a base image', () => {
  const dockerfile = parse('FROM base\n');
  const stage = dockerfile.stages[0]!;

  it('stand where FROM stands', () => {
    const [copy, run] = parseTriggers(['COPY <<E /x\nhi\nE', 'RUN make'], dockerfile, stage);
    expect(copy).toMatchObject({ kind: 'copy', heredocs: [{ content: 'hi\n' }], range: { line: 1 } });
    expect(run).toMatchObject({ kind: 'run', command: { line: 'make' } });
  });

  it.each([
    ['RUN', 'RUN requires at least one argument'],
    ['FROM a', "FROM isn't allowed as an ONBUILD trigger"],
    ['RUN a\nRUN b', 'should be a single expression'],
    ['', 'should be a single expression'],
    ['RUN <<E', 'unterminated heredoc'],
  ])('%j is refused at FROM', (expression, message) => {
    const read = () => parseTriggers([expression], dockerfile, stage);
    expect(read).toThrow(DockerfileError);
    expect(read).toThrow(message);
    expect(read).toThrow(`ONBUILD trigger ${JSON.stringify(expression)} of the base image`);
  });
});
