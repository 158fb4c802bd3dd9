import { describe, expect, it } from 'vitest';
import { planNetwork } from '../../../src/network/plan.ts';
import type { HostNetwork, NetworkPlan, NetworkRequest, PublishedPort } from '../../../src/network/types.ts';

const HOST: HostNetwork = {
  addresses: [
    { iface: 'docker0', address: '172.17.0.1', family: 4, linkLocal: false },
    { iface: 'eth0', address: '192.0.2.2', family: 4, linkLocal: false },
    { iface: 'eth0', address: 'fe80::1', family: 6, linkLocal: true },
  ],
  defaultIface4: 'eth0',
  hasDefaultRoute6: false,
  routes4: [],
  resolvConf: 'nameserver 10.1.1.1\n',
  upstreamResolvConf: undefined,
  hosts: '127.0.0.1 localhost\n',
  pasta: '/usr/bin/pasta',
  slirp4netns: '/usr/bin/slirp4netns',
  pastaIsModern: () => false,
  tunProblem: () => undefined,
  osRelease: 'ID=debian\n',
};

const REQUEST: NetworkRequest = {
  id: 'abc',
  mode: 'default',
  containerName: 'web',
  hostname: 'box',
  publish: [],
  publishAll: false,
  exposedPorts: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  extraHosts: [],
  hostUserNamespace: false,
  hostUid: 1000,
  highestGid: 65536,
};

const port = (
  hostPort: number,
  containerPort = hostPort,
  rest: Partial<PublishedPort> = {},
): PublishedPort => ({
  hostIp: '0.0.0.0',
  hostPort,
  containerPort,
  protocol: 'tcp',
  ...rest,
});

function plan(
  request: Partial<NetworkRequest>,
  host: Partial<HostNetwork> = {},
  ports: PublishedPort[] = [],
): NetworkPlan {
  return planNetwork({ ...REQUEST, ...request }, { ...HOST, ...host }, ports, '/run/user/1000/skiff/s');
}

const args = (...rest: Parameters<typeof plan>): string => plan(...rest).helper?.args.join(' ') ?? '';

describe('the default network', () => {
  it('is pasta, rootless', () => {
    const { namespace, helper, files, sysctls, address, notes } = plan({});
    expect(namespace).toEqual({ kind: 'new' });
    expect(helper?.program).toBe('/usr/bin/pasta');
    expect(helper?.args.join(' ')).toBe(
      '--config-net -q -f -a 10.87.97.100 -n 24 -g 10.87.97.2 -I eth0 -t none -u none -T none -U none --no-map-gw -P /proc/self/fd/{ready-fd} --netns-only --netns {netns}',
    );
    expect(files.resolvConf).toBe('nameserver 10.1.1.1\n');
    expect(files.hosts).toContain(
      '192.0.2.2\thost.docker.internal host.containers.internal\n10.87.97.100\tbox web\n',
    );
    expect(files.hostname).toBe('box\n');
    expect(sysctls).toEqual([
      ['net.ipv4.ip_unprivileged_port_start', '0'],
      ['net.ipv4.ping_group_range', '0 65536'],
    ]);
    expect(address).toEqual({ ip: '10.87.97.100', prefix: 24, gateway: '10.87.97.2' });
    expect(notes).toEqual([]);
  });

  it('reaches a root-owned namespace by an inherited descriptor', () => {
    expect(args({ hostUid: 0, hostUserNamespace: true })).toMatch(
      /--runas 0 --no-netns-quit --netns-only --netns \{netns\}$/,
    );
    expect(args({ hostUid: 0 })).toMatch(/--runas 0 --netns-only --netns \{netns\}$/);
  });

  it('forwards DNS for a resolver on the loopback', () => {
    const { helper, files } = plan({}, { resolvConf: 'nameserver 127.0.0.53\n' });
    expect(helper?.args.join(' ')).toContain('--dns-forward 169.254.1.1 ');
    expect(files.resolvConf).toBe('nameserver 169.254.1.1\n');
    const slirp = plan({ mode: 'slirp4netns' }, { resolvConf: 'nameserver 127.0.0.53\n' });
    expect(slirp.files.resolvConf).toBe('nameserver 10.87.97.3\n');
  });

  it('leaves addresses to pasta on a host with IPv6 alone', () => {
    const { helper, address, files } = plan({}, { defaultIface4: undefined, hasDefaultRoute6: true });
    expect(helper?.args).not.toContain('-a');
    expect(address).toBeUndefined();
    expect(files.hosts).toContain('127.0.1.1\tbox web\n');
  });

  it('is slirp4netns without pasta', () => {
    const { helper } = plan({}, { pasta: undefined, hasDefaultRoute6: true });
    expect(helper).toEqual({
      kind: 'slirp4netns',
      program: '/usr/bin/slirp4netns',
      args: '-c -m 65520 --cidr=10.87.97.0/24 --disable-host-loopback -6 --userns-path={userns} --netns-type=path -r {ready-fd} {netns} eth0'.split(
        ' ',
      ),
    });
  });
});

