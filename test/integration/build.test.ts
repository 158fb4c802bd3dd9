// build: from a Dockerfile to an image, through the built binary.

import { mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync, chownSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ANY, sandbox, type Engine } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const { fixtures, userWithoutRanges } = world();
const skiff = sandbox();
const second = sandbox();
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });
const ID = /^sha256:[0-9a-f]{64}\n$/;
const run = ['run', '--rm', '--network', 'none', '--pull', 'never'];
const NOTE = /^([^\n]*single[^\n]*\n)?/;

async function loadBusybox(engine: Engine): Promise<void> {
  await engine.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
}

/** A context of the sandbox's user; names with slashes make folders. */
function context(engine: Engine, name: string, files: Record<string, string>): string {
  const dir = engine.makeDir(name);
  for (const [path, text] of Object.entries(files)) put(engine, `${dir}/${path}`, text);
  return dir;
}

function put(engine: Engine, path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (process.getuid?.() !== 0) return;
  chownSync(path, engine.user.uid, engine.user.gid);
  chownSync(dirname(path), engine.user.uid, engine.user.gid);
}

const build = ['build', '--network', 'none', '--progress', 'plain'];

async function manifestOf(engine: Engine, image: string): Promise<string> {
  const [only] = JSON.parse((await engine.run(['image', 'inspect', image])).stdout) as [
    { Descriptor: { digest: string } },
  ];
  return only.Descriptor.digest;
}

const APP = `FROM busybox AS build
ARG VERSION=1
WORKDIR /src
COPY src/ .
RUN echo "$VERSION $(cat a.txt)" > out && ln -s out link
FROM busybox
ENV GREETING=hello
COPY --from=build /src/out /app/
RUN cat /app/out > /app/copy && rm /etc/group
LABEL who=me
USER 12:34
CMD ["cat", "/app/copy"]
`;
const FILES = { Dockerfile: APP, 'src/a.txt': 'a\n', 'src/b.txt': 'b\n' };

