// `events`: docker's events, each once and in docker's order, however many containers write them, while the log is
// rotated, and on a full disk.

import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { sandbox, type Running } from '../helpers/engine.ts';
import { exec } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

interface Shown {
  status?: string;
  id?: string;
  from?: string;
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  scope: string;
  time: number;
  timeNano: number;
}

const skiff = sandbox();
const none = ['--network', 'none'];

beforeAll(async () => {
  await skiff.run(['load', '-q', '-i', world().fixtures.busyboxOciArchive ?? ''], { stdout: /busybox/ });
});

/** Everything of the past that passes the filters. */
async function past(...filters: string[]): Promise<Shown[]> {
  const words = filters.flatMap((filter) => ['--filter', filter]);
  const { stdout } = await skiff.run(['events', '--stream=false', '--format', '{{json .}}', ...words]);
  return parse(stdout);
}

function parse(text: string): Shown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Shown);
}

/** `container die exitCode=0`: the action with the attributes that are named. */
function short({ Type, Action, Actor }: Shown, ...keys: string[]): string {
  const more = keys.filter((key) => key in Actor.Attributes).map((key) => `${key}=${Actor.Attributes[key]}`);
  return [Type, Action, ...more].join(' ');
}

const KEYS = ['name', 'exitCode', 'signal', 'oldName'];

