// The command line as a whole: help, errors, exit statuses, and output that is complete whatever stdout is.

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { shellQuote } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
const { fixtures } = world();

/** Runs `script` in bash with $SKIFF set; its exit status is that of the first stage of the last pipe. */
function bash(script: string): { status: number | null; stdout: Buffer; stderr: string } {
  const prelude = `SKIFF=${shellQuote([skiff.binary])}\n`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', prelude + script], {
    env: skiff.env,
    cwd: '/',
  });
  return { status, stdout, stderr: stderr.toString() };
}

describe('help', () => {
  test('skiff, skiff --help and skiff help print the same list of commands', async () => {
    const { stdout } = await skiff.run(['--help'], { stdout: /^Usage: {2}skiff \[OPTIONS\] COMMAND\n/ });
    expect(stdout).toMatch(/\nCommon commands:\n {2}run /);
    await skiff.run([], { stdout });
    await skiff.run(['help'], { stdout });
    await skiff.run(['-h'], { stdout });
  });

  test('every listed command has help, by --help and by help CMD', async () => {
    const { stdout } = await skiff.run(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1] as string);
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) {
      const own = await skiff.run([name, '--help'], { stdout: new RegExp(`^Usage:  skiff ${name}\\b`) });
      await skiff.run(['help', name], { stdout: own.stdout });
    }
  });

  test('a noun lists its verbs, and noun forms answer', async () => {
    await skiff.run(['image'], { stdout: /\n {2}list, ls +List images\n/ });
    await skiff.run(['container'], { stdout: /\n {2}list, ls, ps +List containers\n/ });
    await skiff.run(['container'], { stdout: /^Usage: {2}skiff container COMMAND\n[^]*\n {2}run / });
    const { stdout } = await skiff.run(['run', '--help']);
    await skiff.run(['container', 'run', '--help'], { stdout });
  });

  test('--help after the image belongs to the container', async () => {
    await skiff.run(['run', '--pull', 'never', 'no-such-image', '--help'], {
      status: 125,
      stdout: '',
      stderr: /no-such-image/,
    });
  });
});

