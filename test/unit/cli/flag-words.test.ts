import { expect, test } from 'vitest';
import { CREATE_FLAGS } from '../../../src/cli/create-flags.ts';
import { flagWords, givenFlags } from '../../../src/cli/flag-words.ts';
import { parseCommand } from '../../../src/cli/parse.ts';

const SPEC = {
  name: 'create',
  summary: '',
  args: '',
  stopAtFirstArg: true,
  flags: CREATE_FLAGS,
  run: () => 0,
};

test.each<[argv: string[], words: string[]]>([
  [[], []],
  [['-it'], ['--interactive', '--tty']],
  [['--tty=false', '--http-proxy=true', '--pull', 'missing'], []],
  [['--http-proxy=false'], ['--http-proxy=false']],
  [
    ['-e', 'A=1', '-e', '--B'],
    ['--env=A=1', '--env=--B'],
  ],
  [
    ['--net', 'none', '--stop-timeout', '3'],
    ['--network=none', '--stop-timeout=3'],
  ],
  [['--entrypoint', ''], ['--entrypoint=']],
])('%j', (argv, words) => {
  const given = givenFlags(CREATE_FLAGS, parseCommand(SPEC, argv).flags);
  expect(flagWords(given).sort()).toEqual([...words].sort());
  // What a shell would pass is read as the same again.
  expect(givenFlags(CREATE_FLAGS, parseCommand(SPEC, words).flags)).toEqual(given);
});
