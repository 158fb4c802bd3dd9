// clang-format over native/, shellcheck over the shell scripts. A tool that is not installed is said, not taken for
// granted. --fix formats; --tidy runs clang-tidy over the helper too (slow, not part of the tests).

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '');

const sources = files.filter((file) => /^native\/.*\.(cc|h|c)$/.test(file));
const shell = files.filter((file) => /\.sh$/.test(file) || isShell(file));
const fix = process.argv.includes('--fix');

run('clang-format', ['--style=file', ...(fix ? ['-i'] : ['--dry-run', '--Werror']), ...sources]);
// SC2015 (A && B || C) is a habit where B cannot fail.
if (!fix) run('shellcheck', ['--exclude=SC2015', '--external-sources', '--source-path=SCRIPTDIR', ...shell]);
if (process.argv.includes('--tidy')) {
  const helper = sources.filter((file) => /^native\/(helper|demo)\/.*\.cc$/.test(file));
  run('clang-tidy', ['--quiet', ...helper, '--', '-std=c++17', '-Inative', '-Ibuild/gen']);
}

function isShell(file) {
  if (!/^(bin|\.ci|scripts)\/[^.]*$/.test(file)) return false;
  return /^#!.*\b(ba)?sh\b/.test(readFileSync(`${ROOT}/${file}`, 'utf8').split('\n', 1)[0]);
}

function run(tool, args) {
  const { status, error } = spawnSync(tool, args, { cwd: ROOT, stdio: 'inherit' });
  if (error?.code === 'ENOENT')
    console.error(`lint-native: ${tool} is not installed: not checked (package ${tool})`);
  else if (status !== 0) process.exitCode = 1;
}
