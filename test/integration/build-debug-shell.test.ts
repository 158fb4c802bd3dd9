// build --debug-shell: a shell in the step that failed.

import { chownSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { ANY, sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { withTerminal, type TerminalRun } from '../helpers/terminal.ts';
import { world } from '../helpers/world.ts';

const { fixtures, missing } = world();
const skiff = sandbox();
const PROMPT = / # (?:\u001b\[6n)?$/;

beforeAll(async () => {
  if (missing['busybox-image'] !== undefined) return;
  await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
});

function context(name: string, dockerfile: string): string {
  const dir = skiff.makeDir(name);
  writeFileSync(`${dir}/Dockerfile`, dockerfile);
  if (process.getuid?.() === 0) chownSync(`${dir}/Dockerfile`, skiff.user.uid, skiff.user.gid);
  return dir;
}

function build(dir: string, ...flags: string[]): TerminalRun {
  return withTerminal(skiff, ['build', '--network', 'none', '--debug-shell', ...flags, dir]);
}

/** Types a command whose output ends with `done`, and waits for that. */
async function ask(terminal: TerminalRun, command: string): Promise<void> {
  terminal.type(`${command}; echo do""ne\n`);
  await terminal.waitFor(/^done\r\n/m);
}

test('has what the step had and left, and the build fails when it ends', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context(
    'has',
    `FROM busybox
ENV WHO=me
WORKDIR /work
RUN chmod 777 .
USER 12:34
RUN --mount=type=tmpfs,target=/scratch --mount=type=cache,target=/cache,mode=777 echo said; echo left > file; echo kept > /cache/file; exit 7
`,
  );
  const terminal = build(dir, '-t', 'never');
  await terminal.waitFor(/exit code: 7\r\nThis is \/bin\/sh where that was run/);
  await ask(
    terminal,
    'echo "$WHO $(id -u):$(id -g) $(pwd) $(cat file) $(cat /cache/file) $(grep -c scratch /proc/mounts) $(ls /sys/class/net)"',
  );
  expect(terminal.output()).toMatch(/^me 12:34 \/work left kept 1 lo\r$/m);
  terminal.resize(77, 11);
  terminal.type('stty size; sleep 100\n');
  await terminal.waitFor(/^11 77\r$/m);
  terminal.type('\u0003'); // of the terminal in there: it ends the sleep alone
  terminal.type('exit 3\n');
  const { status, output } = await terminal.end;
  expect(status).toBe(1);
  // The picture stood aside: what the step said is above the shell, and again at the end.
  expect(output).toMatch(/ > \[4\/4\] RUN [^]*\nsaid\r\n------\r\n[^]*This is \/bin\/sh/);
  expect(output).toMatch(/Error: failed to solve: .* exit code: 7\r\n$/);
  expect(output.lastIndexOf('\u001b[?25h')).toBeGreaterThan(output.lastIndexOf('\u001b[?25l'));
  await skiff.run(['image', 'inspect', 'never'], { status: 1, stdout: ANY, stderr: ANY });
});

test('is the shell of SHELL where that is there; without any there is a word', async (cx) => {
  requires(cx, 'busybox-image');
  const own = build(context('own', 'FROM busybox\nSHELL ["ash", "-c"]\nRUN false\n'), '--progress', 'plain');
  await own.waitFor(/This is ash/);
  own.type('exit\n');
  expect((await own.end).status).toBe(1);
  const other = build(context('other', 'FROM busybox\nSHELL ["/bin/bash", "-c"]\nRUN true\n'));
  await other.waitFor(/This is \/bin\/sh/);
  other.type('exit\n');
  expect((await other.end).status).toBe(1);
  const none = build(
    context('none', 'FROM busybox AS a\nFROM scratch\nCOPY --from=a /bin/busybox /b\nRUN ["/b", "false"]\n'),
  );
  const { status, output } = await none.end;
  expect(status).toBe(1);
  expect(output).toContain('no shell is opened: there is none in the image');
});

test('without a terminal the build fails as usual, and says so', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context('piped', 'FROM busybox\nRUN false\n');
  const { stderr } = await skiff.run(['build', '--network', 'none', '--debug-shell', dir], {
    prefix: ['setsid', '--wait'],
    status: 1,
    stderr: ANY,
  });
  expect(stderr).toContain('Warning: --debug-shell: no shell is opened: this process has no terminal\n');
  expect(stderr).toMatch(/did not complete successfully: exit code: 1\n$/);
});

test('what fails beside it waits for its end, and gets no shell of its own', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context(
    'beside',
    `FROM busybox AS a
RUN echo first; exit 1
FROM busybox AS b
RUN sleep 2; echo second; exit 2
FROM busybox
COPY --from=a /etc/group /a
COPY --from=b /etc/group /b
`,
  );
  const terminal = build(dir, '--progress', 'plain');
  await terminal.waitFor(PROMPT);
  await ask(terminal, 'sleep 4');
  expect(terminal.output()).not.toContain(' second\r\n');
  terminal.type('exit\n');
  const { status, output } = await terminal.end;
  expect(status).toBe(1);
  expect(output).toContain(' second\r\n');
  expect(output.split('This is /bin/sh')).toHaveLength(2);
  expect(output).toMatch(/exit code: 1\r\n$/);
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const)
  test(`${signal} ends it`, async (cx) => {
    requires(cx, 'busybox-image');
    const terminal = build(context(signal, 'FROM busybox\nRUN exit 1\n'));
    await terminal.waitFor(PROMPT);
    process.kill(terminal.pid(), signal);
    const { status, output } = await terminal.end;
    expect(status).toBe(expected);
    expect(output).toMatch(/Error: building: cancelled\r\n$/);
  });
