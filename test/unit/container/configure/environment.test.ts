import { describe, expect, test } from 'vitest';
import { mergeEnvironment, type EnvironmentInput } from '../../../../src/container/configure/environment.ts';
import { parseKeyValueFile } from '../../../../src/container/configure/key-value-file.ts';

const NONE: EnvironmentInput = {
  image: [],
  flags: [],
  files: [],
  caller: {},
  tty: false,
  hostname: 'box',
  home: '/root',
  passAll: false,
  passProxy: true,
  unset: [],
  unsetAll: false,
};
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const FILE = (text: string): EnvironmentInput['files'] => parseKeyValueFile(text, '--env-file', 'f');

const ROWS: [name: string, input: Partial<EnvironmentInput>, env: string[]][] = [
  ['defaults', {}, [PATH, 'HOSTNAME=box', 'HOME=/root']],
  ['TERM comes with a terminal', { tty: true }, [PATH, 'HOSTNAME=box', 'TERM=xterm', 'HOME=/root']],
  [
    'the image replaces in place',
    { image: ['PATH=/bin', 'A=1'] },
    ['PATH=/bin', 'HOSTNAME=box', 'A=1', 'HOME=/root'],
  ],
  [
    'file over image, flag over file',
    { image: ['A=image', 'B=image'], files: FILE('A=file\nB=file'), flags: ['B=flag'] },
    [PATH, 'HOSTNAME=box', 'A=file', 'B=flag', 'HOME=/root'],
  ],
  ['the last of the same flag', { flags: ['A=1', 'A=2'] }, [PATH, 'HOSTNAME=box', 'A=2', 'HOME=/root']],
  [
    "-e NAME takes the caller's",
    { flags: ['A', 'HOME'], caller: { A: '', HOME: '/home/me' } },
    [PATH, 'HOSTNAME=box', 'A=', 'HOME=/home/me'],
  ],
  [
    '-e NAME without one takes it away',
    { image: ['A=1'], flags: ['A', 'HOSTNAME', 'B'] },
    [PATH, 'HOME=/root'],
  ],
  [
    'a NAME in a file is kept out when the caller has none',
    { image: ['A=1'], files: FILE('A\nB\nC'), caller: { C: 'c' } },
    [PATH, 'HOSTNAME=box', 'A=1', 'C=c', 'HOME=/root'],
  ],
  [
    'values may hold anything',
    { flags: ['A=x=y\n"z" $w', 'B=\udcff'] },
    [PATH, 'HOSTNAME=box', 'A=x=y\n"z" $w', 'B=\udcff', 'HOME=/root'],
  ],
  [
    'proxies of the caller, below the image',
    { caller: { http_proxy: 'p', NO_PROXY: 'n', https_proxy: '', OTHER: 'x' }, image: ['NO_PROXY=i'] },
    [PATH, 'HOSTNAME=box', 'http_proxy=p', 'NO_PROXY=i', 'HOME=/root'],
  ],
  ['no proxies', { caller: { http_proxy: 'p' }, passProxy: false }, [PATH, 'HOSTNAME=box', 'HOME=/root']],
  [
    "--env-host, below the image's",
    { caller: { A: '1', PATH: '/mine' }, image: ['A=2'], passAll: true },
    ['PATH=/mine', 'HOSTNAME=box', 'A=2', 'HOME=/root'],
  ],
  ['--unsetenv', { image: ['A=1'], unset: ['A', 'HOSTNAME'], flags: ['B=1'] }, [PATH, 'B=1', 'HOME=/root']],
  ['--unsetenv-all', { image: ['A=1'], unsetAll: true, flags: ['B=1'] }, ['B=1', 'HOME=/root']],
];

describe('mergeEnvironment', () => {
  test.each(ROWS)('%s', (_name, input, env) => {
    expect(mergeEnvironment({ ...NONE, ...input })).toEqual(env);
  });
  test.each(['', '=x'])('-e "%s" is refused', (flag) => {
    expect(() => mergeEnvironment({ ...NONE, flags: [flag] })).toThrow('invalid environment variable');
  });
});

describe('parseKeyValueFile', () => {
  test("docker's format to the byte", () => {
    const text = '\ufeffA=1\n\n  # comment\n\tB = no\n#C=1\nD="q" \r\nE=a=b\nF\nG=#x\n';
    expect(() => parseKeyValueFile(text, '--env-file', 'f')).toThrow(
      '--env-file "f", line 4: variable "B " contains whitespaces',
    );
    expect(parseKeyValueFile(text.replace('B = no', 'B= no'), '--env-file', 'f')).toEqual([
      { key: 'A', value: '1' },
      { key: 'B', value: ' no' },
      { key: 'D', value: '"q" ' },
      { key: 'E', value: 'a=b' },
      { key: 'F', value: undefined },
      { key: 'G', value: '#x' },
    ]);
  });
  test('a line without a name is refused', () => {
    expect(() => parseKeyValueFile('=x', '--label-file', 'f')).toThrow(
      'line 1: no variable name on line "=x"',
    );
  });
});