describe('the life of a container', () => {
  test('run -d, exec, kill, stop, start, restart, rename, rm', async () => {
    const { stdout } = await skiff.run(
      ['run', '-d', '--name', 'web', '-l', 'test=life', ...none, 'busybox', 'sleep', '1000'],
      { stdout: /./ },
    );
    const id = stdout.trim();
    await skiff.run(['exec', 'web', 'sh', '-c', 'exit 3'], { status: 3 });
    await skiff.run(['top', 'web'], { stdout: /sleep 1000/ });
    await skiff.run(['kill', '-s', 'URG', 'web'], { stdout: 'web\n' });
    await skiff.run(['stop', 'web'], { stdout: 'web\n' });
    await skiff.run(['stop', 'web'], { stdout: 'web\n' }); // is no event
    await skiff.run(['start', 'web'], { stdout: 'web\n' });
    await skiff.run(['start', 'web'], { stdout: 'web\n' });
    await skiff.run(['restart', 'web'], { stdout: 'web\n' });
    await skiff.run(['rename', 'web', 'www']);
    await skiff.run(['rm', '-f', 'www'], { stdout: 'www\n' });
    const events = await past('label=test=life');
    expect(events.map((event) => short(event, ...KEYS))).toEqual([
      'container create name=web',
      'container start name=web',
      'container exec_create: sh -c exit 3 name=web',
      'container exec_start: sh -c exit 3 name=web',
      'container exec_die name=web exitCode=3',
      'container top name=web',
      'container kill name=web signal=23',
      'container kill name=web signal=15',
      'container die name=web exitCode=143',
      'container stop name=web',
      'container start name=web',
      'container kill name=web signal=15',
      'container die name=web exitCode=143',
      'container stop name=web',
      'container start name=web',
      'container restart name=web',
      'container rename name=www oldName=/web',
      'container kill name=www signal=9',
      'container die name=www exitCode=137',
      'container destroy name=www',
    ]);
    expect(events.every((event) => event.Actor.ID === id && event.id === id)).toBe(true);
    expect(events.every(({ status, Action, from }) => status === Action && from === 'busybox')).toBe(true);
    expect(new Set(events.slice(2, 5).map(({ Actor }) => Actor.Attributes['execID'])).size).toBe(1);
    const times = events.map(({ timeNano }) => timeNano);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('a name that was changed while it runs is known to who keeps it', async () => {
    await skiff.run(
      ['run', '-d', '--rm', '--name', 'old', '-l', 'test=name', ...none, 'busybox', 'sleep', '1000'],
      {
        stdout: /./,
      },
    );
    await skiff.run(['rename', 'old', 'new']);
    await skiff.run(['kill', 'new'], { stdout: 'new\n' });
    await expect.poll(async () => (await past('label=test=name')).at(-1)?.Action).toBe('destroy');
    const events = await past('label=test=name');
    expect(events.map((event) => short(event, 'name'))).toEqual([
      'container create name=old',
      'container start name=old',
      'container rename name=new',
      'container kill name=new',
      'container die name=new',
      'container destroy name=new',
    ]);
  });

  test('run --rm, with a volume of its own', async () => {
    await skiff.run(['run', '--rm', '--name', 'once', '-v', '/data', ...none, 'busybox', 'false'], {
      status: 1,
    });
    const events = (await past()).slice(-9);
    const volume = events[0]?.Actor.ID;
    expect(volume).toMatch(/^[0-9a-f]{64}$/);
    expect(events.map((event) => short(event, 'name', 'exitCode', 'destination', 'read/write'))).toEqual([
      'volume create',
      'container create name=once',
      'container attach name=once',
      'volume mount destination=/data read/write=true',
      'container start name=once',
      'volume unmount',
      'container die name=once exitCode=1',
      'volume destroy',
      'container destroy name=once',
    ]);
    const ofVolume = events.filter(({ Type }) => Type === 'volume');
    expect(ofVolume.every(({ Actor }) => Actor.ID === volume)).toBe(true);
    expect(ofVolume.every((event) => !('id' in event) && !('status' in event))).toBe(true);
  });

  test('one that cannot be started, and one that dies by a signal to skiff', async () => {
    await skiff.run(['run', '--rm', '-l', 'test=bad', ...none, 'busybox', '/none'], {
      status: 127,
      stderr: /\/none/,
    });
    const bad = await past('label=test=bad');
    expect(bad.map((event) => short(event))).toEqual([
      'container create',
      'container attach',
      'container destroy',
    ]);
    const running = skiff.start([
      'run',
      '--rm',
      '-l',
      'test=sig',
      ...none,
      'busybox',
      'sh',
      '-c',
      'echo up; exec sleep 1000',
    ]);
    await running.waitForStdout(/up/);
    running.child.kill('SIGTERM');
    expect((await running.result).status).toBe(143);
    const signalled = await past('label=test=sig');
    expect(signalled.map((event) => short(event, 'exitCode', 'signal'))).toEqual([
      'container create',
      'container attach',
      'container start',
      'container kill signal=15',
      'container die exitCode=143',
      'container destroy',
    ]);
  });

  test('a restart policy: die and start, by turns', async () => {
    await skiff.run(
      [
        'run',
        '-d',
        '--name',
        'again',
        '-l',
        'test=again',
        '--restart',
        'on-failure:2',
        ...none,
        'busybox',
        'false',
      ],
      { stdout: /./ },
    );
    await skiff.run(['logs', '-f', 'again']); // to the last end
    await skiff.run(['rm', 'again'], { stdout: 'again\n' });
    const actions = (await past('label=test=again')).map(({ Action }) => Action);
    expect(actions.join(' ')).toBe('create start die start die start die destroy');
  });

  test('a keeper that was killed: what it could not tell is told by who cleans up', async () => {
    await skiff.run(['run', '-d', '--name', 'lost', '-l', 'test=lost', ...none, 'busybox', 'sleep', '1000'], {
      stdout: /./,
    });
    const { stdout } = await skiff.run(['inspect', '-f', '{{.State.Pid}}', 'lost']);
    const keeper = await exec('ps', ['-o', 'ppid=', '-p', stdout.trim()]);
    process.kill(Number(keeper), 'SIGKILL');
    await expect
      .poll(async () => (await skiff.run(['inspect', '-f', '{{.State.Status}}', 'lost'])).stdout)
      .toBe('exited\n');
    await skiff.run(['rm', 'lost'], { stdout: 'lost\n' });
    const events = await past('label=test=lost');
    expect(events.map((event) => short(event, 'exitCode'))).toEqual([
      'container create',
      'container start',
      'container die exitCode=137',
      'container destroy',
    ]);
  });
});

test('images, files and volumes', async () => {
  const before = (await past()).length;
  await skiff.run(['tag', 'busybox', 'mine:1']);
  await skiff.run(['save', '-o', `${skiff.dir}/home/mine.tar`, 'mine:1']);
  await skiff.run(['rmi', 'mine:1'], { stdout: /Untagged/ });
  await skiff.run(['create', '--name', 'box', ...none, 'busybox'], { stdout: /./ });
  await skiff.run(['cp', 'box:/etc/passwd', `${skiff.dir}/home/passwd`]);
  await skiff.run(['cp', `${skiff.dir}/home/passwd`, 'box:/copy']);
  await skiff.run(['commit', 'box', 'made'], { stdout: /sha256:/ });
  await skiff.run(['export', '-o', `${skiff.dir}/home/box.tar`, 'box']);
  await skiff.run(['import', `${skiff.dir}/home/box.tar`], { stdout: /sha256:/ });
  await skiff.run(['rm', 'box'], { stdout: 'box\n' });
  await skiff.run(['rmi', 'made'], { stdout: /Deleted/ });
  await skiff.run(['volume', 'create', 'data'], { stdout: 'data\n' });
  await skiff.run(['volume', 'create', 'data'], { stdout: 'data\n' });
  await skiff.run(['volume', 'rm', 'data'], { stdout: 'data\n' });
  await skiff.run(['container', 'prune', '-f'], { stdout: /0B/ });
  await skiff.run(['volume', 'prune', '-f'], { stdout: /0B/ });
  await skiff.run(['load', '-q', '-i', `${skiff.dir}/home/mine.tar`], { stdout: /mine:1/ });
  const events = (await past()).slice(before);
  const shown = events.map((event) => short(event, 'imageRef', 'reclaimed'));
  expect(shown).toEqual([
    'image tag',
    'image save',
    'image untag',
    'container create',
    'container archive-path',
    'container extract-to-dir',
    'image tag',
    'container commit imageRef=made:latest',
    'container export',
    'image import',
    'container destroy',
    'image untag',
    'image delete',
    'volume create',
    'volume destroy',
    'container prune reclaimed=0',
    'volume prune reclaimed=0',
    'image load',
  ]);
  expect(events[0]).toMatchObject({ Actor: { Attributes: { name: 'mine:1' } } });
  expect(events[0]?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('a pull is known by its name', async (context) => {
  requires(context, 'registry');
  const repository = `${world().registries?.plain ?? ''}/debian`;
  await skiff.run(['pull', '-q', `${repository}:oci-gzip`], { stdout: /./, stderr: /^/, timeoutMs: 100_000 });
  const [event] = await past('event=pull');
  expect(event).toMatchObject({
    id: `${repository}:oci-gzip`,
    Actor: { ID: `${repository}:oci-gzip`, Attributes: { name: repository } },
  });
  await skiff.run(['rmi', `${repository}:oci-gzip`], { stdout: /Deleted/ });
});

async function follow(...words: string[]): Promise<Running> {
  const running = skiff.start(['events', '--format', '{{json .}}', ...words], { timeoutMs: 100_000 });
  await new Promise((resolve) => running.child.once('spawn', resolve));
  return running;
}

describe('following', () => {
  test('what is run after it was started shows, as one object a line; SIGINT and SIGTERM end it', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const running = await follow('--filter', 'event=start');
      await skiff.run(['run', '--rm', '-l', `end=${signal}`, ...none, 'busybox', 'true']);
      await running.waitForStdout(new RegExp(signal));
      running.child.kill(signal);
      const { status, stdout, stderr } = await running.result;
      expect([status, stderr]).toEqual([0, '']);
      expect(parse(stdout).map(({ Actor }) => Actor.Attributes['end'])).toEqual([signal]);
    }
  });

  test('ends when nobody reads it any more, although nothing happens', async () => {
    const running = await follow('--filter', 'event=never');
    running.child.stdout?.destroy();
    expect((await running.result).status).toBe(0);
  });

  test('--until', async () => {
    const until = new Date(Date.now() + 700).toISOString();
    const running = await follow('--until', until, '--filter', 'label=test=until');
    await skiff.run(['run', '--rm', '-l', 'test=until', ...none, 'busybox', 'true']);
    const { status, stdout } = await running.result;
    expect(status).toBe(0);
    for (const { timeNano } of parse(stdout)) expect(timeNano / 1e6).toBeLessThanOrEqual(Date.parse(until));
    expect((await skiff.run(['events', '--until', '1h'])).stdout).toBe('');
    const since = ['events', '--since', '5m', '--until', '10m'];
    await skiff.run(since, { status: 125, stderr: /--since "5m": that is after --until "10m"/ });
  });

  test('--since begins with a moment of the past', async () => {
    const events = await past('label=test=life');
    const third = String(events[2]?.timeNano ?? '');
    const exact = (
      await skiff.run(['events', '--stream=false', '--format', '{{.TimeNano}}', '-f', 'label=test=life'])
    ).stdout.split('\n');
    const ns = exact[2] ?? '';
    expect(ns.slice(0, 15)).toBe(third.slice(0, 15));
    const at = `${ns.slice(0, -9)}.${ns.slice(-9)}`;
    const words = ['--format', '{{.TimeNano}}', '-f', 'label=test=life'];
    const { stdout } = await skiff.run(['events', '--since', at, '--until', at, ...words]);
    expect(stdout).toBe(`${ns}\n`);
    const later = await skiff.run(['system', 'events', '--since', at, '--stream=false', ...words]);
    expect(later.stdout).toBe(exact.slice(2).join('\n'));
  });

  test.each([
    [['--filter', 'frob=1'], /--filter "frob=1": invalid filter/],
    [['--format', '{{.Frob}}'], /unknown field "\.Frob"/],
    [['--since', 'x'], /--since "x": expected a duration/],
    [['web'], /argument/],
  ])('%j is refused at once', async (words, stderr) => {
    await skiff.run(['events', ...words], { status: 125, stderr });
  });
});

test('many containers at once, while the log is rotated: five events of each, in order', async () => {
  // As if much had happened: one more megabyte and it is full.
  const log = `${skiff.store}/events.log`;
  const filler = `\n{"time":"1700000000000000000","action":"x","type":"volume","id":"${'x'.repeat(900)}","attributes":{}}\n`;
  writeFileSync(log, filler.repeat(2200), { flag: 'a' });
  const running = await follow('--filter', 'label=test=many');
  const count = 40;
  const label = 'y'.repeat(700); // some of the containers write before, some after
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count)
      await skiff.run(
        [
          'run',
          '--rm',
          '-l',
          'test=many',
          '-l',
          `n=${next++}`,
          '-l',
          `l=${label}`,
          ...none,
          'busybox',
          'true',
        ],
        { timeoutMs: 100_000 },
      );
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(existsSync(`${log}.1`)).toBe(true);
  await expect.poll(() => parse(running.stdout()).length, { timeout: 10_000 }).toBe(5 * count);
  running.child.kill('SIGTERM');
  const live = parse((await running.result).stdout);
  for (const events of [live, await past('label=test=many')]) {
    const seen = new Map<string, string[]>();
    for (const { Action, Actor } of events) {
      const n = Actor.Attributes['n'] ?? '';
      seen.set(n, [...(seen.get(n) ?? []), Action]);
    }
    expect(seen.size).toBe(count);
    for (const actions of seen.values())
      expect(actions).toEqual(['create', 'attach', 'start', 'die', 'destroy']);
  }
});

test('a full disk costs events and nothing else; later ones are whole again', async (context) => {
  requires(context, 'root');
  const log = `${skiff.store}/events.log`;
  const small = skiff.makeDir('small');
  await exec('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
  try {
    writeFileSync(`${small}/events.log`, '\n{"time":"1700000000000000000","acti');
    chownSync(`${small}/events.log`, skiff.user.uid, skiff.user.gid);
    await exec('sh', ['-c', `dd if=/dev/zero of=${small}/filler bs=4k 2>/dev/null || true`]);
    await exec('mount', ['--bind', `${small}/events.log`, log]);
    try {
      // The page that the file has takes some more.
      for (let i = 0; i < 5; i++) {
        await skiff.run(['run', '--rm', '-l', `l=${'z'.repeat(900)}`, ...none, 'busybox', 'echo', 'hi'], {
          stdout: 'hi\n',
        });
      }
      await skiff.run(['volume', 'create', 'full'], { stdout: 'full\n' });
      rmSync(`${small}/filler`);
      await skiff.run(['volume', 'rm', 'full'], { stdout: 'full\n' });
      const last = (await past()).at(-1);
      expect([last?.Action, last?.Actor.ID]).toEqual(['destroy', 'full']);
      expect(await past('volume=full', 'event=create')).toEqual([]);
    } finally {
      await exec('umount', [log]);
    }
  } finally {
    await exec('umount', [small]);
  }
});
