import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, standardFiles } from '../../../src/core/config.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-config-'));
  file = join(dir, 'skiff.conf');
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const DEFAULTS = {
  root: undefined,
  offline: false,
  mirrors: {},
  insecureRegistries: [],
  network: undefined,
  parallelDownloads: 4,
};

function load(text: string, env: Record<string, string> = {}) {
  writeFileSync(file, text);
  return loadConfig(env, { file });
}

describe('the file', () => {
  it.each<[string, string, object]>([
    ['empty', '', {}],
    ['comments', '# a\n; b\n', {}],
    ['root', 'root = /srv/skiff', { root: '/srv/skiff' }],
    ['offline', 'offline = true', { offline: true }],
    ['offline off', 'offline=no', { offline: false }],
    ['network', 'network = host', { network: 'host' }],
    ['parallel downloads', 'parallel-downloads = 8', { parallelDownloads: 8 }],
    [
      'mirrors',
      '[registry "docker.io"]\nmirrors = a.example:5000, b.example',
      { mirrors: { 'docker.io': ['a.example:5000', 'b.example'] } },
    ],
    ['mirrors of docker.io', 'mirrors = a.b, c.d', { mirrors: { 'docker.io': ['a.b', 'c.d'] } }],
    ['mirrors, a list', 'mirrors[] = a.b\nmirrors[] = c.d', { mirrors: { 'docker.io': ['a.b', 'c.d'] } }],
    [
      'mirrors by name, and of a section',
      'mirrors = "docker.io=http://a.b/p; q.io=c.d"\n[registry "q.io"]\nmirrors = e.f:1',
      { mirrors: { 'docker.io': ['http://a.b/p'], 'q.io': ['e.f:1'] } },
    ],
    [
      'insecure-registries, and of a section',
      'insecure-registries = a.b:1, *.c, [::1]:5000\n[registry "d"]\ninsecure = true\n[registry "*.c"]\ninsecure = no',
      { insecureRegistries: ['a.b:1', '[::1]:5000', 'd'] },
    ],
    ['a section without keys', '[registry "a.b"]\n', {}],
    ['insecure', '[registry "10.0.0.1:5000"]\ninsecure = true\n', { insecureRegistries: ['10.0.0.1:5000'] }],
    ['insecure off', '[registry "a.b"]\ninsecure = false\n', {}],
    ['name without quotes', '[registry a.b.c]\ninsecure = yes\n', { insecureRegistries: ['a.b.c'] }],
    ['quoted value', 'network = "none"', { network: 'none' }],
  ])('%s', async (_, text, expected) => {
    expect(await load(text)).toEqual({ ...DEFAULTS, ...expected });
  });

  it.each([
    [
      'offine = true',
      ', offine: unknown key; known: root, offline, mirrors, insecure-registries, network, parallel-downloads',
    ],
    ['root = store', ', root: "store" is not an absolute path'],
    ['mirrors = a::::', ', mirrors: "a::::" is not a mirror; expected host[:port][/path]'],
    ['[registry "q"]\nmirrors = a b', ', [registry "q"] mirrors: "a b" is not a mirror'],
    [
      'insecure-registries = 10.0.0.0/8',
      ', insecure-registries: "10.0.0.0/8" is not a registry; expected host',
    ],
    ['insecure-registries = http://a', ', insecure-registries: "http://a" is not a registry; expected host'],
    ['[empty]', ', [empty]: unknown section'],
    ['offline = perhaps', ', offline: "perhaps" is neither true nor false'],
    ['parallel-downloads = 0', ', parallel-downloads: "0" is not a number from 1 to 64'],
    ['parallel-downloads = many', ', parallel-downloads: "many" is not a number from 1 to 64'],
    ['[registries]\na = b', ', [registries]: unknown section; known: [registry "NAME"]'],
    ['[registry "x.y"]\nmirror = z', ', [registry "x.y"] mirror: unknown key; known: mirrors, insecure'],
    ['[registry "x.y"]\ninsecure = 7', ', [registry "x.y"] insecure: "7" is neither true nor false'],
  ])('refuses %j, naming file and key', async (text, message) => {
    await expect(load(text)).rejects.toThrow(`reading configuration ${JSON.stringify(file)}${message}`);
  });

  it('must exist when it was asked for, and need not otherwise', async () => {
    await expect(loadConfig({}, { file: join(dir, 'none') })).rejects.toThrow(
      `reading configuration "${join(dir, 'none')}"`,
    );
    await expect(loadConfig({ SKIFF_CONFIG: join(dir, 'none') })).rejects.toThrow('reading configuration');
    expect(await loadConfig({ HOME: dir })).toMatchObject({ parallelDownloads: 4 });
  });

  it('is found in XDG_CONFIG_HOME, HOME, or the home of the passwd entry', async () => {
    expect(standardFiles({ XDG_CONFIG_HOME: '/x', HOME: '/h' }, '/p')).toEqual([
      '/etc/skiff/skiff.conf',
      '/x/skiff/skiff.conf',
    ]);
    expect(standardFiles({ XDG_CONFIG_HOME: 'relative', HOME: '/h' }, '/p')).toEqual([
      '/etc/skiff/skiff.conf',
      '/h/.config/skiff/skiff.conf',
    ]);
    expect(standardFiles({}, '/p')).toEqual(['/etc/skiff/skiff.conf', '/p/.config/skiff/skiff.conf']);
    expect(standardFiles({}, undefined)).toEqual(['/etc/skiff/skiff.conf']);
    mkdirSync(join(dir, 'skiff'));
    writeFileSync(join(dir, 'skiff/skiff.conf'), 'network = none');
    expect((await loadConfig({ XDG_CONFIG_HOME: dir })).network).toBe('none');
  });
});

