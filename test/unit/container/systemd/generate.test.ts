import { describe, expect, test } from 'vitest';
import { systemdUnit, type SystemdFlags } from '../../../../src/container/systemd/generate.ts';
import { flagWords } from '../../../../src/cli/flag-words.ts';
import type { RunOptions } from '../../../../src/container/configure/options.ts';
import type { Recipe } from '../../../../src/runtime/spec.ts';
import { fromFlags, ID } from '../spec.ts';

const NO_FLAGS: SystemdFlags = {
  after: [],
  'container-prefix': 'container',
  env: [],
  header: false,
  name: true,
  new: false,
  requires: [],
  'restart-policy': undefined,
  'restart-sec': undefined,
  separator: '-',
  'start-timeout': undefined,
  'stop-timeout': undefined,
  wants: [],
};

function generate(
  flags: Partial<SystemdFlags>,
  options: Partial<RunOptions> = {},
  recipe: Recipe['flags'] | null = {},
) {
  const { spec } = fromFlags(options, { recipe: recipe ?? {} });
  if (recipe === null) spec.recipe = undefined;
  return systemdUnit({
    spec,
    flags: { ...NO_FLAGS, ...flags },
    program: '/opt/skiff',
    graphRoot: '/srv/the store',
    env: { LANG: 'C.UTF-8' },
    forRoot: false,
    runWords: ({ flags: given, words }) => [...flagWords(given), ...words],
  });
}

/** The values of one setting, in order. */
function setting(text: string, key: string): string[] {
  return [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');
}

test('a unit that starts the container', () => {
  expect(generate({})).toEqual({
    name: 'container-web',
    notes: [],
    text: `[Unit]
Description=Container web of skiff
Wants=network-online.target
After=network-online.target
RequiresMountsFor="/srv/the store"

[Service]
Type=exec
ExecStart=/opt/skiff --root "/srv/the store" start --attach web
ExecStop=/opt/skiff --root "/srv/the store" stop --ignore --time 10 web
SuccessExitStatus=143
Restart=on-failure
KillMode=mixed
TimeoutStopSec=70

[Install]
WantedBy=default.target
`,
  });
});

test('a unit that makes a new container runs it in its own process', () => {
  const recipe = {
    env: ['A=x $y', 'B', 'C'],
    name: 'web',
    rm: true,
    interactive: true,
    'read-only': true,
    user: '0',
  };
  const { text } = generate({ new: true }, { env: ['A=x $y', 'B=from the caller'] }, recipe);
  expect(setting(text, 'ExecStart')).toEqual([
    '/opt/skiff --root "/srv/the store" run --rm --replace --name web ' +
      '"--env=A=x $$y" "--env=B=from the caller" --read-only --user=0 busybox "true"'.replace(
        '"true"',
        'true',
      ),
  ]);
  expect(setting(text, 'WorkingDirectory')).toEqual(['-/work']);
});

test('the header says how to enable it', () => {
  const { text } = generate({ header: true });
  expect(text).toMatch(/^# container-web\.service\n/);
  expect(text).toContain('systemctl --user enable --now container-web.service');
  expect(text).toContain('loginctl enable-linger');
});

describe('settings', () => {
  test.each<[Partial<SystemdFlags>, Partial<RunOptions>, key: string, values: string[]]>([
    [{ name: false }, {}, 'Description', [`Container ${ID} of skiff`]],
    [{ after: ['a.service', 'b.mount'] }, {}, 'After', ['network-online.target a.service b.mount']],
    [{ wants: ['a.service'] }, {}, 'Wants', ['network-online.target a.service']],
    [{ requires: ['a@1.service'] }, {}, 'Requires', ['a@1.service']],
    [{ env: ['A=b c', 'LANG', 'NOT_SET'] }, {}, 'Environment', ['"A=b c" LANG=C.UTF-8']],
    [{ 'restart-policy': 'always' }, {}, 'Restart', ['always']],
    [{}, { restart: 'unless-stopped' }, 'Restart', ['always']],
    [{}, { restart: 'on-failure' }, 'Restart', ['on-failure']],
    [{ 'restart-sec': 5 }, {}, 'RestartSec', ['5']],
    [{ 'start-timeout': 90 }, {}, 'TimeoutStartSec', ['90']],
    [{ 'stop-timeout': 3 }, { 'stop-timeout': 7 }, 'TimeoutStopSec', ['63']],
    [{}, { 'stop-timeout': 7 }, 'TimeoutStopSec', ['67']],
    [{ 'stop-timeout': -1 }, {}, 'TimeoutStopSec', ['infinity']],
    [{}, { 'stop-signal': 'SIGINT' }, 'SuccessExitStatus', ['130']],
  ])('%j of %j: %s', (flags, options, key, values) => {
    expect(setting(generate(flags, options).text, key)).toEqual(values);
  });

  test('the names of units', () => {
    expect(generate({ 'container-prefix': 'my', separator: '_' }).name).toBe('my_web');
    expect(generate({ name: false }).name).toBe(`container-${ID}`);
  });

  test('a limit of restarts is not taken over, and that is said', () => {
    expect(generate({}, { restart: 'on-failure:3' }).notes).toEqual([
      expect.stringContaining('on-failure:3'),
    ]);
    expect(generate({ 'restart-policy': 'no' }, { restart: 'on-failure:3' }).notes).toEqual([]);
  });
});

describe('refused', () => {
  test.each<[Partial<SystemdFlags>, Partial<RunOptions>, RegExp]>([
    [{ after: ['a.service b.service'] }, {}, /--after "a\.service b\.service": expected the name of a unit/],
    [{ wants: ['x\nExecStart=/bin/evil'] }, {}, /--wants/],
    [{ requires: [''] }, {}, /--requires ""/],
    [{ env: ['A B=c'] }, {}, /--env "A B=c"/],
    [{ 'restart-policy': 'sometimes' }, {}, /expected one of no, on-success/],
    [{ 'restart-sec': 1.5 }, {}, /whole number/],
    [{ 'container-prefix': '../etc' }, {}, /unit name/],
    [{ separator: '@' }, {}, /unit name/],
    [{}, { rm: true }, /made with --rm/],
    [{}, { scope: 'job' }, /made with --scope job/],
  ])('%j of %j', (flags, options, message) => {
    expect(() => generate(flags, options)).toThrow(message);
  });

  test('--new of a container whose flags nobody kept', () => {
    expect(() => generate({ new: true }, {}, null)).toThrow(/made by an earlier skiff/);
  });
});
