// build --squash, --squash-all and --layers=false: one layer that says what several say.

import { chownSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { ANY, sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const { fixtures, missing } = world();
const skiff = sandbox();
const DOCKERFILE = `FROM busybox
RUN echo 1 > /one; echo 2 > /two; ln /one /hard; mkdir /d; echo x > /d/x; rm -r /home; rm /etc/group; mkdir -m 700 /home
ENV A=b
RUN rm /one /etc/passwd; rm -r /d; mkdir /d /etc/group; echo y > /d/y; chmod 711 /etc; chown 5:6 /d/y; echo h > /home/h
RUN true
RUN rm -r /etc/group /home/h; echo z > /etc/passwd; ln -s two /link; rm /bin/vi; echo vi > /bin/vi; rm /bin/wget
CMD ["sh"]
`;
const LIST = `cd /; find . -xdev | grep -v '^./\\(proc\\|sys\\|dev\\|etc/host\\|etc/resolv\\)' | sort | while read f; do
  stat -c '%n %a %u:%g %F %N' $f; test -d $f || stat -c %Y $f; test ! -f $f || md5sum < $f; done`;

let dir = '';

beforeAll(async () => {
  if (missing['busybox-image'] !== undefined) return;
  await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
  dir = skiff.makeDir('context');
  writeFileSync(`${dir}/Dockerfile`, DOCKERFILE);
  if (process.getuid?.() === 0) chownSync(`${dir}/Dockerfile`, skiff.user.uid, skiff.user.gid);
});

async function build(...flags: string[]): Promise<string> {
  return (
    await skiff.run(['build', '-q', '--network', 'none', ...flags, dir], { stdout: ANY })
  ).stdout.trim();
}

async function inspect(image: string): Promise<{ layers: string[]; digest: string }> {
  const { stdout } = await skiff.run(['image', 'inspect', image]);
  const [only] = JSON.parse(stdout) as [{ RootFS: { Layers: string[] }; Descriptor: { digest: string } }];
  return { layers: only.RootFS.Layers, digest: only.Descriptor.digest };
}

async function list(image: string): Promise<string> {
  return (await skiff.run(['run', '--rm', '--network', 'none', image, 'sh', '-c', LIST])).stdout;
}

async function history(image: string): Promise<string[]> {
  const args = ['history', '--no-trunc', '--format', '{{.Size}} {{.CreatedBy}}', image];
  return (await skiff.run(args)).stdout.trim().split('\n');
}

test('the same files, in one layer on the base’s', async (cx) => {
  requires(cx, 'busybox-image');
  const base = await inspect('busybox');
  await build('-t', 'plain');
  await build('-t', 'one', '--squash');
  await build('-t', 'all', '--squash-all');
  const files = await list('plain');
  expect(files).toContain('./etc/passwd 644 0:0');
  expect(await list('one')).toBe(files);
  expect(await list('all')).toBe(files);
  const one = await inspect('one');
  expect(one.layers.slice(0, -1)).toEqual(base.layers);
  expect((await inspect('all')).layers).toHaveLength(1);
  expect((await history('one')).map((line) => line.replace(/ # buildkit$|;.*/, ''))).toEqual([
    expect.stringMatching(/^\d+B merge of 3 layers$/),
    '0B CMD ["sh"]',
    '0B RUN /bin/sh -c rm -r /etc/group /home/h',
    '0B RUN /bin/sh -c true',
    '0B RUN /bin/sh -c rm /one /etc/passwd',
    '0B ENV A=b',
    '0B RUN /bin/sh -c echo 1 > /one',
    ...(await history('busybox')),
  ]);
  expect(await history('all')).toHaveLength((await history('one')).length);
});

test('the same digest without the cache, and by --layers=false', async (cx) => {
  requires(cx, 'busybox-image');
  const { digest } = await inspect('one');
  await skiff.run(['rmi', 'plain', 'one', 'all'], { stdout: ANY });
  await skiff.run(['builder', 'prune', '-af'], { stdout: ANY, stderr: ANY });
  await build('-t', 'again', '--squash');
  expect((await inspect('again')).digest).toBe(digest);
  const { stderr } = await skiff.run(
    ['build', '--network', 'none', '--progress', 'plain', '--layers=false', '-t', 'podman', dir],
    { stderr: ANY },
  );
  expect(stderr).not.toContain('CACHED [2/');
  expect((await inspect('podman')).digest).toBe(digest);
});

test('what adds one layer, or none, is left as it is', async (cx) => {
  requires(cx, 'busybox-image');
  writeFileSync(`${dir}/Dockerfile`, 'FROM busybox\nRUN echo 1 > /one\nENV A=b\n');
  expect(await build('--squash')).toBe(await build());
  writeFileSync(`${dir}/Dockerfile`, 'FROM busybox\nRUN echo 1 > /one\nRUN rm /one\n');
  await build('-t', 'nothing', '--squash');
  expect((await inspect('nothing')).layers).toEqual((await inspect('busybox')).layers);
});
