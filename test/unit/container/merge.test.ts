// The small pure parts: command line, ports, namespaces, security options, names.

import { describe, expect, test } from 'vitest';
import { mergeCommand } from '../../../src/container/configure/command-line.ts';
import { checkName, isContainerId, randomContainerId, randomName } from '../../../src/container/names.ts';
import { parseNamespaceMode } from '../../../src/container/configure/namespace-mode.ts';
import { exposedPorts } from '../../../src/container/configure/ports.ts';
import { chooseSecurity } from '../../../src/container/configure/security.ts';
import { parseDevice } from '../../../src/container/configure/inputs.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../../../src/runtime/mounts.ts';
import type { ContainerId } from '../../../src/runtime/spec.ts';

const IMAGE = { Entrypoint: ['/entry', 'a'], Cmd: ['b', 'c'] };

describe('mergeCommand', () => {
  test.each([
    ['the image alone', IMAGE, undefined, [], ['/entry', 'a', 'b', 'c']],
    ['words replace CMD', IMAGE, undefined, ['x'], ['/entry', 'a', 'x']],
    ['--entrypoint drops CMD', IMAGE, 'sh', [], ['sh']],
    ['--entrypoint with words', IMAGE, 'sh', ['-c', 'x'], ['sh', '-c', 'x']],
    ['--entrypoint "" leaves the words', IMAGE, '', ['x', 'y'], ['x', 'y']],
    ['a JSON array', IMAGE, '["sh","-c"]', ['x'], ['sh', '-c', 'x']],
    ['something that only looks like one', {}, '[x', [], ['[x']],
    ['CMD alone', { Cmd: ['sh'] }, undefined, [], ['sh']],
    ['null and empty lists', { Entrypoint: null, Cmd: [] }, undefined, ['x'], ['x']],
    ['an empty word stays', {}, undefined, ['x', ''], ['x', '']],
  ])('%s', (_name, image, entrypoint, words, args) => {
    expect(mergeCommand(image, entrypoint, words, 'img').args).toEqual(args);
  });
  test.each([
    [{}, undefined],
    [IMAGE, ''],
    [IMAGE, '[]'],
  ])('%j with --entrypoint %j has nothing to run', (image, entrypoint) => {
    expect(() => mergeCommand(image, entrypoint, [], 'img')).toThrow('running "img": no command specified');
  });
});

test('exposed ports: image and flag, ranges, each once, sorted', () => {
  expect(exposedPorts(['80/tcp', '53/udp', 'rubbish', '0/tcp'], ['8001-8003', '80', '53'])).toEqual([
    '53/tcp',
    '53/udp',
    '80/tcp',
    '8001/tcp',
    '8002/tcp',
    '8003/tcp',
  ]);
  for (const bad of ['', '80/xyz', '9-8', '70000', '-1', '80:80'])
    expect(() => exposedPorts([], [bad])).toThrow(`--expose ${JSON.stringify(bad)}`);
});

test('namespace modes', () => {
  const resolve = (name: string): ContainerId => `id-of-${name}` as ContainerId;
  expect(parseNamespaceMode('--ipc', 'shareable', resolve)).toEqual({ kind: 'private' });
  expect(parseNamespaceMode('--pid', 'host', resolve)).toEqual({ kind: 'host' });
  expect(parseNamespaceMode('--pid', 'container:web', resolve)).toEqual({
    kind: 'container',
    id: 'id-of-web',
  });
  for (const [flag, text] of [
    ['--uts', 'container:web'],
    ['--pid', 'shareable'],
    ['--pid', 'container:'],
    ['--ipc', 'none'],
    ['--cgroupns', 'x'],
  ] as const) {
    expect(() => parseNamespaceMode(flag, text, resolve)).toThrow(`${flag} "${text}": expected`);
  }
});

describe('--security-opt', () => {
  test('defaults, and all of it off with --privileged', () => {
    expect(chooseSecurity([], false)).toEqual({
      noNewPrivileges: false,
      seccomp: undefined,
      maskedPaths: [...MASKED_PATHS],
      readonlyPaths: [...READONLY_PATHS],
      notes: [],
    });
    expect(chooseSecurity([], true)).toMatchObject({
      seccomp: 'unconfined',
      maskedPaths: [],
      readonlyPaths: [],
    });
  });
  test.each([
    ['no-new-privileges', { noNewPrivileges: true }],
    ['no-new-privileges:true', { noNewPrivileges: true }],
    ['no-new-privileges=false', { noNewPrivileges: false }],
    ['seccomp=unconfined', { seccomp: 'unconfined' }],
    ['seccomp:/a=b.json', { seccomp: '/a=b.json' }],
    ['systempaths=unconfined', { maskedPaths: [], readonlyPaths: [] }],
    ['unmask=ALL', { maskedPaths: [], readonlyPaths: [] }],
    [
      'unmask=/proc/*',
      { maskedPaths: ['/sys/devices/virtual/powercap', '/sys/firmware'], readonlyPaths: [] },
    ],
    ['mask=/x:/y', { maskedPaths: [...MASKED_PATHS, '/x', '/y'] }],
    ['label=disable', { notes: [] }],
    ['apparmor=unconfined', { notes: [] }],
  ])('%s', (option, expected) => {
    expect(chooseSecurity([option], false)).toMatchObject(expected);
  });
  test('what cannot be honoured is said', () => {
    expect(chooseSecurity(['label=type:x_t', 'apparmor=mine'], false).notes).toHaveLength(2);
  });
  test.each(['frob', 'seccomp', 'seccomp=', 'no-new-privileges=maybe', 'systempaths=x', ''])(
    '"%s" is refused',
    (option) => {
      expect(() => chooseSecurity([option], false)).toThrow(
        `invalid --security-opt ${JSON.stringify(option)}`,
      );
    },
  );
});

describe('--device', () => {
  test.each([
    ['/dev/fuse', '/dev/fuse', '/dev/fuse', undefined],
    ['/dev/fuse:/dev/x', '/dev/fuse', '/dev/x', undefined],
    ['/dev/fuse:rw', '/dev/fuse', '/dev/fuse', 'rw'],
    ['/dev/fuse:/dev/x:r', '/dev/fuse', '/dev/x', 'r'],
  ])('%s', (text, hostPath, containerPath, permissions) => {
    expect(parseDevice(text)).toEqual({ hostPath, containerPath, permissions });
  });
  test.each(['fuse', '/dev/a:b', '/dev/a:/dev/b:x', '/dev/a:/dev/b:r:w', 'vendor.com/gpu=0'])(
    '%s is refused',
    (text) => {
      expect(() => parseDevice(text)).toThrow('--device');
    },
  );
});

test('names', () => {
  for (const good of ['web', '/web', 'a', 'A.b-c_1']) expect(checkName(good)).toBe(good.replace('/', ''));
  for (const bad of ['', '.', '..', 'a/b', '-a', 'a b', 'ü', 'a\n', 'x'.repeat(256)])
    expect(() => checkName(bad)).toThrow('invalid container name');
  expect(isContainerId(randomContainerId())).toBe(true);
  expect(new Set(Array.from({ length: 100 }, () => randomContainerId())).size).toBe(100);
  for (let i = 0; i < 200; i++) expect(checkName(randomName(i % 2))).toMatch(/^[a-z]+_[a-z]+\d*$/);
});
