// Makes dist/skiff (or $SKIFF_OUT): generated sources, seccomp filter, addon and helper, demo image, then one
// executable by `bun build --compile`. Each step has a stamp, the hash of its inputs' contents, and is skipped when
// that has not changed. The whole is done under a lock, so that two builds in one tree wait for each other.
//
//   npm run build                            npm run build -- --force      rebuild everything
//   SKIFF_OUT=/tmp/x/skiff npm run build     SKIFF_NATIVE=skip npm run build     keep build/Release as it is

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './gen.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OUT = resolve(ROOT, process.env.SKIFF_OUT || 'dist/skiff');
const BUN = join(ROOT, 'node_modules/.bin/bun');
const BUILD = join(ROOT, 'build');
const FORCE = process.argv.includes('--force');
// Settings of the release build: start-up in a few ms needs bytecode, and bytecode needs esm here; splitting keeps the
// imports of one command from being loaded for all. Names stay, for stacks in bug reports. The two autoload switches
// keep a stray .env or bunfig.toml in the caller's directory from changing what skiff does.
const COMPILE = [
  '--compile',
  '--bytecode',
  '--format=esm',
  '--splitting',
  '--minify-syntax',
  '--minify-whitespace',
];
const CLOSED = ['--no-compile-autoload-bunfig', '--no-compile-autoload-dotenv'];

mkdirSync(join(BUILD, 'stamps'), { recursive: true });
if (!process.env.SKIFF_BUILD_LOCKED) relaunchUnderLock();
else build();

function relaunchUnderLock() {
  const lock = join(BUILD, 'build.lock');
  const { status, error } = spawnSync('flock', [lock, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, SKIFF_BUILD_LOCKED: '1' },
  });
  if (error) throw new Error(`flock (package util-linux) is needed to build: ${error.message}`);
  process.exitCode = status ?? 1;
}

function build() {
  for (const path of generate()) say(`generated ${path}`);
  seccomp();
  native();
  demo();
  compile();
}

/** The default seccomp filter as a C array, included by the helper. */
function seccomp() {
  if (!existsSync(join(ROOT, 'scripts/gen-seccomp.ts'))) return;
  const include = join(BUILD, 'gen/seccomp-default.inc');
  const inputs = ['scripts/gen-seccomp.ts', 'src/runtime/seccomp', 'src/runtime/capabilities.ts'];
  step('seccomp', inputs, [include], () => {
    run(BUN, ['scripts/gen-seccomp.ts', include]);
  });
}

/** Addon and helper: binding.gyp knows how. */
function native() {
  if (!existsSync(join(ROOT, 'binding.gyp')) || process.env.SKIFF_NATIVE === 'skip') return;
  const inputs = [
    'binding.gyp',
    'native/addon',
    'native/common',
    'native/helper',
    'build/gen/seccomp-default.inc',
    'node_modules/node-addon-api/package.json',
  ];
  step('native', inputs, [join(BUILD, 'Release/addon.node')], () => {
    const gyp = join(ROOT, 'node_modules/.bin/node-gyp');
    // Headers of the installed node where it brought them: then nothing is downloaded.
    const prefix = dirname(dirname(process.execPath));
    const nodedir =
      process.env.npm_config_nodedir ??
      (existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined);
    const args = [
      'configure',
      'build',
      '--silent',
      '--jobs=max',
      ...(nodedir ? [`--nodedir=${nodedir}`] : []),
    ];
    run(gyp, args, { quiet: true });
    say('built the addon and the helper');
  });
}

/** dist/hello.tar: a tiny image, an OCI archive, that needs no registry. */
function demo() {
  if (!existsSync(join(ROOT, 'native/demo/hello.cc'))) return;
  step('demo', ['native/demo', 'scripts/make-demo.mjs'], [join(ROOT, 'dist/hello.tar')], () => {
    run(process.execPath, ['scripts/make-demo.mjs', join(ROOT, 'dist/hello.tar')]);
  });
}

/**
 * Makes the binary deaf to the variables that make bun run other code than ours (a job that sets BUN_OPTIONS for its own
 * use of bun must not change skiff): their names get another first letter. When our code runs it would be too late,
 * and bun has no setting for it. Offsets are those of bun itself, so that nothing of ours is touched.
 */
function deafen(binary) {
  const bun = readFileSync(realpathSync(BUN));
  const bytes = readFileSync(binary);
  for (const name of ['BUN_OPTIONS', 'BUN_BE_BUN', 'BUN_INSPECT']) {
    let count = 0;
    for (let at = bun.indexOf(name); at !== -1; at = bun.indexOf(name, at + 1)) {
      if (bytes.toString('latin1', at, at + name.length) !== name) continue;
      bytes[at] = 'x'.charCodeAt(0);
      count++;
    }
    if (count === 0)
      throw new Error(`${name} is not where bun has it: see what this bun obeys, then mend deafen()`);
  }
  writeFileSync(binary, bytes);
}

function compile() {
  const inputs = ['src', 'build/Release/addon.node', 'package-lock.json', 'scripts/build.mjs'];
  step(`compile-${hash(OUT).slice(0, 12)}`, inputs, [OUT], () => {
    mkdirSync(dirname(OUT), { recursive: true });
    // Renamed at the end, so that a running skiff is never overwritten and nobody sees half of it.
    const temp = join(dirname(OUT), `.skiff-${process.pid}`);
    const defines = [`--define=process.env.SKIFF_BUILD_COMMIT=${JSON.stringify(commit())}`];
    try {
      run(BUN, ['build', ...COMPILE, ...CLOSED, ...defines, 'src/main.ts', '--outfile', temp], {
        quiet: true,
      });
      deafen(temp);
      renameSync(temp, OUT);
    } finally {
      rmSync(temp, { force: true });
    }
    say(`built ${OUT} (${(statSync(OUT).size / 1e6).toFixed(1)} MB)`);
  });
}

function commit() {
  const { status, stdout } = spawnSync('git', ['-C', ROOT, 'rev-parse', '--short=12', 'HEAD'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : '';
}

/** Runs `make` unless every output exists and the inputs hash to what they did when `make` last succeeded. */
function step(name, inputs, outputs, make) {
  const stampFile = join(BUILD, 'stamps', name);
  const stamp = hash(inputs.map(hashPath).join('\n'));
  const fresh =
    existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && outputs.every(existsSync);
  if (fresh && !FORCE) return;
  rmSync(stampFile, { force: true });
  for (const output of outputs) mkdirSync(dirname(output), { recursive: true });
  make();
  const missing = outputs.filter((output) => !existsSync(output));
  if (missing.length > 0) throw new Error(`build step ${name} did not make ${missing.join(', ')}`);
  writeFileSync(stampFile, stamp);
}

function hashPath(path) {
  const full = resolve(ROOT, path);
  if (!existsSync(full)) return `${path} missing`;
  if (!statSync(full).isDirectory()) return `${path} ${hash(readFileSync(full))}`;
  return readdirSync(full, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((file) => `${file} ${hash(readFileSync(file))}`)
    .join('\n');
}

function hash(data) {
  return createHash('sha256').update(data).digest('hex');
}

function run(program, args, { quiet = false } = {}) {
  try {
    execFileSync(program, args, {
      cwd: ROOT,
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    });
  } catch (error) {
    if (quiet) process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    console.error(`build: ${[program, ...args].join(' ')} failed`);
    process.exit(1);
  }
}

function say(text) {
  console.error(`build: ${text}`);
}