describe('published ports', () => {
  it('are arguments of pasta, runs of them one', () => {
    const ports = [
      ...[port(8000, 80), port(8001, 81), port(9000)],
      ...[port(53, 53, { protocol: 'udp' }), port(8080, 80, { hostIp: '::1' })],
    ];
    expect(args({}, {}, ports)).toContain(
      ' -t 0.0.0.0/8000-8001:80-81 -t 0.0.0.0/9000:9000 -t ::1/8080:80 -u 0.0.0.0/53:53 ',
    );
  });

  it('are requests to slirp4netns', () => {
    const { helper, ports } = plan({ mode: 'slirp4netns' }, {}, [port(8080, 80, { hostIp: '127.0.0.1' })]);
    expect(helper?.args.join(' ')).toContain('-a /run/user/1000/skiff/s');
    expect(helper?.api?.socket).toBe('/run/user/1000/skiff/s');
    expect(helper?.api?.requests.map((text) => JSON.parse(text) as unknown)).toEqual([
      {
        execute: 'add_hostfwd',
        arguments: { proto: 'tcp', host_addr: '127.0.0.1', host_port: 8080, guest_port: 80 },
      },
    ]);
    expect(ports).toHaveLength(1);
  });

  it('say what an old pasta cannot do', () => {
    const translated = [port(5353, 53, { protocol: 'udp' })];
    expect(plan({}, {}, translated).notes).toEqual([
      expect.stringMatching(/^udp port 5353 → 53: this version of pasta/),
    ]);
    expect(plan({}, { pastaIsModern: () => true }, translated).notes).toEqual([]);
    expect(plan({}, {}, [port(53, 53, { protocol: 'udp' })]).notes).toEqual([]);
  });

  it('are discarded, and said to be, where there is nothing to publish', () => {
    expect(plan({ mode: 'host', publish: ['80'] }).notes).toEqual([expect.stringContaining('discarded')]);
    expect(plan({ mode: 'none', publishAll: true }).notes).toEqual([expect.stringContaining('discarded')]);
  });

  it('do not go with another container’s network', () => {
    expect(() => plan({ mode: 'container:a', publish: ['80'], joined: { netns: '/x' } })).toThrow(
      /conflicting options/,
    );
  });
});

describe('options of the helpers', () => {
  it('replace ours', () => {
    const text = args({ mode: 'pasta:-T,5432,--map-gw,-a,10.9.9.9,-I,tap9' });
    expect(text).toBe(
      '--config-net -q -f -t none -u none -U none -T 5432 -a 10.9.9.9 -I tap9 -P /proc/self/fd/{ready-fd} --netns-only --netns {netns}',
    );
    expect(plan({ mode: 'pasta:-a,10.9.9.9' }).files.hosts).toContain('10.9.9.9\tbox');
  });

  it('of slirp4netns have podman’s names', () => {
    const text = args({ mode: 'slirp4netns:allow_host_loopback=true,mtu=1400,enable_ipv6=true' });
    expect(text).toContain('-c -m 1400 --cidr=10.87.97.0/24 -6 --userns-path');
    expect(() => plan({ mode: 'slirp4netns:port_handler=rootlesskit' })).toThrow(
      /unknown option "port_handler/,
    );
  });
});

