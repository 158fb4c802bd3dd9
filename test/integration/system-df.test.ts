// `system df -v`: docker's four tables, and the same as JSON.

import { beforeAll, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();

beforeAll(async () => {
  await skiff.run(['load', '-q', '-i', world().fixtures.busyboxOciArchive ?? ''], { stdout: /busybox/ });
});

test('without anything but an image', async () => {
  const size = '[0-9.]+[kM]?B';
  await skiff.run(['system', 'df', '-v'], {
    stdout: new RegExp(
      [
        '^Images space usage:',
        '',
        'REPOSITORY   TAG       IMAGE ID       CREATED +SIZE +SHARED SIZE   UNIQUE SIZE   CONTAINERS',
        `busybox      latest    [0-9a-f]{12}   .* ${size} +0B +${size} +0`,
        '',
        'Containers space usage:',
        '',
        'CONTAINER ID   IMAGE     COMMAND   LOCAL VOLUMES   SIZE      CREATED   STATUS    NAMES',
        '',
        'Local Volumes space usage:',
        '',
        'VOLUME NAME   LINKS     SIZE',
        '',
        'Build cache usage: 0B',
        '',
        'CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED\n$',
      ].join('\n'),
    ),
  });
});

test('an image on another, a container with a volume; as JSON and by template', async () => {
  const run = ['run', '--name', 'box', '--network', 'none', '-v', 'data:/data', 'busybox'];
  await skiff.run([
    ...run,
    'sh',
    '-c',
    'head -c 5000 /dev/zero > /made; head -c 9000 /dev/zero > /data/file',
  ]);
  await skiff.run(['commit', 'box', 'made'], { stdout: /sha256/ });
  const { stdout } = await skiff.run(['system', 'df', '-v', '--format', 'json']);
  const all = JSON.parse(stdout) as Record<string, Record<string, string>[]>;
  expect(Object.keys(all)).toEqual(['Images', 'Containers', 'Volumes', 'BuildCache']);
  const [made, base] = ['made', 'busybox'].map((name) =>
    all['Images']?.find((row) => row['Repository'] === name),
  );
  expect(made?.['SharedSize']).toBe(base?.['SharedSize']);
  expect(made?.['SharedSize']).toBe(base?.['Size']);
  expect([base?.['UniqueSize'], base?.['Containers'], made?.['Containers']]).toEqual(['0B', '1', '0']);
  expect(all['Containers']).toMatchObject([
    {
      Image: 'busybox',
      LocalVolumes: '1',
      Size: '5kB',
      Names: 'box',
      Status: expect.stringMatching(/^Exited \(0\)/),
    },
  ]);
  expect(all['Volumes']).toMatchObject([{ Name: 'data', Links: '1' }]);
  await skiff.run(['system', 'df', '-v', '--format', '{{range .Volumes}}{{.Name}} {{.Links}}{{end}}'], {
    stdout: 'data 1\n',
  });
  await skiff.run(['system', 'df', '-v', '--format', '{{.Frob}}'], { status: 125, stderr: /unknown field/ });
  await skiff.run(['rm', 'box'], { stdout: 'box\n' });
  await skiff.run(['volume', 'rm', 'data'], { stdout: 'data\n' });
});
