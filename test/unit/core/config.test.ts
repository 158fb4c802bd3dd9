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
    ['offline', 'offline = true', { offline: true }],
    ['offline off', 'offline=no', { offline: false }],
    ['network', 'network = host', { network: 'host' }],
    ['parallel downloads', 'parallel-downloads = 8', { parallelDownloads: 8 }],
    [
      'mirrors',
      '[registry "docker.io"]\nmirrors = a.example:5000, b.example',
      { mirrors: { 'docker.io': ['a.example:5000', 'b.example'] } },
    ],
    ['insecure', '[registry "10.0.0.1:5000"]\ninsecure = true\n', { insecureRegistries: ['10.0.0.1:5000'] }],
    ['insecure off', '[registry "a.b"]\ninsecure = false\n', {}],
    ['name without quotes', '[registry a.b.c]\ninsecure = yes\n', { insecureRegistries: ['a.b.c'] }],
    ['quoted value', 'network = "none"', { network: 'none' }],
  ])('%s', (_, text, expected) => {
    expect(load(text)).toEqual({ ...DEFAULTS, ...expected });
  });

  it.each([
    ['offine = true', ', offine: unknown key; known: offline, network, parallel-downloads'],
    ['offline = perhaps', ', offline: "perhaps" is neither true nor false'],
    ['parallel-downloads = 0', ', parallel-downloads: "0" is not a number from 1 to 64'],
    ['parallel-downloads = many', ', parallel-downloads: "many" is not a number from 1 to 64'],
    ['[registries]\na = b', ', [registries]: unknown section; known: [registry "NAME"]'],
    ['[registry "x.y"]\nmirror = z', ', [registry "x.y"] mirror: unknown key; known: mirrors, insecure'],
    ['[registry "x.y"]\ninsecure = 7', ', [registry "x.y"] insecure: "7" is neither true nor false'],
  ])('refuses %j, naming file and key', (text, message) => {
    expect(() => load(text)).toThrow(`reading configuration ${JSON.stringify(file)}${message}`);
  });

  it('must exist when it was asked for, and need not otherwise', () => {
    expect(() => loadConfig({}, { file: join(dir, 'none') })).toThrow(
      `reading configuration "${join(dir, 'none')}"`,
    );
    expect(() => loadConfig({ SKIFF_CONFIG: join(dir, 'none') })).toThrow('reading configuration');
    expect(loadConfig({ HOME: dir })).toMatchObject({ parallelDownloads: 4 });
  });

  it('is found in XDG_CONFIG_HOME, HOME, or the home of the passwd entry', () => {
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
    expect(loadConfig({ XDG_CONFIG_HOME: dir }).network).toBe('none');
  });
});

describe('variables', () => {
  it.each<[Record<string, string>, object]>([
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
  ])('%j wins over the file', (env, expected) => {
    const text = 'offline = true\nnetwork = none\n[registry "old"]\nmirrors = old\ninsecure = true';
    const fromFile = {
      ...DEFAULTS,
      offline: true,
      network: 'none',
      mirrors: { old: ['old'] },
      insecureRegistries: ['old'],
    };
    expect(load(text, env)).toEqual({ ...fromFile, ...expected });
  });

  it.each([
    [{ SKIFF_OFFLINE: 'x' }, 'reading variable SKIFF_OFFLINE: "x" is neither true nor false'],
    [{ SKIFF_PARALLEL_DOWNLOADS: '-1' }, 'reading variable SKIFF_PARALLEL_DOWNLOADS: "-1" is not a number'],
    [{ SKIFF_MIRRORS: '=m' }, 'reading variable SKIFF_MIRRORS: "=m" names no registry'],
  ])('refuses %j', (env: Record<string, string>, message) => {
    expect(() => load('', env)).toThrow(message);
  });
});
