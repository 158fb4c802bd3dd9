import { describe, expect, test } from 'vitest';
import { parseCacheFlags } from '../../../../src/builder/cache-transfer/flags.ts';

const from = (text: string) =>
  parseCacheFlags({ cache: [], 'cache-from': [text], 'cache-to': [] }, '/cwd').from[0];
const to = (text: string) => parseCacheFlags({ cache: [], 'cache-from': [], 'cache-to': [text] }, '/cwd');
const registry = (repository: string, tag: string, host = 'h.example') => ({
  location: { kind: 'registry', ref: { registry: host, repository, tag } },
});
const directory = (path: string) => ({ location: { kind: 'directory', path } });

describe('--cache-from', () => {
  test.each([
    ['h.example/a/b:c', registry('a/b', 'c')],
    ['user/app', { ...registry('user/app', 'latest', 'docker.io'), name: 'user/app:latest' }],
    ['docker://h.example/a', registry('a', 'latest')],
    ['type=registry,ref=h.example/a:b', { ...registry('a', 'b'), mounts: true, isExpected: true }],
    ['TYPE=registry,ref=h.example/a:b,mounts=false', { ...registry('a', 'b'), mounts: false }],
    ['type=local,src=d', directory('/cwd/d')],
    ['type=local,src=/d//./', directory('/d')],
    ['type=local,src=/', directory('/')],
  ])('%s', (text, expected) => expect(from(text)).toMatchObject(expected));

  test.each([
    ['type=gha', /caches of type "gha" are not supported/],
    ['type=s3,bucket=b', /type "s3"/],
    ['type=azblob,name=n', /type "azblob"/],
    ['type=inline', /type "inline"/],
    ['ref=h.example/a', /type is missing/],
    ['type=registry', /ref is required/],
    ['type=local', /src is required/],
    ['type=local,src=d,ref=x', /ref is not supported for type "local"/],
    ['type=registry,ref=a,mode=max', /mode is not supported/],
    ['type=registry,ref=a,mounts=some', /must be true or false/],
    ['type=registry,ref', /invalid field "ref"/],
    ['a/UPPER', /./],
    ['', /expected a reference/],
  ])('not %s', (text, message) => expect(() => from(text)).toThrow(message));

  test('says what is supported', () => {
    expect(() => from('type=gha')).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        hint: 'use type=registry,ref=REGISTRY/NAME:TAG or type=local with a directory',
      }),
    );
  });
});

describe('--cache-to', () => {
  const standard = {
    allStages: false,
    mounts: false,
    ignoreError: false,
    compression: { format: 'gzip', level: 6 },
  };
  test.each([
    ['h.example/a:b', { ...registry('a', 'b'), ...standard }],
    ['type=registry,ref=h.example/a:b,mode=min', { ...registry('a', 'b'), ...standard }],
    ['type=local,dest=./d,mode=max', { ...directory('/cwd/d'), ...standard, allStages: true, mounts: true }],
    ['type=local,dest=d,mode=max,mounts=false', { allStages: true, mounts: false }],
    ['type=local,dest=d,mounts=1', { allStages: false, mounts: true }],
    ['type=local,dest=d,ignore-error=true', { ignoreError: true }],
    ['type=local,dest=d,compression=zstd', { compression: { format: 'zstd', level: 3 } }],
    ['type=local,dest=d,compression-level=9', { compression: { format: 'gzip', level: 9 } }],
    ['type=registry,ref=h.example/a,oci-mediatypes=true,image-manifest=true', registry('a', 'latest')],
  ])('%s', (text, expected) => expect(to(text).to[0]).toMatchObject(expected));

  test('inline is no place', () => {
    expect(to('type=inline')).toEqual({ from: [], to: [], inline: true });
  });

  test.each([
    ['type=gha,mode=max', /caches of type "gha" are not supported/],
    ['type=local,src=d', /dest is required/],
    ['type=local,dest=d,mode=most', /mode=most: must be min or max/],
    ['type=local,dest=d,compression=xz', /must be one of gzip, zstd/],
    ['type=local,dest=d,compression-level=10', /gzip has levels 1 to 9/],
    ['type=local,dest=d,image-manifest=false', /image-manifest=false is not supported/],
    ['type=local,dest=d,force-compression=true', /force-compression is not supported/],
    ['type=inline,mode=max', /mode is not supported/],
    [`type=registry,ref=h.example/a@sha256:${'0'.repeat(64)}`, /cannot export to a digest/],
  ])('not %s', (text, message) => expect(() => to(text)).toThrow(message));
});

describe('--cache', () => {
  const both = (text: string) => parseCacheFlags({ cache: [text], 'cache-from': [], 'cache-to': [] }, '/cwd');
  test.each([
    ['h.example/a:b', registry('a', 'b')],
    ['./d', directory('/cwd/d')],
    ['../d', directory('/cwd/../d')],
    ['/d', directory('/d')],
    ['.', directory('/cwd')],
  ])('%s', (text, expected) => {
    const choice = both(text);
    expect(choice.from).toMatchObject([{ ...expected, mounts: true, isExpected: false }]);
    expect(choice.to).toMatchObject([{ ...expected, allStages: true, mounts: true, ignoreError: false }]);
  });

  test.each([
    ['type=local,dest=d', /expected a reference or a path/],
    [`h.example/a@sha256:${'0'.repeat(64)}`, /cannot export to a digest/],
    ['/\udc80', /its name is not UTF-8/],
  ])('not %s', (text, message) => expect(() => both(text)).toThrow(message));
});

test('the order is that of looking: those of --cache come last', () => {
  const { from: sources } = parseCacheFlags(
    { cache: ['/c'], 'cache-from': ['type=local,src=/a', 'h.example/b'], 'cache-to': [] },
    '/',
  );
  expect(sources.map(({ name }) => name)).toEqual(['/a', 'h.example/b:latest', '/c']);
});
