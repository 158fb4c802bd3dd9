// volume create, ls, inspect, rm, prune, exists: exit status and both streams, as docker prints them.

import { expect, test } from 'vitest';
import { sandbox, type Expectation } from '../helpers/engine.ts';
import { storeLeftovers } from '../helpers/leaks.ts';
import { withTerminal } from '../helpers/terminal.ts';

const skiff = sandbox({ sharedStore: true });
const none = ['run', '--network', 'none'];
const HEX = /^[0-9a-f]{64}\n$/;
const HINT_LS = 'Hint: "skiff volume ls" lists them\n';

/** Each row runs after the ones above it; what is left at the end is nothing. */
const rows: [args: string[], expected: Expectation][] = [
  [['volume', 'ls'], { stdout: 'DRIVER    VOLUME NAME\n' }],
  [['volume', 'ls', '-q'], { stdout: '' }],
  [['volume', 'create', 'data'], { stdout: 'data\n' }],
  [['volume', 'create', 'data'], { stdout: 'data\n' }],
  [
    ['volume', 'create', '--label', 'new=1', 'data'],
    { stdout: 'data\n', stderr: /^Warning: volume "data" exists already and keeps its own options/ },
  ],
  [['volume', 'create', '--label', 'app=web', '-d', 'local', '--name', 'web'], { stdout: 'web\n' }],
  [
    ['volume', 'create', 'x'],
    { status: 1, stdout: '', stderr: /^Error: create x: volume name is too short/ },
  ],
  [
    ['volume', 'create', '../x'],
    { status: 1, stdout: '', stderr: /"\.\.\/x" includes invalid characters for a local volume name/ },
  ],
  [
    ['volume', 'create', '-d', 'nfs', 'remote'],
    { status: 1, stdout: '', stderr: /^Error: create remote: .*plugin "nfs" not found\nHint: local/ },
  ],
  [
    ['volume', 'create', '-o', 'type=nfs', '-o', 'device=:/x', 'remote'],
    {
      status: 1,
      stdout: '',
      stderr: /^Error: volume "remote": option "type=nfs": only root may mount that\n/,
    },
  ],
  [['volume', 'create', '--frob', 'x'], { status: 125, stdout: '', stderr: /unknown flag --frob/ }],
  [['volume', 'create', 'aa', 'bb'], { status: 125, stdout: '', stderr: /argument/ }],
  [['volume', 'ls'], { stdout: 'DRIVER    VOLUME NAME\nlocal     data\nlocal     web\n' }],
  [['volume', 'list', '-q', '-f', 'label=app'], { stdout: 'web\n' }],
  [['volume', 'ls', '-qf', 'dangling=false'], { stdout: '' }],
  [['volume', 'ls', '--filter', 'frob=1'], { status: 125, stdout: '', stderr: /invalid filter/ }],
  [
    ['volume', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Label "app"}}'],
    { stdout: 'data local \nweb local web\n' },
  ],
  [
    ['volume', 'ls', '--filter', 'name=web', '--format', 'json'],
    {
      stdout:
        /^\{"Availability":"N\/A","Driver":"local","Group":"N\/A","Labels":"app=web","Links":"N\/A","Mountpoint":"\/[^"]*\/volumes\/web\/_data","Name":"web","Scope":"local","Size":"N\/A","Status":"N\/A"\}\n$/,
    },
  ],
  [['volume', 'ls', '--format', '{{.Nope}}'], { status: 125, stdout: '', stderr: /Nope/ }],
  [['volume', 'inspect', '-f', '{{.Name}} {{.Labels.app}} {{.Scope}}', 'web'], { stdout: 'web web local\n' }],
  [
    ['volume', 'inspect', 'no'],
    { status: 1, stdout: '[]\n', stderr: `Error: get no: no such volume\n${HINT_LS}` },
  ],
  [
    ['volume', 'inspect', '-f', '{{.Name}}', 'no', 'web'],
    { status: 1, stdout: 'web\n', stderr: `Error: get no: no such volume\n${HINT_LS}` },
  ],
  [['inspect', '-f', '{{.Name}} {{.Scope}}', 'web'], { stdout: 'web local\n' }],
  [['inspect', '--type', 'volume', '-f', '{{.Name}}', 'web'], { stdout: 'web\n' }],
  [
    ['inspect', '--type', 'volume', 'busybox'],
    { status: 1, stdout: '[]\n', stderr: 'Error: no such volume: busybox\n' },
  ],
  [
    ['inspect', '--type', 'image', 'web'],
    { status: 1, stdout: '[]\n', stderr: 'Error: no such image: web\n' },
  ],
  [['volume', 'exists', 'web'], {}],
  [['volume', 'exists', 'no'], { status: 1 }],
  [['volume', 'exists'], { status: 125, stderr: /argument/ }],
  [[...none, '--name', 'user', '-v', 'data:/d', 'busybox', 'true'], {}],
  [
    ['volume', 'rm', 'data'],
    {
      status: 1,
      stdout: '',
      stderr: /^Error: remove data: volume is in use - \[[0-9a-f]{64}\]\nHint: remove the container first/,
    },
  ],
  [['volume', 'rm', '-f', 'data'], { status: 1, stdout: '', stderr: /volume is in use/ }],
  [['volume', 'rm', 'no'], { status: 1, stdout: '', stderr: `Error: get no: no such volume\n${HINT_LS}` }],
  [['volume', 'rm', '--force', 'no'], { stdout: 'no\n' }],
  [['volume', 'rm'], { status: 125, stdout: '', stderr: /argument/ }],
  [
    ['volume', 'rm', 'no', 'web', 'data'],
    {
      status: 1,
      stdout: 'web\n',
      stderr: /^Error: get no: no such volume\n[^]*Error: remove data: volume is in use/,
    },
  ],
  [['ps', '-a', '--filter', 'volume=data', '--format', '{{.Names}} {{.Mounts}}'], { stdout: 'user data\n' }],
  [['ps', '-a', '--filter', 'volume=other', '-q'], { stdout: '' }],
  [['volume', 'ls', '-qf', 'dangling=false'], { stdout: 'data\n' }],
  [['volume', 'create'], { stdout: HEX }],
  [['volume', 'ls', '-q'], { stdout: /^([0-9a-f]{64}\ndata|data\n[0-9a-f]{64})\n$/ }],
  [['volume', 'prune'], { status: 125, stdout: '', stderr: /stdin is no terminal[^]*--force/ }],
  [['volume', 'prune', '-f', '--filter', 'until=1h'], { status: 125, stdout: '', stderr: /unknown filter/ }],
  [
    ['volume', 'prune', '-f'],
    { stdout: /^Deleted Volumes:\n[0-9a-f]{64}\n\nTotal reclaimed space: [\d.]+kB\n$/ },
  ],
  [['volume', 'prune', '-f', '--all'], { stdout: 'Total reclaimed space: 0B\n' }],
  [['rm', '-v', 'user'], { stdout: 'user\n' }],
  [['volume', 'prune', '-f'], { stdout: 'Total reclaimed space: 0B\n' }],
  [['system', 'prune', '--volumes', '-f'], { stdout: /^Total reclaimed space: / }],
  [['volume', 'ls', '-q'], { stdout: 'data\n' }],
  [['volume', 'prune', '-af'], { stdout: /^Deleted Volumes:\ndata\n\nTotal/ }],
];

