import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attachedClient, parseStreams } from '../../../src/container/client.ts';
import { LogFiles } from '../../../src/container/logs/log-files.ts';
import { parseLogOptions } from '../../../src/container/configure/log-options.ts';
import { portLines } from '../../../src/container/port.ts';
import { parseRestartPolicy } from '../../../src/container/configure/restart-policy.ts';
import { checkRun, isKeptByUs } from '../../../src/container/run.ts';
import { isMet, parseCondition } from '../../../src/container/wait.ts';
import type { RunOptions } from '../../../src/container/configure/options.ts';
import { noOptions, specOf } from './spec.ts';

describe('--restart', () => {
  test.each([
    [undefined, { name: 'no', maxRetries: 0 }],
    ['', { name: 'no', maxRetries: 0 }],
    ['no', { name: 'no', maxRetries: 0 }],
    ['always', { name: 'always', maxRetries: 0 }],
    ['unless-stopped', { name: 'unless-stopped', maxRetries: 0 }],
    ['on-failure', { name: 'on-failure', maxRetries: 0 }],
    ['on-failure:5', { name: 'on-failure', maxRetries: 5 }],
  ])('%s', (text, policy) => expect(parseRestartPolicy(text)).toEqual(policy));

  test.each([
    ['never', 'unknown policy'],
    ['Always', 'unknown policy'],
    ['always:3', "cannot be used with restart policy 'always'"],
    ['on-failure:', 'must be a whole number'],
    ['on-failure:-1', 'must be a whole number'],
    ['on-failure:x', 'must be a whole number'],
  ])('%s is refused', (text, why) => {
    expect(() => parseRestartPolicy(text)).toThrow(`--restart "${text}": invalid restart policy: `);
    expect(() => parseRestartPolicy(text)).toThrow(why);
  });
});

describe('--log-opt', () => {
  test('of the json-file log', () => {
    expect(parseLogOptions(['max-size=10k', 'max-file=3'], 'json-file')).toEqual({
      maxSizeBytes: 10240,
      maxFiles: 3,
      typed: { 'max-size': '10k', 'max-file': '3' },
    });
    expect(parseLogOptions([], 'none')).toEqual({ maxSizeBytes: 0, maxFiles: 1, typed: {} });
    expect(parseLogOptions(['max-size=-1'], 'json-file').maxSizeBytes).toBe(0);
  });

  test('of journald', () => {
    expect(parseLogOptions(['tag=web 1'], 'journald')).toEqual({
      maxSizeBytes: 0,
      maxFiles: 1,
      tag: 'web 1',
      typed: { tag: 'web 1' },
    });
  });

  test.each([
    [['max-size=x'], 'json-file', 'invalid size'],
    [['max-size=0'], 'json-file', 'positive'],
    [['max-file=0', 'max-size=1k'], 'json-file', 'less than 1'],
    [['max-file=2'], 'json-file', 'needs max-size'],
    [['tag=x'], 'json-file', "unknown log opt 'tag'"],
    [['max-size=1k'], 'none', 'has no options'],
    [['labels=a'], 'journald', "unknown log opt 'labels' for journald"],
    [['max-size=1k'], 'journald', "unknown log opt 'max-size' for journald"],
    [['tag={{.Name}}'], 'journald', 'templates are not supported'],
    [['tag='], 'journald', 'text on one line'],
    [['tag=a\nMESSAGE=b'], 'journald', 'text on one line'],
  ] as const)('%s with %s is refused', (texts, driver, why) => {
    expect(() => parseLogOptions(texts, driver)).toThrow(why);
  });
});

