import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reportError, visible } from '../../../src/cli/report.ts';
import { EngineError } from '../../../src/core/errors.ts';

function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const enoent = thrown(() => readFileSync('/nonexistent/file'));

describe('reportError', () => {
  it.each<[string, unknown, string, number]>([
    ['message', new EngineError('IO', 'doing "x": no'), 'Error: doing "x": no\n', 125],
    ['hint', new EngineError('IO', 'no', { hint: 'do y' }), 'Error: no\nHint: do y\n', 125],
    ['exit status', new EngineError('IO', 'no', { exitCode: 127 }), 'Error: no\n', 127],
    [
      'cause',
      new EngineError('IO', 'a', { cause: new EngineError('IO', 'b', { cause: new Error('c') }) }),
      'Error: a: b: c\n',
      125,
    ],
    ['cause said already', new EngineError('IO', 'a: b', { cause: new Error('b') }), 'Error: a: b\n', 125],
    ['cause without text', new EngineError('IO', 'a', { cause: new Error('') }), 'Error: a\n', 125],
    [
      'system cause',
      new EngineError('IO', 'reading "q"', { cause: enoent }),
      'Error: reading "q": open "/nonexistent/file": no such file or directory (ENOENT)\n',
      125,
    ],
    [
      'system cause said already',
      new EngineError('IO', 'reading "q": not there (ENOENT)', { cause: enoent }),
      'Error: reading "q": not there (ENOENT)\n',
      125,
    ],
    ['system error', enoent, 'Error: open "/nonexistent/file": no such file or directory (ENOENT)\n', 125],
    [
      'control characters',
      new EngineError('IO', 'a\u001b[2J\r\u009b\nb'),
      'Error: a\\x1b[2J\\x0d\\x9b\nb\n',
      125,
    ],
  ])('%s', (_, error, text, exitCode) => {
    expect(reportError(error, false)).toEqual({ text, exitCode });
  });

  it('asks for a report of what was not meant to be thrown, with the stack and its causes', () => {
    const { text, exitCode } = reportError(
      new TypeError('x is undefined', { cause: new Error('inner') }),
      false,
    );
    expect(exitCode).toBe(125);
    expect(text).toMatch(
      /^Error: internal error: x is undefined: inner\nThis is a bug in skiff \d[^]*report\.test\.ts[^]*caused by Error: inner/,
    );
    expect(reportError('a string', false).text).toMatch(/^Error: internal error: a string\n/);
  });

  it('adds the stack for debugging', () => {
    expect(reportError(new EngineError('IO', 'no', { hint: 'h' }), true).text).toMatch(
      /^Error: no\nHint: h\nEngineError: no\n +at /,
    );
  });
});

it('visible leaves text, tabs and line ends alone', () => {
  expect(visible('ä\t\n€\u{1f600}')).toBe('ä\t\n€\u{1f600}');
  expect(visible('\u0000\u007f\u0085')).toBe('\\x00\\x7f\\x85');
});