describe('what the host lacks', () => {
  it.each([
    [
      { pasta: undefined, slirp4netns: undefined },
      {},
      /neither pasta nor slirp4netns/,
      'sudo apt-get install -y passt, or choose --network host or --network none',
    ],
    [
      { pasta: undefined, slirp4netns: undefined, osRelease: 'ID="almalinux"\nID_LIKE="rhel centos fedora"' },
      {},
      /neither/,
      'sudo dnf install -y passt, or choose --network host or --network none',
    ],
    [
      { pasta: undefined },
      { mode: 'pasta' },
      /pasta is not installed/,
      'sudo apt-get install -y passt, or choose --network host or --network none',
    ],
    [
      { slirp4netns: undefined },
      { mode: 'slirp4netns', hostUid: 0 },
      /slirp4netns is not installed/,
      'apt-get install -y slirp4netns, or choose --network host or --network none',
    ],
    [
      { tunProblem: (): string => 'ENOENT' },
      {},
      /\/dev\/net\/tun does not exist/,
      'sudo modprobe tun (within another container: start that one with --device /dev/net/tun), or choose --network host or --network none',
    ],
    [
      { tunProblem: (): string => 'EACCES' },
      {},
      /may not be opened \(EACCES\)/,
      'sudo chmod 0666 /dev/net/tun, or choose --network host or --network none',
    ],
  ] as const)('%o', (host, request, message, hint) => {
    let caught: unknown;
    try {
      plan(request, host);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      code: 'HOST_MISSING',
      message: expect.stringMatching(message) as string,
      hint,
    });
  });

  const unrouted = { defaultIface4: undefined, addresses: [], routes4: [] };

  it('a default route: slirp4netns rather than an old pasta, a new pasta, or a loopback alone', () => {
    expect(plan({}, unrouted).helper?.kind).toBe('slirp4netns');
    expect(plan({}, { ...unrouted, pastaIsModern: () => true }).helper?.kind).toBe('pasta');
    const alone = plan({}, { ...unrouted, slirp4netns: undefined });
    expect(alone.helper).toBeUndefined();
    expect(alone.namespace).toEqual({ kind: 'new' });
    expect(alone.notes).toEqual([expect.stringContaining('no default route')]);
  });
});

describe('other modes', () => {
  it('host: the host’s files', () => {
    const { namespace, helper, files, sysctls } = plan({ mode: 'host', extraHosts: ['a:1.2.3.4'] });
    expect([namespace, helper, sysctls]).toEqual([{ kind: 'host' }, undefined, []]);
    expect(files.hosts).toBe(
      '127.0.0.1 localhost\n1.2.3.4\ta\n127.0.0.1\thost.docker.internal host.containers.internal\n',
    );
    expect(files.resolvConf).toBe(HOST.resolvConf);
    expect(plan({ mode: 'host', dns: ['9.9.9.9'] }).files.resolvConf).toBe('nameserver 9.9.9.9\n');
  });

  it('none: nothing outside is looked for', () => {
    const broken = { pasta: undefined, slirp4netns: undefined, tunProblem: (): string => 'ENOENT' };
    const { namespace, helper, files } = plan({ mode: 'none' }, broken);
    expect([namespace, helper]).toEqual([{ kind: 'new' }, undefined]);
    expect(files.resolvConf).toBe('');
    expect(files.hosts).toContain('127.0.1.1\tbox web\n');
    expect(files.hosts).not.toContain('host.docker.internal');
    const named = plan({ mode: 'none', extraHosts: ['h:host-gateway'] }, broken).files.hosts;
    expect(named).toContain('192.0.2.2\th\n');
  });

  it('container and ns: the namespace is joined, no helper, no sysctls', () => {
    const joined = plan({ mode: 'container:a', joined: { netns: '/proc/7/ns/net' } });
    expect([joined.namespace, joined.helper, joined.sysctls]).toEqual([
      { kind: 'join', path: '/proc/7/ns/net' },
      undefined,
      [],
    ]);
    expect(joined.files.resolvConf).toBe('nameserver 10.1.1.1\n');
    expect(plan({ mode: 'ns:/run/netns/x' }).namespace).toEqual({ kind: 'join', path: '/run/netns/x' });
  });
});
