import { describe, expect, test } from 'vitest';
import { inspectContainer } from '../../../../src/container/inspect/inspect.ts';
import { planLines, type ShownPlan } from '../../../../src/container/show-plan.ts';
import type { ContainerState } from '../../../../src/container/state.ts';
import { compareWithSchema, CONTAINER_SCHEMA, HEALTH_SCHEMA } from './inspect.cases.ts';
import { fromFlags, ID, IMAGE_ID } from '../spec.ts';

const EXITED: ContainerState = {
  status: 'exited',
  pid: undefined,
  exitCode: 3,
  oomKilled: false,
  error: '',
  startedAtMs: 1000,
  finishedAtMs: 2500,
  restartCount: 2,
  paused: false,
};

describe('inspect', () => {
  const { spec } = fromFlags(
    {
      volume: ['/a:/b:ro', 'vol:/v:ro', '/data'],
      tmpfs: ['/t:size=1m'],
      'cap-add': ['KILL'],
      ulimit: ['nofile=1:2'],
      label: ['l=1'],
      expose: ['80'],
    },
    { words: ['sh', '-c', 'x'] },
  );
  for (const mount of spec.host.mounts) {
    if (mount.type !== 'volume') continue;
    mount.name ??= 'ab'.repeat(32);
    mount.source = { kind: 'directory', path: `/store/${mount.name}`, recursive: false, flags: {} };
  }
  spec.network.ports = [{ hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }];
  spec.network.address = { ip: '10.0.0.2', prefix: 24, gateway: '10.0.0.1' };
  const json = inspectContainer({ spec, state: EXITED, health: undefined, dir: '/store/containers/x' });

  test("every field of docker's API reference, with its type", () => {
    expect(compareWithSchema(json, CONTAINER_SCHEMA)).toEqual({ wrong: [], seen: 206 });
  });

  test('a running container has an address, on what docker calls the bridge', () => {
    const running = { ...EXITED, status: 'running' as const, pid: 77 };
    const onDefault = { ...spec, network: { ...spec.network, mode: 'default' } };
    const { NetworkSettings } = inspectContainer({
      spec: onDefault,
      state: running,
      health: undefined,
      dir: '/x',
    });
    expect(NetworkSettings).toMatchObject({
      IPAddress: '10.0.0.2',
      Networks: { bridge: { IPAddress: '10.0.0.2', Gateway: '10.0.0.1' } },
    });
  });

  test("docker's keys with docker's types", () => {
    expect(json).toMatchObject({
      Id: ID,
      Path: 'sh',
      Args: ['-c', 'x'],
      Name: '/web',
      Image: IMAGE_ID,
      LogPath: '/store/containers/x/log',
      State: {
        Status: 'exited',
        Running: false,
        ExitCode: 3,
        Pid: 0,
        StartedAt: '1970-01-01T00:00:01.000Z',
        FinishedAt: '1970-01-01T00:00:02.500Z',
      },
      Config: {
        Image: 'busybox',
        Cmd: ['sh', '-c', 'x'],
        Entrypoint: null,
        Labels: { l: '1' },
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/data': {} },
      },
      HostConfig: {
        Binds: ['/a:/b:ro', 'vol:/v:ro'],
        CapAdd: ['CAP_KILL'],
        CapDrop: null,
        ShmSize: 67108864,
        Tmpfs: { '/t': 'size=1m' },
        Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
      },
      NetworkSettings: {
        IPAddress: '', // as of everything that does not run
        Ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
      },
    });
  });

  test('mounts', () => {
    expect(json['Mounts']).toEqual([
      {
        Type: 'bind',
        Name: '',
        Driver: '',
        Source: '/a',
        Destination: '/b',
        RW: false,
        Mode: 'ro',
        Propagation: 'rprivate',
      },
      {
        Type: 'volume',
        Name: 'vol',
        Source: '/store/vol',
        Destination: '/v',
        RW: false,
        Driver: 'local',
        Mode: 'ro',
        Propagation: '',
      },
      {
        Type: 'volume',
        Name: 'ab'.repeat(32),
        Source: `/store/${'ab'.repeat(32)}`,
        Destination: '/data',
        RW: true,
        Driver: 'local',
        Mode: '',
        Propagation: '',
      },
      {
        Type: 'tmpfs',
        Name: '',
        Driver: '',
        Source: '',
        Destination: '/t',
        RW: true,
        Mode: '',
        Propagation: '',
      },
    ]);
  });

  test('of a container with a health check: what is configured, and what it has found', () => {
    const result = { Start: '2026-01-01T00:00:00Z', End: '2026-01-01T00:00:01Z', ExitCode: 1, Output: 'x' };
    const health = { Status: 'unhealthy', FailingStreak: 3, Log: [result] } as const;
    const config = { Test: ['CMD-SHELL', 'check'], Interval: 1e9 };
    const checked = fromFlags(
      {},
      {
        health: {
          config,
          notes: [],
          spec: {
            args: ['/bin/sh', '-c', 'check'],
            intervalMs: 1000,
            timeoutMs: 1,
            startPeriodMs: 0,
            startIntervalMs: 1,
            retries: 3,
            timeoutText: '1ms',
            action: 'kill',
          },
        },
      },
    ).spec;
    const shown = inspectContainer({
      spec: checked,
      state: EXITED,
      health: { ...health, Log: [...health.Log] },
      dir: '/x',
    });
    expect(shown).toMatchObject({
      State: { Health: health },
      Config: { Healthcheck: config, HealthcheckOnFailureAction: 'kill' },
    });
    expect(compareWithSchema(shown, HEALTH_SCHEMA)).toEqual({ wrong: [], seen: 9 });
    expect(json['State']).toHaveProperty('Health', null);
  });

  test('a time that never was', () => {
    expect(
      inspectContainer({
        spec,
        state: { ...EXITED, status: 'created', startedAtMs: undefined },
        health: undefined,
        dir: '/x',
      })['State'],
    ).toMatchObject({ StartedAt: '0001-01-01T00:00:00Z' });
  });
});

test('--plan for people: a line each, words quoted as for a shell', () => {
  const plan: ShownPlan = {
    image: {
      name: 'bb',
      reference: 'docker.io/library/bb:latest',
      digest: IMAGE_ID,
      platform: 'linux/amd64',
      pull: 'in the store',
    },
    args: ['sh', '-c', "it's"],
    env: ['A=b c'],
    idMap: { uid: ['0:1:1'], gid: ['0:2:1'] },
    mounts: [{ type: 'bind', source: '/a', target: '/b', options: 'ro,rprivate', missing: true }],
    limits: [{ name: 'memory', value: '1', honoured: false }],
    health: { args: ['sh', '-c', 'a b'], intervalMs: 90_000, timeoutMs: 500, retries: 2, action: 'kill' },
    notes: ['n'],
  };
  expect(planLines(plan)).toEqual([
    'image:        docker.io/library/bb:latest (in the store)',
    `digest:       ${IMAGE_ID} linux/amd64`,
    `command:      sh -c 'it'\\''s'`,
    `env:          'A=b c'`,
    'id map:       uid 0:1:1  gid 0:2:1',
    'mount:        bind /a -> /b ro,rprivate (the directory would be made)',
    'limit:        memory=1 (not honoured)',
    "health:       sh -c 'a b' every 1m30s, at most 500ms; unhealthy after 2 failures, then kill",
    'note:         n',
  ]);
});
