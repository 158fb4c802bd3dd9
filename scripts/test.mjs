// All stages of bin/test, in the order in which they fail fastest. Every stage runs, whatever the one before said; the
// last line sums up. A check (type check, lint, …) counts as one test.
//
//   node scripts/test.mjs            all          node scripts/test.mjs unit lint      these
//   node scripts/test.mjs --list     the names

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const RESULTS = join(ROOT, 'build/test-results');
const bin = (name) => join(ROOT, 'node_modules/.bin', name);
const node = (script, ...args) => [process.execPath, `scripts/${script}`, ...args];

/** Name → a command (one test), or the vitest projects to run. */
export const STAGES = {
  gen: { command: node('gen.mjs', '--check') },
  build: { command: node('build.mjs') },
  typecheck: { command: [bin('tsc'), '--noEmit'] },
  lint: { command: [bin('eslint'), '--cache', '--cache-location', 'build/eslint/', '.'] },
  format: {
    command: [
      bin('prettier'),
      '--check',
      '--log-level=warn',
      '--cache',
      '--cache-location',
      'build/prettier',
      '.',
    ],
  },
  'lint-native': { command: node('lint-native.mjs') },
  deps: { command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src'] },
  dead: { command: node('dead-exports.mjs') },
  'hot-path': { command: node('hot-path.mjs') },
  unit: { projects: ['unit', 'property'] },
  // One run, since both use the world that the set-up makes.
  integration: { projects: ['faults', 'integration'] },
};

/** The stages that need no machine, only the sources. */
export const CHECKS = ['gen', 'typecheck', 'lint', 'format', 'lint-native', 'deps', 'dead', 'hot-path'];

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));

function main(words) {
  if (words.includes('--list')) {
    console.log(Object.keys(STAGES).join('\n'));
    return;
  }
  const unknown = words.filter((word) => !(word in STAGES));
  if (unknown.length > 0) {
    console.error(`test: no stage ${unknown.join(', ')}; there are ${Object.keys(STAGES).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  process.exitCode = runStages(words.length > 0 ? words : Object.keys(STAGES));
}

/** @returns exit status: 0 when nothing failed */
export function runStages(names) {
  rmSync(RESULTS, { recursive: true, force: true });
  mkdirSync(RESULTS, { recursive: true });
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  const skips = [];
  for (const name of names) {
    const started = Date.now();
    console.log(`\n=== ${name}`);
    const result = STAGES[name].command
      ? runCommand(STAGES[name].command)
      : runVitest(name, STAGES[name].projects);
    for (const key of Object.keys(total)) total[key] += result[key];
    if (result.failed > 0) failures.push(...(result.failures ?? [name]));
    skips.push(...(result.skips ?? []));
    console.log(
      `=== ${name}: ${result.failed > 0 ? 'FAILED' : 'ok'} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
    );
  }
  if (skips.length > 0) console.log(`\nskipped:\n${skips.map((line) => `  ${line}`).join('\n')}`);
  if (failures.length > 0) console.log(`\nfailed:\n${failures.map((line) => `  ${line}`).join('\n')}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
}

function runCommand([program, ...args]) {
  const { status } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit' });
  return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function runVitest(name, projects) {
  const file = join(RESULTS, `${name}.json`);
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  const args = [
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    ...reporters,
    '--passWithNoTests',
  ];
  const { status } = spawnSync(bin('vitest'), args, { cwd: ROOT, stdio: 'inherit' });
  if (!existsSync(file))
    return { passed: 0, failed: 1, skipped: 0, failures: [`${name}: vitest did not run`] };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const result = {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: [],
    skips: [],
  };
  for (const suite of report.testResults) {
    const path = suite.name.startsWith(ROOT) ? suite.name.slice(ROOT.length + 1) : suite.name;
    // A file that cannot be loaded has no tests and still failed.
    if (suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed')) {
      result.failed++;
      result.failures.push(`${path}: ${String(suite.message).split('\n')[0]}`);
    }
    for (const test of suite.assertionResults) {
      if (test.status === 'failed') result.failures.push(`${path}: ${test.fullName}`);
      else if (test.status !== 'passed') result.skips.push(`${path}: ${test.fullName}`);
    }
  }
  // A failing set-up or an unhandled error leaves every test green.
  if (status !== 0 && result.failed === 0) {
    result.failed = 1;
    result.failures.push(`${name}: vitest ended with ${status}`);
  }
  return result;
}
