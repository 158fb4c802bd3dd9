// load, images, tag, image inspect, rmi: enough to manage what was pulled or loaded.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
const { fixtures } = world();
const none = ['run', '--rm', '--network', 'none', '--pull', 'never'];

describe('load', () => {
  test.for([
    ['a docker archive', fixtures.busyboxDockerArchive],
    ['an OCI archive', fixtures.busyboxOciArchive],
    ['an OCI layout folder', fixtures.busyboxLayout],
  ])('%s', async ([, path], context) => {
    requires(context, 'busybox-image');
    await skiff.run(['load', '--input', path ?? ''], { stdout: /busybox|latest|sha256:/, stderr: /^/ });
  });

  test('from stdin', async (context) => {
    requires(context, 'busybox-image');
    await skiff.run(['load'], {
      stdin: readFileSync(fixtures.busyboxDockerArchive ?? ''),
      stdout: /busybox/,
      stderr: /^/,
    });
    await skiff.run([...none, 'busybox', 'echo', 'loaded'], { stdout: 'loaded\n' });
  });

  test('of something else: an error that says so, and nothing is kept', async () => {
    const before = (await skiff.run(['images', '-q'])).stdout;
    await skiff.run(['load'], { stdin: 'no archive', status: 125, stderr: /./ });
    await skiff.run(['load', '--input', '/no/such/file'], { status: 125, stderr: /\/no\/such\/file/ });
    await skiff.run(['load', '--input', '/etc/passwd'], { status: 125, stderr: /./ });
    await skiff.run(['images', '-q'], { stdout: before });
  });
});

test('images, tag, inspect, rmi', async (context) => {
  requires(context, 'busybox-image');
  await skiff.run(['images'], {
    stdout: /^REPOSITORY\s+TAG\s+IMAGE ID\s+CREATED\s+SIZE\n[^]*busybox\s+latest\s+[0-9a-f]{12}\s/,
  });
  await skiff.run(['images', '--format', ''], { stdout: /^REPOSITORY\s+TAG/ });
  // Loaded in several forms above, and one image all the same.
  await skiff.run(['images', '--format', '{{.Repository}}'], { stdout: 'busybox\n' });
  await skiff.run(['tag', 'busybox', 'mine:1'], { stdout: '' });
  await skiff.run(['images', '--format', '{{.Repository}}:{{.Tag}}', 'mine'], { stdout: /mine:1\n$/ });
  const { stdout } = await skiff.run(['image', 'inspect', 'mine:1']);
  const [image] = JSON.parse(stdout) as [{ Id: string; Architecture: string; Config: { Cmd: string[] } }];
  expect(image).toMatchObject({ Architecture: 'amd64', Config: { Cmd: ['sh'] } });
  await skiff.run(
    [
      'image',
      'inspect',
      '-f',
      '{{json .Config.ExposedPorts}} {{json .Config.Healthcheck}} [{{.Config.StopSignal}}]',
      'mine:1',
    ],
    { stdout: 'null null []\n' },
  );
  expect(image.Id).toMatch(/^sha256:[0-9a-f]{64}$/);
  await skiff.run([...none, image.Id.slice(7, 19), 'echo', 'by id'], { stdout: 'by id\n' });
  await skiff.run(['rmi', 'mine:1'], { stdout: /mine:1/ });
  await skiff.run([...none, 'busybox', 'true']);
  await skiff.run(['rmi', 'mine:1'], { status: 1, stderr: /mine:1/ });
  await skiff.run(['images', '--format', 'json'], { stdout: /^[[{]/ });
});

test('rmi of an image whose container stays is refused; -f and a removed one are not', async (context) => {
  requires(context, 'busybox-image');
  await skiff.run(['run', '--name', 'user', '--network', 'none', 'busybox', 'true']);
  await skiff.run(['rmi', 'busybox'], { status: 2, stderr: /user|in use/ });
  await skiff.run(['rm', 'user'], { stdout: 'user\n' });
  await skiff.run(['tag', 'busybox', 'elsewhere:1'], { stdout: '' });
  await skiff.run(['rmi', '--all'], { stdout: /^Untagged: (busybox:latest|elsewhere:1)\n/ });
  await skiff.run(['images', '-q'], { stdout: '' });
  await skiff.run(['run', '--rm', '--pull', 'never', 'busybox', 'true'], { status: 125, stderr: /busybox/ });
});
