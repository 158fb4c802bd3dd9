// The parser and the templates take any text: they answer or refuse in words, and never fail in another way.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CommandSpec } from '../../src/cli/command.ts';
import { formatInspect } from '../../src/cli/format.ts';
import { parseCommand } from '../../src/cli/parse.ts';
import { EngineError } from '../../src/core/errors.ts';
import { listLike, runLike } from '../unit/cli/parse.cases.ts';
import { data } from '../unit/cli/format.cases.ts';

const SPECS = [runLike, listLike] as unknown as CommandSpec[];
const word = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '-',
    '--',
    '--rm',
    '-it',
    '-p',
    '--name',
    '--env=',
    '-e',
    '--net',
    '--rm=false',
    '-h',
    '--plan',
    '--timeout',
  ),
  fc.tuple(fc.constantFrom('-', '--', '--name=', '-p', '-e'), fc.string()).map((parts) => parts.join('')),
);

function refusesInWords(body: () => void): void {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    expect((error as EngineError).code).toBe('USAGE');
  }
}

it('any words are parsed or refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...SPECS), fc.array(word, { maxLength: 8 }), (spec, words) => {
      refusesInWords(() => parseCommand(spec, words));
    }),
    { numRuns: 2000 },
  );
});

it('what follows the first argument of run arrives as it was', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const { args } = parseCommand(SPECS[0] as CommandSpec, ['-i', 'image', ...words]);
      expect(args).toEqual(['image', ...words]);
    }),
  );
});

it('flags that are written out come back, in any of their forms', () => {
  const value = fc.string();
  const flag = fc.oneof(
    fc.tuple(fc.constant('env'), value, fc.constantFrom('--env=V', '--env V', '-e V', '-eV')),
    fc.tuple(fc.constant('publish'), value, fc.constantFrom('--publish=V', '--publish V', '-p V', '-pV')),
  );
  fc.assert(
    fc.property(fc.array(flag, { maxLength: 6 }), (given) => {
      // `-e=x` and `-e` alone mean something else.
      fc.pre(given.every(([, text, form]) => !/^-\wV$/.test(form) || !(text === '' || text.startsWith('='))));
      const words = given.flatMap(([, text, form]) => {
        const [first = '', second] = form.split(' ');
        return second === undefined ? [first.slice(0, -1) + text] : [first, text];
      });
      const { flags, args } = parseCommand(SPECS[0] as CommandSpec, [...words, 'image']);
      expect(args).toEqual(['image']);
      for (const name of ['env', 'publish']) {
        expect(flags[name]).toEqual(given.filter(([own]) => own === name).map(([, text]) => text));
      }
    }),
  );
});

const action = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '.',
    '.Id',
    '.State.Pid',
    '$',
    '$x',
    ':=',
    '|',
    '(',
    ')',
    'if',
    'else',
    'end',
    'range',
    'with',
    'printf',
    '"%d"',
    'index',
    'json',
    'and',
    '1',
    '-',
    '/*',
    '*/',
    'nil',
    '`',
    '"',
    "'a'",
    ',',
  ),
);
const template = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.array(action, { maxLength: 5 }).map((words) => `{{${words.join(' ')}}}`),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));

it('any template is rendered or refused', () => {
  fc.assert(
    fc.property(template, (text) => {
      refusesInWords(() => formatInspect([data], text));
    }),
    { numRuns: 5000 },
  );
});
