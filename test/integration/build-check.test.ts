// build --check, and what a Dockerfile says about its own checks.

import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';

const skiff = sandbox();

test('the checks tell what they find, and build nothing', async () => {
  const stdin = 'FROM nowhere.example/a as b\nCMD c\n';
  const { stdout } = await skiff.run(['build', '--check', '-'], { stdin, status: 1, stdout: /./ });
  expect(stdout).toMatch(
    /^Check complete, 2 warnings have been found!\n\nWARNING: FromAsCasing - The 'as' keyword/,
  );
  expect(stdout).toContain('Dockerfile:2\n--------------------\n   1 |     FROM');
  expect(stdout).toContain('   2 | >>> CMD c\n--------------------');
});

test('a clean Dockerfile', async () => {
  const { stdout } = await skiff.run(['build', '--check', '-'], {
    stdin: 'FROM a\nCMD ["b"]\n',
    stdout: /./,
  });
  expect(stdout).toBe('Check complete, no warnings found.\n');
});

test('a mistake shows its place', async () => {
  const { stderr } = await skiff.run(['build', '--check', '-'], {
    stdin: 'FORM a\n',
    status: 1,
    stderr: /./,
  });
  expect(stderr).toBe(
    [
      'Dockerfile:1',
      '--------------------',
      '   1 | >>> FORM a',
      '     |     ^^^^',
      '--------------------',
      'Error: dockerfile parse error on line 1: unknown instruction: FORM (did you mean FROM?)',
      '',
    ].join('\n'),
  );
});

test('error=true ends a build before it begins', async () => {
  const stdin = '# check=error=true\nFROM nowhere.example/a as b\n';
  const { stderr } = await skiff.run(['build', '-'], { stdin, status: 1, stderr: /./ });
  expect(stderr).toMatch(/\nError: lint violation found for rules: FromAsCasing\n$/);
});