describe('errors', () => {
  test.each([
    [
      ['runn'],
      'Error: skiff: unknown command "runn"\nHint: did you mean "skiff run"? "skiff --help" lists the commands\n',
    ],
    [['container', 'frobnicate'], /^Error: skiff: unknown command "container frobnicate"\n/],
    [['--rooot', '/x', 'ps'], /^Error: skiff: unknown flag --rooot\nHint: did you mean --root\?/],
    [
      ['run', '--nam', 'x', 'y'],
      'Error: skiff run: unknown flag --nam\nHint: did you mean --name? see "skiff run --help"\n',
    ],
    [['run'], /^Error: skiff run: needs at least 1 argument \(IMAGE/],
    [
      ['version', '--format', '{{.Nope}}'],
      /^Error: reading --format: unknown field "\.Nope"; known: Client, Server\n/,
    ],
    [
      ['--config', '/nonexistent/skiff.conf', 'info'],
      /^Error: reading configuration "\/nonexistent\/skiff.conf": open .* \(ENOENT\)\n/,
    ],
    ...[['images'], ['ps'], ['rm', 'x'], ['inspect', 'x']].map((words): [string[], RegExp] => [
      ['--config', '/nonexistent/skiff.conf', ...words],
      /^Error: reading configuration "\/nonexistent\/skiff.conf": open .* \(ENOENT\)\n/,
    ]),
    [['--root', '', 'images'], 'Error: --root "": expected a directory\n'],
    [['completion', 'tcsh'], /^Error: skiff completion: no script for "tcsh"\n/],
  ])('%j', async (args, stderr) => {
    await skiff.run(args, { status: 125, stdout: '', stderr });
  });

  test.each([
    [{ SKIFF_OFFLINE: 'perhaps' }, 'SKIFF_OFFLINE: "perhaps" is neither true nor false'],
    [{ SKIFF_ROOT: 'store' }, 'SKIFF_ROOT: "store" is not an absolute path'],
    [
      { SKIFF_MIRRORS: 'bogus::::' },
      'SKIFF_MIRRORS: "bogus::::" is not a mirror; expected host[:port][/path]',
    ],
  ])('a wrong variable is named by every command: %j', async (env: Record<string, string>, message) => {
    for (const words of [['info'], ['images'], ['ps']])
      await skiff.run(words, {
        env,
        status: 125,
        stdout: '',
        stderr: `Error: reading variable ${message}\n`,
      });
  });

  test('skiff.conf: all keys, the same store for every command; variables and --root win', async (context) => {
    requires(context, 'busybox-image');
    const store = `${skiff.dir}/configured`;
    skiff.makeDir('home/.config');
    writeFileSync(
      `${skiff.makeDir('home/.config/skiff')}/skiff.conf`,
      `root = ${store}\noffline = yes\nnetwork = none\nparallel-downloads = 2\nmirrors = m.example\n` +
        'insecure-registries = r.example:5000\n',
    );
    const format = '{{.DockerRootDir}} {{.Skiff.Offline}} {{json .RegistryConfig}}';
    const rest = 'true {"Mirrors":{"docker.io":["m.example"]},"InsecureRegistries":["r.example:5000"]}\n';
    const env = { SKIFF_ROOT: undefined };
    try {
      await skiff.run(['info', '-f', format], { env, stdout: `${store} ${rest}` });
      await skiff.run(['info', '-f', format], { stdout: `${skiff.store} ${rest}` });
      await skiff.run(['--root', '/r', 'info', '-f', format], { env, stdout: `/r ${rest}` });
      await skiff.run(['load', '-q', '-i', fixtures.busyboxDockerArchive ?? ''], { env, stdout: /busybox/ });
      await skiff.run(['images', '--format', '{{.Repository}}'], { env, stdout: 'busybox\n' });
      await skiff.run(['images', '-q'], { stdout: '' });
    } finally {
      rmSync(`${skiff.dir}/home/.config`, { recursive: true });
    }
  });

  test('--debug and SKIFF_DEBUG add the stack', async () => {
    await skiff.run(['--debug', 'info', 'x'], { status: 125, stderr: /\nEngineError: skiff info/ });
    await skiff.run(['info', 'x'], {
      env: { SKIFF_DEBUG: '1' },
      status: 125,
      stderr: /\nEngineError: skiff info/,
    });
  });

  test('control characters of an argument cannot drive the terminal', async () => {
    const { stderr } = await skiff.run(['\u001b[2Jx\u009b'], { status: 125, stderr: /unknown command/ });

    expect(stderr).not.toMatch(/[\u001b\u009b]/);
  });
});

describe('version and info', () => {
  test('--format of docker', async () => {
    await skiff.run(['version', '--format', '{{.Server.Version}}'], { stdout: /^\d+\.\d+\.\d+\n$/ });
    await skiff.run(['info', '--format', '{{.DockerRootDir}}'], { stdout: `${skiff.store}\n` });
    await skiff.run(['--root', '/some/where', 'info', '-f', '{{.DockerRootDir}}'], {
      stdout: '/some/where\n',
    });
    await skiff.run(['info', '--root', '/some/where', '-f', '{{.DockerRootDir}}'], {
      stdout: '/some/where\n',
    });
    const { stdout } = await skiff.run(['info', '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ Driver: 'overlay', OSType: 'linux', Images: 0 });
  });

  test('no HOME, no XDG variables', async () => {
    const env = { HOME: undefined, XDG_RUNTIME_DIR: undefined, SKIFF_ROOT: undefined };
    await skiff.run(['info', '--format', '{{.DockerRootDir}}'], { env, stdout: /^\/.*skiff.*\n$/ });
  });
});

describe('output', () => {
  test('dies of SIGPIPE when nobody reads, and says nothing', () => {
    const { status, stderr } = bash(
      `$SKIFF info --format '{{range 200000}}0123456789{{end}}' | true; exit "\${PIPESTATUS[0]}"`,
    );
    expect({ status, stderr }).toEqual({ status: 141, stderr: '' });
  });

  test('a megabyte arrives whole through a slow pipe', () => {
    const { stdout } = bash(
      `$SKIFF info --format '{{range 100000}}0123456789{{end}}' | { sleep 0.3; cat; } | wc -c`,
    );
    expect(stdout.toString().trim()).toBe('1000001');
  });

  test('a full disk is an error, not a success', () => {
    const { status, stderr } = bash('$SKIFF --help >/dev/full');
    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: 'Error: write: no space left on the device (ENOSPC)\n',
    });
  });

  test('a closed stderr does no harm', () => {
    expect(bash('$SKIFF --version 2>&-').status).toBe(0);
    expect(bash('$SKIFF nonsense 2>&-').status).toBe(125);
  });
});

describe('completion', () => {
  test('the scripts are good shell', () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { status, stdout, stderr } = bash(
        `$SKIFF completion ${shell} >"$HOME/c" && { ! command -v ${shell} >/dev/null || ${shell} -n "$HOME/c"; } && cat "$HOME/c"`,
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.toString()).toContain('skiff __complete');
    }
  });

  test.each([
    [[''], /^(?=[^]*^run$)(?=[^]*^container$)(?=[^]*^help$)/m],
    [['ru'], /^run$/m],
    [['image', ''], /^inspect$/m],
    [['run', '--netw'], /^--network$/m],
    [['container', 'run', '--netw'], /^--network$/m],
    [['--ro'], /^--root$/m],
    [['run', 'x'], /^$/],
  ])('%j', async (words, stdout) => {
    await skiff.run(['__complete', ...words], { stdout });
  });

  test('bash completes', () => {
    const { stdout } = bash(
      `skiff() { $SKIFF "$@"; }; source <($SKIFF completion bash); COMP_WORDS=(skiff ver); COMP_CWORD=1; _skiff; echo "\${COMPREPLY[@]}"`,
    );
    expect(stdout.toString()).toBe('version\n');
  });
});