describe('clients', () => {
  test('streams', () => {
    expect(parseStreams([], true)).toEqual({ stdin: true, stdout: true, stderr: true });
    expect(parseStreams([], false)).toEqual({ stdin: false, stdout: true, stderr: true });
    expect(parseStreams(['STDERR', 'stdin'], false)).toEqual({ stdin: true, stdout: false, stderr: true });
    expect(() => parseStreams(['out'], false)).toThrow('valid streams are STDIN, STDOUT and STDERR');
  });

  test('keys are looked for at a terminal alone; the id is printed when no output is attached', () => {
    const flags = { sigProxy: true, detachKeys: undefined };
    const all = { stdin: true, stdout: true, stderr: true };
    expect(attachedClient(specOf({ config: { tty: false } }), all, flags).detachKeys).toHaveLength(0);
    expect(attachedClient(specOf({ config: { tty: true } }), all, flags).detachKeys).toHaveLength(2);
    const { id } = specOf({});
    expect(attachedClient(specOf({}), { stdin: true, stdout: false, stderr: false }, flags).print).toBe(id);
    expect(attachedClient(specOf({}), all, flags).print).toBe('');
  });
});

describe('who keeps the container of a run', () => {
  const kept = (options: Partial<RunOptions>): boolean => isKeptByUs({ ...noOptions(), ...options });
  test.each<[string, Partial<RunOptions>, boolean]>([
    ['--rm', { rm: true }, true],
    ['-it --rm', { rm: true, interactive: true, tty: true }, true],
    ['--rm -a stdout -a stderr', { rm: true, attach: ['stdout', 'stderr'] }, true],
    ['passthrough', { 'log-driver': 'passthrough' }, true],
    ['nothing', {}, false],
    ['--rm -d', { rm: true, detach: true }, false],
    ['--rm -a stdout', { rm: true, attach: ['stdout'] }, false],
    ['--rm --sig-proxy=false', { rm: true, 'sig-proxy': false }, false],
    ['--rm --detach-keys', { rm: true, 'detach-keys': 'ctrl-x' }, false],
    ['--rm --scope service', { rm: true, scope: 'service' }, false],
    ['--rm --health-cmd', { rm: true, 'health-cmd': 'x' }, true],
    ['--rm --health-on-failure kill', { rm: true, 'health-on-failure': 'kill' }, true],
    ['--rm --health-on-failure restart', { rm: true, 'health-on-failure': 'restart' }, false],
  ])('%s', (_, options, us) => expect(kept(options)).toBe(us));

  const check = (options: Partial<RunOptions>) => () =>
    checkRun({
      what: 'busybox',
      words: [],
      recipe: {},
      options: { ...noOptions(), ...options },
      detached: options.detach === true,
      registry: undefined,
      onImageEvent: undefined,
    });
  test.each<[Partial<RunOptions>, string]>([
    [{ detach: true, attach: ['stdout'] }, 'conflicting options: -a and -d'],
    [{ detach: true, 'log-driver': 'passthrough' }, '--log-driver passthrough'],
    [{ rm: true, restart: 'always' }, 'cannot specify both --restart and --rm'],
    [
      { restart: 'always', network: 'container:x' },
      '--restart always: not with namespaces of another container',
    ],
    [
      { restart: 'always', 'log-driver': 'passthrough' },
      '--restart always: not with --log-driver passthrough',
    ],
    [
      { 'health-on-failure': 'restart', pid: 'container:x' },
      '--health-on-failure restart: not with namespaces of another container',
    ],
    [
      { 'health-on-failure': 'restart', 'log-driver': 'passthrough' },
      '--health-on-failure restart: not with --log-driver passthrough',
    ],
    [{ 'detach-keys': 'xyz' }, 'unknown key'],
    [{ attach: ['x'] }, 'valid streams'],
  ])('%o is refused', (options, why) => expect(check(options)).toThrow(why));
});

