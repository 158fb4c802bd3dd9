import { describe, expect, test } from 'vitest';
import { givenOptions, type RunOptions } from '../../../../src/container/configure/options.ts';
import { parseTmpfs, parseVolume, type MountSpec } from '../../../../src/runtime/mount-spec.ts';
import { fromFlags, ID, noOptions } from '../spec.ts';

describe('givenOptions', () => {
  const empty = { name: '', hostname: '', cidfile: '', network: '', user: '', entrypoint: '' };
  test('an empty text is not given, but for --entrypoint', () => {
    expect(givenOptions({ ...noOptions(), ...empty })).toEqual({ ...noOptions(), entrypoint: '' });
  });

  test('what is given stays', () => {
    const options = { ...noOptions(), name: 'n', hostname: ' ', env: [''] };
    expect(givenOptions(options)).toEqual(options);
  });
});

describe('specFromFlags', () => {
  test('an image says it all', () => {
    const { spec, notes } = fromFlags(
      {},
      {
        words: [],
        imageConfig: {
          User: 'app',
          Env: ['PATH=/bin'],
          Entrypoint: ['/entry'],
          Cmd: ['arg'],
          WorkingDir: 'srv//x/',
          Labels: { a: '1' },
          StopSignal: 'SIGQUIT',
          ExposedPorts: { '80/tcp': {} },
          Volumes: { '/var/lib/data/': {} },
        },
      },
    );
    expect(spec.process).toEqual({
      args: ['/entry', 'arg'],
      env: ['PATH=/bin', `HOSTNAME=${ID.slice(0, 12)}`, 'HOME=/home/app'],
      cwd: '/srv/x',
      containerUid: 1000,
      containerGid: 1001,
      additionalGids: [1001, 1, 70000],
      keepGroups: false,
    });
    expect(spec.config).toMatchObject({
      user: 'app',
      labels: { a: '1' },
      stopSignal: 'SIGQUIT',
      exposedPorts: ['80/tcp'],
      volumes: ['/var/lib/data'],
      hostname: ID.slice(0, 12),
    });
    expect(spec.host).toMatchObject({
      autoRemove: false,
      logDriver: 'json-file',
      shmSizeBytes: 67108864,
      seccomp: { kind: 'default' },
    });
    expect(notes).toEqual([]);
  });

  test('flags override it', () => {
    const { spec } = fromFlags(
      {
        rm: true,
        user: '5:6',
        workdir: '/w/../x',
        hostname: 'h',
        label: ['a=2', 'b'],
        'stop-signal': 'TERM',
        timeout: 3,
        'cap-add': ['net_admin'],
        ulimit: ['nofile=5'],
        'oom-score-adj': -5,
        'group-add': ['keep-groups'],
      },
      { imageConfig: { User: 'app', Labels: { a: '1' }, WorkingDir: '/img', StopSignal: 'KILL' } },
    );
    expect(spec.process).toMatchObject({ containerUid: 5, containerGid: 6, cwd: '/x', keepGroups: true });
    expect(spec.config).toMatchObject({ hostname: 'h', labels: { a: '2', b: '' }, stopSignal: 'TERM' });
    expect(spec.host).toMatchObject({
      autoRemove: true,
      logDriver: 'none',
      timeoutMs: 3000,
      capAdd: ['CAP_NET_ADMIN'],
      oomScoreAdj: -5,
    });
  });

  test.each([
    ['the id', {}, {}, ID.slice(0, 12)],
    ["the host's with its network", { network: 'host' }, {}, 'thehost'],
    ["the host's with its UTS namespace", { uts: 'host' }, {}, 'thehost'],
    [
      "another container's with its network",
      { network: 'container:x' },
      { joinedHostname: 'other' },
      'other',
    ],
  ])('host name: %s', (_name, options, rest, hostname) => {
    expect(fromFlags(options, rest).spec.config.hostname).toBe(hostname);
  });

  test('keep-id runs as the caller unless told otherwise', () => {
    expect(fromFlags({ userns: 'keep-id' }, { imageConfig: { User: 'app' } }).spec.process).toMatchObject({
      containerUid: 1001,
      containerGid: 1002,
    });
    expect(fromFlags({ userns: 'keep-id', user: 'root' }).spec.process).toMatchObject({
      containerUid: 0,
      containerGid: 0,
    });
  });

  test.each([
    [undefined, 67108864],
    ['0', 67108864],
    ['0k', 67108864],
    ['1m', 1048576],
  ])('--shm-size %s is %d bytes', (size, bytes) => {
    expect(fromFlags({ 'shm-size': size }).spec.host.shmSizeBytes).toBe(bytes);
  });

  test('container: is stored by id', () => {
    expect(fromFlags({ network: 'container:web', pid: 'container:web' }).spec).toMatchObject({
      network: { mode: 'container:web-id' },
      host: { pidMode: { kind: 'container', id: 'web-id' } },
    });
  });

  test('what is not done is said', () => {
    expect(fromFlags({ privileged: true }).notes[0]).toContain('--privileged');
    expect(fromFlags({ volume: ['/a:/b:z'] }).notes[0]).toContain('SELinux');
  });

  describe('volumes', () => {
    const ofOther = parseVolume('shared:/shared', '/').mount;
    const others: Record<string, MountSpec[]> = {
      one: [
        { ...ofOther, source: { kind: 'directory', path: '/s', recursive: false, flags: {} } } as MountSpec,
        parseVolume('/host:/h', '/').mount,
        parseTmpfs('/t'),
      ],
      two: [parseVolume('/other:/h', '/').mount],
    };
    const rest = {
      imageConfig: { Volumes: { '/shared': {}, '/own/': {}, own: {}, '/': {} } },
      mountsOfContainer: (name: string) => others[name] ?? [],
    };
    const mountsOf = (options: Partial<RunOptions>) => fromFlags(options, rest).spec.host.mounts;
    const shown = (options: Partial<RunOptions>) =>
      mountsOf(options).map((mount) => [
        mount.type,
        mount.target,
        mount.type === 'bind' ? mount.source : mount.type === 'volume' ? mount.name : mount.data,
      ]);

    const rows: [options: Partial<RunOptions>, mounts: unknown[][]][] = [
      [
        {},
        [
          ['volume', '/shared', undefined],
          ['volume', '/own', undefined],
        ],
      ],
      [
        { volume: ['named:/own', '/d:/shared'] },
        [
          ['volume', '/own', 'named'],
          ['bind', '/shared', '/d'],
        ],
      ],
      [
        { 'volumes-from': ['one'] },
        [
          ['volume', '/shared', 'shared'],
          ['bind', '/h', '/host'],
          ['volume', '/own', undefined],
        ],
      ],
      [
        { 'volumes-from': ['one', 'two:ro'], tmpfs: ['/own'] },
        [
          ['tmpfs', '/own', ''],
          ['volume', '/shared', 'shared'],
          ['bind', '/h', '/other'],
        ],
      ],
      [
        { 'volumes-from': ['one'], volume: ['/mine:/h', '/own'] },
        [
          ['bind', '/h', '/mine'],
          ['volume', '/own', undefined],
          ['volume', '/shared', 'shared'],
        ],
      ],
    ];
    test.each(rows)('%j', (options, mounts) => {
      expect(shown(options)).toEqual(mounts);
    });

    test('--volumes-from: read-only on demand, and never filled', () => {
      const [first, second] = mountsOf({ 'volumes-from': ['one:ro'] });
      expect(first).toMatchObject({ flags: { readOnly: true }, noCopy: true, source: { path: '/s' } });
      expect(second).toMatchObject({ flags: { readOnly: true } });
      expect(mountsOf({ 'volumes-from': ['one:rw,z'] })[0]?.flags).toEqual({});
    });

    test("Config.Volumes and HostConfig.Binds are docker's", () => {
      const options = { volume: ['named:/own', '/anon'], mount: ['target=/m'], 'volumes-from': ['one'] };
      const { config, host } = fromFlags(options, rest).spec;
      expect(config.volumes).toEqual(['/shared', '/own', '/anon']);
      expect(host.binds).toEqual(['named:/own']);
      expect(host.volumesFrom).toEqual(['one']);
    });
  });

  const refused: [options: Partial<RunOptions>, message: RegExp][] = [
    [{ volume: ['data:/data', '/data'] }, /duplicate mount point: \/data/],
    [{ 'volumes-from': ['web:rx'] }, /--volumes-from "web:rx": invalid mode "rx"/],
    [{ 'volumes-from': ['web:ro:rw'] }, /--volumes-from "web:ro:rw": invalid mode "ro:rw"/],
    [{ 'volumes-from': [':ro'] }, /--volumes-from ":ro": malformed/],
    [{ volume: ['/a:/x'], tmpfs: ['/x/'] }, /duplicate mount point: \/x/],
    [{ user: 'nobody' }, /unable to find user nobody/],
    [{ user: '70000' }, /uid 70000 has no id on the host/],
    [{ user: '0:70000' }, /gid 70000 has no id on the host/],
    [{ 'group-add': ['bin', '99999999'] }, /--group-add "99999999": gid 99999999 has no id on the host/],
    [{ 'group-add': ['big'] }, /--group-add "big": gid 70000 has no id on the host/],
    [{ workdir: 'rel' }, /needs to be an absolute path/],
    [{ hostname: 'no_$' }, /invalid hostname/],
    [{ hostname: 'x'.repeat(65) }, /invalid hostname/],
    [{ hostname: 'h', uts: 'host' }, /conflicting options/],
    [{ 'log-driver': 'syslog' }, /--log-driver "syslog": not supported/],
    [{ 'log-driver': 'passthrough', tty: true }, /not with --tty/],
    [{ 'oom-score-adj': 1001 }, /range for oom score adj is \[-1000, 1000\]/],
    [{ timeout: -1 }, /--timeout -1: expected a whole number of seconds/],
    [{ timeout: 0.5 }, /--timeout 0.5/],
    [{ 'stop-signal': 'NOPE' }, /--stop-signal "NOPE": not a signal/],
    [{ annotation: ['a'] }, /--annotation "a": expected KEY=VALUE/],
    [{ annotation: ['=a'] }, /--annotation "=a": expected KEY=VALUE/],
    [{ 'no-hosts': true, 'add-host': ['a:1.1.1.1'] }, /--no-hosts: conflicting options: --add-host/],
    [{ tmpfs: ['/t:size=1m,uid=99999999'] }, /--tmpfs "\/t:size=1m,uid=99999999": uid 99999999 has no id/],
    [{ tmpfs: ['/t:gid=70000'] }, /gid 70000 has no id on the host/],
    [{ label: ['=x'] }, /--label "=x": expected KEY=VALUE/],
    [{ sysctl: ['net.core.somaxconn=1'], network: 'host' }, /net namespace is not the container's own/],
    [{ 'group-add': ['keep-groups', 'bin'] }, /cannot be combined/],
    [{ 'cap-add': ['FLY'] }, /not a capability/],
  ];
  test.each(refused)('%j is refused', (options, message) => {
    expect(() => fromFlags(options)).toThrow(message);
  });
});
