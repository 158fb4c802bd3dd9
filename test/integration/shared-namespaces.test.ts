// container:X of a container that itself has the host's namespaces: the same ones, as in docker.

import { readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';

const skiff = sandbox({ sharedStore: true });
const FLAGS = ['--pid', '--ipc', '--network'];
const LINKS = ['pid', 'ipc', 'net'].map((kind) => `/proc/self/ns/${kind}`);

test('the namespaces of a container that shares those of the host, through one more container', async () => {
  const sharing = (mode: string): string[] => FLAGS.flatMap((flag) => [flag, mode]);
  const keep = ['busybox', 'sleep', '1000'];
  const show = ['busybox', 'sh', '-c', `for link in ${LINKS.join(' ')}; do readlink $link; done`];
  await skiff.run(['run', '-d', '--name', 'first', ...sharing('host'), ...keep], { stdout: /./ });
  await skiff.run(['run', '-d', '--name', 'second', ...sharing('container:first'), ...keep], { stdout: /./ });
  for (const name of ['first', 'second']) {
    const { stdout } = await skiff.run(['run', '--rm', ...sharing(`container:${name}`), ...show]);
    expect(stdout.trim().split('\n'), name).toEqual(LINKS.map((link) => readlinkSync(link)));
  }
  // What was asked for is shown.
  await skiff.run(['inspect', '-f', '{{.HostConfig.PidMode}}', 'second'], {
    stdout: /^container:[0-9a-f]{64}\n$/,
  });
  await skiff.run(['rm', '-f', 'second', 'first'], { stdout: 'second\nfirst\n' });
});
