// --network and its friends become what the helper does and what /etc/hosts and /etc/resolv.conf say. Decides alone: facts
// come from host.ts, free ports from free-ports.ts. (pure)

import { EngineError } from '../core/errors.ts';
import type { NetworkHelper } from '../native/plan.ts';
import { chooseSubnet, hostAddress, isLoopback, type Subnet } from './address.ts';
import { chooseHelper } from './choose-helper.ts';
import { hostsFile } from './hosts.ts';
import { parseNetworkMode, type NetworkMode } from './mode.ts';
import { PASTA_DNS, pastaHelper } from './pasta.ts';
import { isolatedResolvConf, parseResolvConf, resolvConfFile, type Resolver } from './resolv-conf.ts';
import { slirpHelper } from './slirp4netns.ts';
import type { HostNetwork, NetworkPlan, NetworkRequest, PublishedPort } from './types.ts';

/**
 * ports: what ended up published, from `freePorts(portsToPublish(request))`.
 * slirpSocket: where slirp4netns may make its control socket.
 * @throws USAGE for texts that are wrong or do not go together, HOST_MISSING when the host cannot connect a container
 */
export function planNetwork(
  request: NetworkRequest,
  host: HostNetwork,
  ports: PublishedPort[],
  slirpSocket: string,
): NetworkPlan {
  const mode = parseNetworkMode(request.mode);
  switch (mode.kind) {
    case 'host':
      return hostPlan(request, host);
    case 'none':
      return isolated(request, host, []);
    case 'path':
      return joinedPlan(request, host, mode.path);
    case 'container':
      if (request.joined === undefined) throw new Error(`planNetwork: ${request.mode} without its namespace`);
      return joinedPlan(request, host, request.joined.netns);
    case 'private':
      return connected(request, mode, host, ports, slirpSocket);
  }
}

function hostPlan(request: NetworkRequest, host: HostNetwork): NetworkPlan {
  const conf = parseResolvConf(host.resolvConf);
  const { dns, dnsSearch, dnsOptions } = request;
  const same = dns.length === 0 && dnsSearch.length === 0 && dnsOptions.length === 0;
  const resolver = resolvConfFile({
    ...{ host: conf, upstream: undefined, isUnreachable: () => false, ipv6: true, forwarder: undefined },
    ...{ dns, dnsSearch, dnsOptions },
  });
  return {
    namespace: { kind: 'host' },
    helper: undefined,
    files: {
      hosts: hostsFile({
        ip: undefined,
        names: [],
        extraHosts: request.extraHosts,
        hostGateway: '127.0.0.1',
        base: host.hosts,
      }),
      resolvConf: same ? host.resolvConf : resolver.text,
      hostname: `${request.hostname}\n`,
    },
    ports: [],
    sysctls: [],
    address: undefined,
    notes: wantsPorts(request)
      ? ["published ports are discarded with --network host: the container has the host's"]
      : [],
  };
}

/** A network namespace with a loopback alone. */
function isolated(request: NetworkRequest, host: HostNetwork, notes: string[]): NetworkPlan {
  return {
    namespace: { kind: 'new' },
    helper: undefined,
    files: {
      hosts: hostsFile({
        ip: '127.0.1.1',
        names: ownNames(request),
        extraHosts: request.extraHosts,
        // Out of reach without a network: looked up only for those who name it (scripts always do).
        hostGateway: namesHost(request) || request.joined !== undefined ? hostAddress(host) : undefined,
      }),
      resolvConf: isolatedResolvConf(request),
      hostname: `${request.hostname}\n`,
    },
    ports: [],
    sysctls: sysctls(request),
    address: undefined,
    notes: [
      ...notes,
      ...(wantsPorts(request) ? ['published ports are discarded: the container has no network'] : []),
    ],
  };
}

function joinedPlan(request: NetworkRequest, host: HostNetwork, netns: string): NetworkPlan {
  if (request.publish.length > 0 || request.publishAll) {
    throw new EngineError(
      'USAGE',
      `--network ${JSON.stringify(request.mode)}: conflicting options: port publishing and a network that is another's`,
      { hint: 'publish the ports where the network is made' },
    );
  }
  const plan = isolated(request, host, []);
  const resolver = insideResolver(request, host, undefined, new Set());
  return {
    ...plan,
    namespace: { kind: 'join', path: netns },
    files: { ...plan.files, resolvConf: resolver.text },
    sysctls: [],
  };
}