describe('variables', () => {
  it.each<[Record<string, string>, object]>([
    [{ SKIFF_ROOT: '/new' }, { root: '/new' }],
    [{ SKIFF_ROOT: '' }, { root: '/old' }],
    [{ SKIFF_OFFLINE: '1' }, { offline: true }],
    [{ SKIFF_OFFLINE: '0' }, { offline: false }],
    [{ SKIFF_OFFLINE: '' }, { offline: true }],
    [{ SKIFF_NETWORK: 'host' }, { network: 'host' }],
    [{ SKIFF_PARALLEL_DOWNLOADS: '2' }, { parallelDownloads: 2 }],
    [{ SKIFF_MIRRORS: 'm1, m2' }, { mirrors: { 'docker.io': ['m1', 'm2'] } }],
    [
      { SKIFF_MIRRORS: 'a.example=m1,m2;docker.io=m3' },
      { mirrors: { 'a.example': ['m1', 'm2'], 'docker.io': ['m3'] } },
    ],
    [{ SKIFF_INSECURE_REGISTRIES: 'r1,r2:5000' }, { insecureRegistries: ['r1', 'r2:5000'] }],
  ])('%j wins over the file', async (env, expected) => {
    const text =
      'root = /old\noffline = true\nnetwork = none\n[registry "old"]\nmirrors = old\ninsecure = true';
    const fromFile = {
      ...DEFAULTS,
      root: '/old',
      offline: true,
      network: 'none',
      mirrors: { old: ['old'] },
      insecureRegistries: ['old'],
    };
    expect(await load(text, env)).toEqual({ ...fromFile, ...expected });
  });

  it.each([
    [{ SKIFF_OFFLINE: 'x' }, 'reading variable SKIFF_OFFLINE: "x" is neither true nor false'],
    [{ SKIFF_PARALLEL_DOWNLOADS: '-1' }, 'reading variable SKIFF_PARALLEL_DOWNLOADS: "-1" is not a number'],
    [{ SKIFF_ROOT: 'rel' }, 'reading variable SKIFF_ROOT: "rel" is not an absolute path'],
    [{ SKIFF_MIRRORS: 'bogus::::' }, 'reading variable SKIFF_MIRRORS: "bogus::::" is not a mirror'],
    [{ SKIFF_INSECURE_REGISTRIES: 'a/b' }, 'reading variable SKIFF_INSECURE_REGISTRIES: "a/b" is not a'],
    [{ SKIFF_MIRRORS: '=m' }, 'reading variable SKIFF_MIRRORS: "=m" names no registry'],
  ])('refuses %j', async (env: Record<string, string>, message) => {
    await expect(load('', env)).rejects.toThrow(message);
  });
});