describe('wait', () => {
  const state = (word: 'created' | 'running' | 'paused' | 'restarting' | 'exited') => ({
    status: word === 'paused' ? ('running' as const) : word,
    paused: word === 'paused',
    pid: undefined,
    exitCode: 0,
    oomKilled: false,
    error: '',
    startedAtMs: undefined,
    finishedAtMs: undefined,
    restartCount: 0,
  });
  test.each([
    ['stopped', 'running', false],
    ['stopped', 'exited', true],
    ['stopped', 'created', true],
    ['exited', 'restarting', true],
    ['running', 'running', true],
    ['running', 'exited', false],
    ['paused', 'paused', true],
    ['paused', 'running', false],
    ['running', 'paused', false],
    ['stopped', 'paused', false],
    ['removed', 'exited', false],
    ['created', 'created', true],
    ['healthy', 'running', false],
  ] as const)('%s while %s', (condition, status, met) =>
    expect(isMet(condition, state(status), 'none')).toBe(met),
  );

  test.each([
    ['healthy', 'running', 'healthy', true],
    ['healthy', 'running', 'starting', false],
    ['healthy', 'restarting', 'healthy', false],
    ['unhealthy', 'running', 'unhealthy', true],
    ['unhealthy', 'exited', 'unhealthy', false],
    ['running', 'running', 'unhealthy', true],
  ] as const)('%s while %s and %s', (condition, status, health, met) =>
    expect(isMet(condition, state(status), health)).toBe(met),
  );

  test('a condition that is none', () => {
    expect(parseCondition('Running')).toBe('running');
    expect(() => parseCondition('happy')).toThrow('invalid condition, must be one of stopped, exited');
  });
});

test('port lines', () => {
  const spec = specOf({ name: 'web' });
  spec.network.ports = [
    { hostIp: '', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
    { hostIp: '::1', hostPort: 53, containerPort: 53, protocol: 'udp' },
  ];
  expect(portLines(spec, undefined)).toEqual(['80/tcp -> 0.0.0.0:8080', '53/udp -> [::1]:53']);
  expect(portLines(spec, '80')).toEqual(['0.0.0.0:8080']);
  expect(portLines(spec, '53/UDP')).toEqual(['[::1]:53']);
  expect(() => portLines(spec, '53')).toThrow("no public port '53/tcp' published for web");
  expect(() => portLines(spec, 'http')).toThrow('invalid port');
});

describe('a rotated log', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'skiff-log-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** As json_log.cc does it. */
  function rotate(path: string, files: number): void {
    for (let i = files - 1; i >= 1; i--) {
      try {
        renameSync(i === 1 ? path : `${path}.${i - 1}`, `${path}.${i}`);
      } catch {
        // not there yet
      }
    }
    writeFileSync(path, '');
  }

  function drain(files: LogFiles): string[] {
    const all: string[] = [];
    for (let lines = files.next(); lines !== undefined; lines = files.next()) all.push(...lines);
    return all;
  }

  test('is read from its oldest file on, whole lines alone', () => {
    const path = join(dir, 'old');
    writeFileSync(`${path}.2`, '1\n2\n');
    writeFileSync(`${path}.1`, '3\n');
    writeFileSync(path, '4\nhalf');
    const files = new LogFiles(path, 3);
    expect(drain(files)).toEqual(['1', '2', '3', '4']);
    appendFileSync(path, ' a line\n');
    expect(drain(files)).toEqual(['half a line']);
    files.close();
  });

  test('is followed through rotations, each line once', () => {
    const path = join(dir, 'followed');
    const files = new LogFiles(path, 4);
    expect(drain(files)).toEqual([]);
    const written: string[] = [];
    const read: string[] = [];
    writeFileSync(path, '');
    for (let i = 0; i < 400; i++) {
      written.push(String(i));
      appendFileSync(path, `${i}\n`);
      if (i % 5 === 4) rotate(path, 4);
      // Now and then, and up to two rotations late.
      if (i % 7 === 0 || i % 13 === 0) read.push(...drain(files));
    }
    read.push(...drain(files));
    files.close();
    expect(read).toEqual(written);
  });

  test('goes on with what is left when it was too slow', () => {
    const path = join(dir, 'slow');
    writeFileSync(path, 'a\n');
    const files = new LogFiles(path, 2);
    expect(drain(files)).toEqual(['a']);
    for (const text of ['b', 'c', 'd']) {
      rotate(path, 2);
      writeFileSync(path, `${text}\n`);
    }
    expect(drain(files)).toEqual(['c', 'd']);
    files.close();
  });
});
