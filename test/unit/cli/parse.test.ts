import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/core/errors.ts';
import type { CommandSpec } from '../../../src/cli/command.ts';
import { parseCommand, parseGlobals } from '../../../src/cli/parse.ts';
import { ACCEPTED, listLike, REJECTED, runLike } from './parse.cases.ts';

const SPECS = { run: runLike as unknown as CommandSpec, list: listLike as unknown as CommandSpec };

describe('parseCommand', () => {
  it.each(ACCEPTED)('$on $argv', ({ on, argv, args, flags, globals = {} }) => {
    const untouched = parseCommand(SPECS[on], on === 'run' ? ['x'] : []).flags;
    expect(parseCommand(SPECS[on], argv)).toEqual({
      args,
      flags: { ...untouched, ...flags },
      globals,
      help: false,
    });
  });

  it.each(REJECTED)('refuses $on $argv', ({ on, argv, message, hint }) => {
    let error: unknown;
    try {
      parseCommand(SPECS[on], argv);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code: 'USAGE', message, hint, exitCode: 125 });
  });

  it.each([
    ['run', ['--help']],
    ['run', ['--rm', '--help', '--nonsense']],
    ['list', ['-h']],
    ['list', ['a', 'b', 'c', '--help']],
  ] as const)('%s %j asks for help', (on, argv) => {
    expect(parseCommand(SPECS[on], argv).help).toBe(true);
  });

  it('gives lists, defaults and nothing else when no flag is given', () => {
    expect(parseCommand(SPECS.run, ['x']).flags).toEqual({
      publish: [],
      env: [],
      'security-opt': [],
      rm: false,
      'sig-proxy': true,
      pull: 'missing',
    });
  });
});

describe('parseGlobals', () => {
  it.each([
    [['--root', '/s', 'run', '--root', 'x'], { root: '/s' }, ['run', '--root', 'x'], false, false],
    [['--root=/s', '--debug', 'ps'], { root: '/s', debug: true }, ['ps'], false, false],
    [['-v'], {}, [], true, false],
    [['--version', 'run'], {}, ['run'], true, false],
    [['--help'], {}, [], false, true],
    [['-h'], {}, [], false, true],
    [['run', '--help'], {}, ['run', '--help'], false, false],
    [[], {}, [], false, false],
  ])('%j', (argv, globals, rest, version, help) => {
    expect(parseGlobals(argv)).toEqual({ globals, rest, version, help });
  });

  it('names an unknown flag', () => {
    expect(() => parseGlobals(['--rooot', 'x'])).toThrow('skiff: unknown flag --rooot');
  });
});