function connected(
  request: NetworkRequest,
  mode: Extract<NetworkMode, { kind: 'private' }>,
  host: HostNetwork,
  ports: PublishedPort[],
  slirpSocket: string,
): NetworkPlan {
  const choice = chooseHelper(mode, host, request.hostUid === 0);
  if (choice.kind === 'none') return isolated(request, host, choice.notes);
  const subnet = chooseSubnet(host);
  const isPasta = choice.kind === 'pasta';
  // pasta without an IPv4 route on the host makes its own choice, which we do not know.
  const address = isPasta && host.defaultIface4 === undefined && host.hasDefaultRoute6 ? undefined : subnet;
  const forwarder = isPasta ? PASTA_DNS : subnet.dns;
  const unreachable = new Set([
    ...(isPasta ? host.addresses.filter(({ family }) => family === 6) : []).map((each) => each.address),
    subnet.ip,
  ]);
  const resolver = insideResolver(request, host, forwarder, unreachable);
  const helper: NetworkHelper = isPasta
    ? pastaHelper({
        program: choice.program,
        subnet: address,
        ports,
        forwardDns: resolver.usesForwarder,
        hostUserNamespace: request.hostUserNamespace,
        hostUid: request.hostUid,
        options: mode.options,
      })
    : slirpHelper({
        program: choice.program,
        subnet,
        ipv6: host.hasDefaultRoute6,
        hostUserNamespace: request.hostUserNamespace,
        ports,
        socket: slirpSocket,
        options: mode.options,
      });
  return {
    namespace: { kind: 'new' },
    helper,
    files: {
      hosts: hostsFile({
        ip: givenAddress(mode.options) ?? address?.ip ?? '127.0.1.1',
        names: ownNames(request),
        extraHosts: request.extraHosts,
        hostGateway: hostAddress(host),
      }),
      resolvConf: resolver.text,
      hostname: `${request.hostname}\n`,
    },
    ports,
    sysctls: sysctls(request),
    address: inspectAddress(address),
    notes: [...choice.notes, ...resolver.notes, ...translatedUdp(ports, choice.kind, host)],
  };
}

function insideResolver(
  { dns, dnsSearch, dnsOptions }: NetworkRequest,
  host: HostNetwork,
  forwarder: string | undefined,
  unreachable: ReadonlySet<string>,
): Resolver {
  return resolvConfFile({
    host: parseResolvConf(host.resolvConf),
    upstream: host.upstreamResolvConf === undefined ? undefined : parseResolvConf(host.upstreamResolvConf),
    isUnreachable: (server) => isLoopback(server) || unreachable.has(server),
    ipv6: host.hasDefaultRoute6,
    ...{ forwarder, dns, dnsSearch, dnsOptions },
  });
}

function inspectAddress(subnet: Subnet | undefined): NetworkPlan['address'] {
  return subnet === undefined ? undefined : { ip: subnet.ip, prefix: subnet.prefix, gateway: subnet.gateway };
}

/** --network pasta:-a,ADDRESS */
function givenAddress(options: readonly string[]): string | undefined {
  const at = options.findIndex((option) => option === '-a' || option === '--address');
  return at < 0 ? undefined : options[at + 1];
}

/** pasta of 2023 loses what comes from the host's own loopback to a UDP port with another number inside. */
function translatedUdp(ports: readonly PublishedPort[], kind: string, host: HostNetwork): string[] {
  const lost = ports.filter((port) => port.protocol === 'udp' && port.hostPort !== port.containerPort);
  if (kind !== 'pasta' || lost.length === 0 || host.pastaIsModern()) return [];
  return lost.map(
    ({ hostPort, containerPort }) =>
      `udp port ${hostPort} → ${containerPort}: this version of pasta forwards it from other hosts, not from 127.0.0.1; use one number for both, or a newer passt`,
  );
}

/** As docker sets them: ports below 1024 and ping need no rights within a network of the container's own. */
function sysctls({ highestGid }: NetworkRequest): [string, string][] {
  return [
    ['net.ipv4.ip_unprivileged_port_start', '0'],
    ['net.ipv4.ping_group_range', `0 ${highestGid}`],
  ];
}

function ownNames({ hostname, containerName }: NetworkRequest): string[] {
  return containerName === '' ? [hostname] : [hostname, containerName];
}

function namesHost({ extraHosts }: NetworkRequest): boolean {
  return extraHosts.some((text) => text.endsWith('host-gateway'));
}

function wantsPorts({ publish, publishAll }: NetworkRequest): boolean {
  return publish.length > 0 || publishAll;
}
