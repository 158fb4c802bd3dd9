import { describe, expect, test } from 'vitest';
import { matches, parseFilters, type ListedContainer } from '../../../src/container/list.ts';
import { parseLogLine } from '../../../src/container/logs/logs.ts';
import { parseExit } from '../../../src/container/state.ts';
import { commandText, portsText, statusText } from '../../../src/container/text.ts';
import { specOf } from './spec.ts';

describe('exit records', () => {
  test('of a container that ran', () => {
    expect(
      parseExit(
        'code=3\nsignal=0\nstartedAt=1700000000123456789\nfinishedAt=1700000001000000000\noom=1\nrestarts=7\nrestarting=0\nerror=\n',
      ),
    ).toEqual({
      status: 'exited',
      pid: undefined,
      exitCode: 3,
      oomKilled: true,
      error: '',
      startedAtMs: 1700000000123,
      finishedAtMs: 1700000001000,
      restartCount: 7,
      paused: false,
    });
  });
  test('of one that never did', () => {
    expect(parseExit('code=127\nstartedAt=0\nerror=starting "x": not found=\n')).toMatchObject({
      status: 'created',
      exitCode: 127,
      error: 'starting "x": not found=',
    });
  });
  test('a torn one counts as killed', () => {
    expect(parseExit('')).toMatchObject({ status: 'created', exitCode: 137 });
  });
});

test('status texts', () => {
  const ago = (): string => '3 hours ago';
  const state = {
    pid: 1,
    exitCode: 4,
    oomKilled: false,
    error: '',
    startedAtMs: 1,
    finishedAtMs: 2,
    restartCount: 0,
    paused: false,
  };
  expect(statusText({ ...state, status: 'running' }, 'none', ago)).toBe('Up 3 hours');
  expect(statusText({ ...state, status: 'running' }, 'starting', ago)).toBe('Up 3 hours (health: starting)');
  expect(statusText({ ...state, status: 'running' }, 'healthy', ago)).toBe('Up 3 hours (healthy)');
  expect(statusText({ ...state, status: 'running' }, 'unhealthy', ago)).toBe('Up 3 hours (unhealthy)');
  expect(statusText({ ...state, status: 'running', paused: true }, 'healthy', ago)).toBe(
    'Up 3 hours (Paused)',
  );
  expect(statusText({ ...state, status: 'restarting' }, 'unhealthy', ago)).toBe('Restarting (4) 3 hours ago');
  expect(statusText({ ...state, status: 'exited' }, 'unhealthy', ago)).toBe('Exited (4) 3 hours ago');
  expect(statusText({ ...state, status: 'created' }, 'none', ago)).toBe('Created');
});

test('command and ports as ps prints them', () => {
  const spec = specOf({
    process: { args: ['sh', '-c', 'x y'] },
    config: { exposedPorts: ['80/tcp', '53/udp'] },
  });
  spec.network.ports = [
    { hostIp: '', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { hostIp: '::1', hostPort: 9, containerPort: 9, protocol: 'udp' },
  ];
  expect(commandText(spec)).toBe('sh -c x y');
  expect(portsText(spec)).toBe('0.0.0.0:8080->80/tcp, [::1]:9->9/udp, 53/udp');
});

describe('filters', () => {
  const state: ListedContainer['state'] = {
    status: 'exited',
    exitCode: 3,
    oomKilled: false,
    error: '',
    startedAtMs: 1,
    finishedAtMs: 2,
    restartCount: 0,
    paused: false,
  };
  const old: ListedContainer = {
    spec: specOf({ name: 'old', createdAt: '2026-01-01T00:00:00.000Z' }),
    state,
    health: 'none',
  };
  const web: ListedContainer = {
    spec: specOf({
      name: 'web',
      createdAt: '2026-01-02T00:00:00.000Z',
      config: { labels: { a: '1', b: '' } },
    }),
    state,
    health: 'unhealthy',
  };
  test.each([
    [[], true],
    [['name=we'], true],
    [['name=^/web$'], true],
    [['name=['], false],
    [['name=x', 'name=web'], true],
    [['label=a'], true],
    [['label=a=1', 'label=b'], true],
    [['label=a=1', 'label=c'], false],
    [['label=constructor'], false],
    [['exited=3'], true],
    [['exited=0'], false],
    [['status=exited'], true],
    [['status=running'], false],
    [['since=old'], true],
    [['before=old'], false],
    [['ancestor=busybox'], true],
    [['ancestor=debian'], false],
    [['network=none'], true],
    [['volume=/data'], true],
    [['volume=named'], true],
    [['volume=other'], false],
    [['health=unhealthy'], true],
    [['health=healthy', 'health=none'], false],
  ])('%j', (texts, expected) => {
    expect(matches(web, parseFilters(texts), [old, web])).toBe(expected);
  });
  test.each(['name', 'frob=1', '=x', 'status=odd', 'health=odd'])('%s is refused', (text) => {
    expect(() => parseFilters([text])).toThrow('invalid filter');
  });
});

describe('logs', () => {
  test('lines of json-file, torn ones passed over', () => {
    expect(parseLogLine('{"log":"a\\n","stream":"stderr","time":"2026-01-02T03:04:05.6Z"}')).toEqual({
      log: 'a\n',
      stream: 'stderr',
      time: '2026-01-02T03:04:05.6Z',
    });
    for (const torn of ['', '{"log":"a', '{"log":1,"time":"x"}', 'null'])
      expect(parseLogLine(torn)).toBeUndefined();
  });
});
