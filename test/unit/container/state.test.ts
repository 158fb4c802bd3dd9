import { describe, expect, test } from 'vitest';
import { matches, parseFilters, type ListedContainer } from '../../../src/container/list.ts';
import { parseLogLine, parseTime } from '../../../src/container/logs.ts';
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
  expect(statusText({ ...state, status: 'running' }, ago)).toBe('Up 3 hours');
  expect(statusText({ ...state, status: 'running', paused: true }, ago)).toBe('Up 3 hours (Paused)');
  expect(statusText({ ...state, status: 'restarting' }, ago)).toBe('Restarting (4) 3 hours ago');
  expect(statusText({ ...state, status: 'exited' }, ago)).toBe('Exited (4) 3 hours ago');
  expect(statusText({ ...state, status: 'created' }, ago)).toBe('Created');
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
    pid: undefined,
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
  };
  const web: ListedContainer = {
    spec: specOf({
      name: 'web',
      createdAt: '2026-01-02T00:00:00.000Z',
      config: { labels: { a: '1', b: '' } },
    }),
    state,
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
  ])('%j', (texts, expected) => {
    expect(matches(web, parseFilters(texts), [old, web])).toBe(expected);
  });
  test.each(['name', 'frob=1', '=x', 'status=odd'])('%s is refused', (text) => {
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
  const NOW = Date.UTC(2026, 0, 2, 12);
  test.each([
    ['10m', BigInt(NOW - 600_000) * 1_000_000n],
    ['1h30m5s', BigInt(NOW - 5_405_000) * 1_000_000n],
    ['1700000000', 1_700_000_000_000_000_000n],
    ['1700000000.000000001', 1_700_000_000_000_000_001n],
    ['2026-01-02T03:04:05Z', BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1_000_000n],
    ['2026-01-02T03:04:05.25+01:00', BigInt(Date.UTC(2026, 0, 2, 2, 4, 5)) * 1_000_000n + 250_000_000n],
    ['2026-01-02T03:04Z', BigInt(Date.UTC(2026, 0, 2, 3, 4)) * 1_000_000n],
    ['2026-01-02', BigInt(new Date('2026-01-02T00:00:00').getTime()) * 1_000_000n],
  ])('--since %s', (text, nanoseconds) => {
    expect(parseTime(text, '--since', NOW)).toBe(nanoseconds);
  });
  test.each(['', 'yesterday', '10', '2026-13-01', '5d'])('--since "%s" is refused', (text) => {
    expect(() => parseTime(text, '--since', NOW)).toThrow('--since');
  });
});