test('a table of calls, in this order', async () => {
  for (const [args, expected] of rows) await skiff.run(args, expected);
  expect(rows).toHaveLength(50);
  expect(storeLeftovers(skiff.store)).toEqual([]);
}, 120_000);

test('inspect: the JSON', async () => {
  await skiff.run(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m', 'mem'], {
    stdout: 'mem\n',
    stderr: /tmpfs of its own/,
  });
  const { stdout } = await skiff.run(['volume', 'inspect', 'mem']);
  expect(JSON.parse(stdout)).toEqual([
    {
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      Driver: 'local',
      Labels: null,
      Mountpoint: `${skiff.store}/volumes/mem/_data`,
      Name: 'mem',
      Options: { device: 'tmpfs', o: 'size=1m', type: 'tmpfs' },
      Scope: 'local',
    },
  ]);
  await skiff.run(['volume', 'rm', 'mem'], { stdout: 'mem\n' });
});

test('a name of any age is free once it is removed; many at once make one', async () => {
  const made = Array.from({ length: 8 }, () => skiff.run(['volume', 'create', 'one'], { stdout: 'one\n' }));
  await Promise.all(made);
  await skiff.run(['volume', 'ls', '-q'], { stdout: 'one\n' });
  const removed = await Promise.all(
    Array.from({ length: 4 }, () => skiff.start(['volume', 'rm', 'one']).result),
  );
  expect(removed.filter(({ status }) => status === 0).length).toBeGreaterThanOrEqual(1);
  await skiff.run(['volume', 'exists', 'one'], { status: 1 });
  await skiff.run(['volume', 'create', 'one'], { stdout: 'one\n' });
  await skiff.run(['volume', 'rm', 'one'], { stdout: 'one\n' });
});

test('prune asks at a terminal, and takes no for an answer', async () => {
  await skiff.run(['volume', 'create'], { stdout: HEX });
  for (const [answer, left] of [
    ['n\n', 1],
    ['y\n', 0],
  ] as const) {
    const asked = withTerminal(skiff, ['volume', 'prune']);
    await asked.waitFor(/removes all anonymous volumes that no container uses[^]*\[y\/N\]/);
    asked.type(answer);
    expect((await asked.end).status).toBe(0);
    const { stdout } = await skiff.run(['volume', 'ls', '-q']);
    expect(stdout.split('\n').filter((line) => line !== '')).toHaveLength(left);
  }
});