test('an image with its configuration, history and files', async (cx) => {
  requires(cx, 'busybox-image');
  await loadBusybox(skiff);
  const dir = context(skiff, 'app', FILES);
  const { stderr } = await skiff.run(
    [...build, '-t', 'app', '-t', 'app:two', '--iidfile', `${dir}/iid`, dir],
    {
      stderr: ANY,
    },
  );
  expect(stderr).toMatch(/^#\d+ \[build 4\/4\] RUN echo "\$VERSION/m);
  expect(stderr).toMatch(/^#\d+ DONE \d+\.\d+s$/m);
  await skiff.run([...run, 'app:two'], { stdout: '1 a\n' });
  await skiff.run([...run, 'app', 'ls', '/etc/group'], { status: 1, stderr: ANY });
  const [image] = JSON.parse((await skiff.run(['image', 'inspect', 'app'])).stdout) as [
    { Id: string; Created: string; Config: Record<string, unknown> },
  ];
  expect(readFileSync(`${dir}/iid`, 'utf8')).toBe(image.Id);
  expect(image.Created).toBe('1980-01-02T00:00:00Z');
  expect(image.Config).toMatchObject({
    User: '12:34',
    Cmd: ['cat', '/app/copy'],
    Labels: { who: 'me' },
    Env: expect.arrayContaining(['GREETING=hello']) as unknown,
  });
  await skiff.run(['system', 'check'], { stdout: ANY, stderr: ANY });
});

test('what did not change comes from the cache, and a miss says why', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = `${skiff.dir}/app`;
  const again = async (...flags: string[]) =>
    (await skiff.run([...build, '-t', 'app', ...flags, dir], { stderr: ANY })).stderr;
  expect(await again()).not.toMatch(/not cached/);
  utimesSync(`${dir}/src/a.txt`, 1, 1);
  expect(await again()).not.toMatch(/not cached/);
  put(skiff, `${dir}/src/a.txt`, 'changed\n');
  const changed = await again();
  expect(changed).toMatch(/COPY src\/ \.\n#\d+ not cached: src\/a\.txt changed/);
  expect(changed).toMatch(/RUN echo[^\n]*\n#\d+ not cached: an earlier step changed/);
  expect(await again('--build-arg', 'VERSION=2')).toMatch(
    /RUN echo[^\n]*\n#\d+ not cached: ARG VERSION changed/,
  );
  // A stage that comes to the same files is as good as cached.
  put(skiff, `${dir}/src/b.txt`, 'unused\n');
  const same = await again('--build-arg', 'VERSION=2');
  expect(same).toMatch(/COPY src\/ \.\n#\d+ not cached: src\/b\.txt changed/);
  expect(same).toMatch(/RUN cat \/app\/out[^\n]*\n#\d+ CACHED/);
  expect(await again('--no-cache')).not.toMatch(/CACHED/);
});

test('two users in two directories get one digest', async (cx) => {
  requires(cx, 'busybox-image');
  const digests = [];
  for (const engine of [skiff, second]) {
    await loadBusybox(engine);
    const dir = context(engine, 'same', FILES);
    utimesSync(`${dir}/src/a.txt`, digests.length, digests.length);
    await engine.run([...build, '--no-cache', '-q', '-t', 'same', dir], { stdout: ID });
    digests.push(await manifestOf(engine, 'same'));
  }
  expect(digests[0]).toBe(digests[1]);
});

test('a single id builds too, and files are root’s', async (cx) => {
  requires(cx, 'busybox-image', 'user-without-ranges');
  const engine = single as Engine;
  await loadBusybox(engine);
  const dir = context(engine, 'one', FILES);
  await engine.run([...build, '-t', 'one', dir], { stderr: ANY });
  await engine.run([...run, '--user', '0', 'one', 'sh', '-c', 'cat /app/copy; stat -c %u:%g /app/out'], {
    stdout: '1 a\n0:0\n',
    stderr: NOTE,
  });
  // As an ordinary user with ranges has it.
  expect(await manifestOf(engine, 'one')).toBe(await manifestOf(second, 'same'));
});

describe('RUN', () => {
  const once = async (dockerfile: string, flags: string[] = [], files: Record<string, string> = {}) => {
    const dir = context(skiff, `run-${readdirSync(skiff.dir).length}`, { Dockerfile: dockerfile, ...files });
    return await skiff.run([...build, '-t', 'once', ...flags, dir], { stderr: ANY, status: null });
  };

  test('a secret is seen by its step alone', async (cx) => {
    requires(cx, 'busybox-image');
    put(skiff, `${skiff.dir}/secret`, 'hunter2');
    const text =
      'FROM busybox\nRUN --mount=type=secret,id=pw,mode=0440,uid=5 --mount=type=secret,id=pw,env=PW wc -c < /run/secrets/pw; stat -c %a:%u /run/secrets/pw; test "$PW" = "$(cat /run/secrets/pw)" && echo same\nRUN test ! -e /run/secrets';
    const { stderr, status } = await once(text, ['--secret', `id=pw,src=${skiff.dir}/secret`]);
    expect(stderr).toMatch(/ 7\n#\d+ [\d.]+ 440:5\n#\d+ [\d.]+ same\n/);
    expect(status).toBe(0);
    const saved = await skiff.run(['save', 'once'], { stdout: ANY });
    expect(saved.stdoutBytes.includes('hunter2')).toBe(false);
    for (const shelf of ['steps', 'builds'])
      for (const name of readdirSync(`${skiff.store}/build-cache/${shelf}`))
        expect(readFileSync(`${skiff.store}/build-cache/${shelf}/${name}`, 'utf8')).not.toContain('hunter2');
    // A secret is in no key: without `required`, or with the cache, a build goes on without it.
    const without = await once(text.replace('id=pw,mode', 'id=pw,required,mode'), []);
    expect(without.status).toBe(1);
    expect(without.stderr).toMatch(/secret pw: not found/);
  });

  test('a cache mount keeps its content and is in no layer', async (cx) => {
    requires(cx, 'busybox-image');
    const step = (id: number) =>
      `FROM busybox\nRUN --mount=type=cache,target=/c,id=words,uid=7,mode=0750 echo ${id} >> /c/list; cat /c/list; stat -c %a:%u /c`;
    expect((await once(step(1))).stderr).toMatch(/ 1\n#\d+ [\d.]+ 750:7\n/);
    expect((await once(step(2))).stderr).toMatch(/ 1\n#\d+ [\d.]+ 2\n/);
    await skiff.run([...run, 'once', 'ls', '/c'], { status: 1, stderr: ANY });
  });

  test('binds, without what is ignored, and writes to them that nobody keeps', async (cx) => {
    requires(cx, 'busybox-image');
    const text = `FROM busybox AS files\nRUN echo stage > /f\nFROM busybox
RUN --mount=type=bind,target=/ctx,rw --mount=type=bind,from=files,source=/f,target=/g cat /ctx/seen /g; ls /ctx; echo new > /ctx/seen`;
    const files = {
      seen: 'seen\n',
      hidden: 'hidden\n',
      '.dockerignore': 'hidden\n.dockerignore\nDockerfile\n',
    };
    const { stderr, status } = await once(text, [], files);
    expect(stderr).toMatch(/ seen\n#\d+ [\d.]+ stage\n#\d+ [\d.]+ seen\n#/);
    expect(status).toBe(0);
    await skiff.run([...run, 'once', 'ls', '/ctx', '/g'], { status: 1, stderr: ANY });
  });

  test('nothing is left of its mounts, and heredocs are scripts', async (cx) => {
    requires(cx, 'busybox-image');
    const text =
      'FROM busybox AS b\nFROM scratch\nCOPY --from=b /bin/ /bin/\nRUN <<EOF\n#!/bin/sh\necho $0 > /out\nEOF\n';
    expect((await once(text)).status).toBe(0);
    await skiff.run(['create', '--name', 'look', '--pull', 'never', 'once', 'x'], {
      stdout: ANY,
      stderr: ANY,
    });
    const { stdout } = await skiff.run(['export', 'look'], { stdout: ANY, stderr: ANY });
    await skiff.run(['rm', 'look'], { stdout: ANY });
    expect(stdout).toContain('/dev/pipes/EOF');
    for (const path of ['etc/hosts', 'etc/resolv.conf', 'proc/', 'dev/'])
      expect(stdout).not.toContain(`\0${path}`);
  });

  test('what fails is shown with its output and its place', async (cx) => {
    requires(cx, 'busybox-image');
    const { stderr, status } = await once('FROM busybox\nRUN echo words; exit 7\n');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /------\n > \[2\/2\] RUN echo words; exit 7:\n[\d.]+ words\n------\nDockerfile:2\n-+\n   1 \|     FROM busybox\n   2 \| >>> RUN echo words; exit 7\n-+\nError: failed to solve: process "\/bin\/sh -c echo words; exit 7" did not complete successfully: exit code: 7\n$/,
    );
    const files = await once('FROM busybox\nCOPY missing /\n');
    expect(files).toMatchObject({ status: 1 });
    expect(files.stderr).toMatch(/failed to solve: .*"missing"/);
  });
});

test('image prune --filter until= takes no image that was built just now', async (cx) => {
  requires(cx, 'busybox-image');
  const dir = context(skiff, 'pruned', { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  await skiff.run([...build, '-t', 'just-now', dir], { stderr: ANY });
  await skiff.run(['inspect', '--format', '{{.Created}}', 'just-now'], { stdout: /^1980-/ });
  await skiff.run(['image', 'prune', '--all', '--force', '--filter', 'until=24h'], { stdout: ANY });
  await skiff.run(['image', 'exists', 'just-now']);
});

test('--no-cache-filter runs a stage again, and what follows from it', async (cx) => {
  requires(cx, 'busybox-image');
  const random = 'FROM busybox AS one\nRUN head -c 16 /dev/urandom | od >/random\n';
  const rows: [last: string, again: boolean][] = [
    ['FROM busybox\nCOPY --from=one /random /random\n', true],
    ['FROM one\nRUN cp /random /copy\n', true],
    ['FROM busybox\nRUN --mount=type=bind,from=one,source=/random,target=/r cp /r /random\n', true],
    ['FROM busybox\nRUN echo independent >/file\n', false],
  ];
  for (const [i, [last, again]] of rows.entries()) {
    const dir = context(skiff, `filtered-${i}`, { Dockerfile: `${random}${last}` });
    const once = async (...flags: string[]) => {
      await skiff.run([...build, '-t', 'filtered', ...flags, dir], { stderr: ANY });
      return await manifestOf(skiff, 'filtered');
    };
    const first = await once();
    expect(await once(), last).toBe(first);
    expect((await once('--no-cache-filter', 'one')) !== first, last).toBe(again);
  }
});

describe('an end in the middle', () => {
  const SLOW = 'FROM busybox\nRUN echo kept > /kept\nRUN echo begun; sleep 60\n';

  test.each(['SIGINT', 'SIGKILL'] as const)(
    '%s leaves what was finished, and nothing else',
    async (signal) => {
      const dir = context(skiff, `slow-${signal}`, { Dockerfile: SLOW });
      const running = skiff.start([...build, '-t', `slow-${signal.toLowerCase()}`, '--no-cache', dir]);
      while (!/\d begun$/m.test(running.stderr())) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (running.child.exitCode !== null) throw new Error(running.stderr());
      }
      running.child.kill(signal);
      const { status } = await running.result;
      expect(status).toBe(signal);
      await skiff.run(['image', 'exists', `slow-${signal.toLowerCase()}`], { status: 1 });
      // The next build finds the first step, and removes what the killed one left.
      put(skiff, `${dir}/Dockerfile`, SLOW.replace('sleep 60', 'true'));
      const { stderr } = await skiff.run([...build, dir], { stderr: ANY });
      expect(stderr).toMatch(/RUN echo kept > \/kept\n#\d+ CACHED/);
      expect(readdirSync(`${skiff.store}/tmp`)).toEqual(['blobs']);
    },
  );
});
