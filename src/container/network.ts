// The network of a container: ContainerSpec → network/connect.ts → namespace, helper program and our three files.

import type { IdMap, NetworkHelper, NamespaceChoice } from '../native/plan.ts';
import { prepareNetwork, type ConnectParts } from '../network/connect.ts';
import type { ContainerId, ContainerSpec, PublishedPort } from '../runtime/spec.ts';

export interface Network {
  namespace: NamespaceChoice;
  helper: NetworkHelper | undefined;
  files: { target: string; content: string }[];
  ports: PublishedPort[];
  /** Of the new namespace; --sysctl wins over them. */
  sysctls: [name: string, value: string][];
  address: { ip: string; prefix: number; gateway: string } | undefined;
  notes: string[];
}

/** Decides; starts nothing. `joined`: whose namespace `container:` means. @throws USAGE, HOST_MISSING */
export async function connectNetwork(
  parts: ConnectParts & { hostUid: number },
  { id, name, config, network, idMap }: ContainerSpec,
  joined: { id: ContainerId; pid: number } | undefined,
): Promise<Network> {
  const plan = await prepareNetwork(parts, {
    id,
    mode: network.mode,
    containerName: name,
    hostname: config.hostname,
    publish: network.publish,
    publishAll: network.publishAll,
    exposedPorts: config.exposedPorts,
    dns: network.dns,
    dnsSearch: network.dnsSearch,
    dnsOptions: network.dnsOptions,
    extraHosts: network.extraHosts,
    hostUserNamespace: idMap === undefined,
    hostUid: parts.hostUid,
    highestGid: highestGid(idMap),
    ...(joined === undefined ? {} : { joined: { netns: `/proc/${joined.pid}/ns/net` } }),
  });
  const { hosts, resolvConf, hostname } = plan.files;
  return {
    ...plan,
    sysctls: plan.sysctls.map(([key, value]) => [key, key === PING ? pingGroups(idMap) : value]),
    files: [
      ...(network.manageHosts ? [{ target: '/etc/hosts', content: hosts }] : []),
      ...(network.manageHostname ? [{ target: '/etc/hostname', content: hostname }] : []),
      ...(network.dns.includes('none') ? [] : [{ target: '/etc/resolv.conf', content: resolvConf }]),
    ],
  };
}

const PING = 'net.ipv4.ping_group_range';

/** All groups of the container; both ends must exist in it, and 0 does not where keep-id has a single id to keep. */
function pingGroups(idMap: IdMap | undefined): string {
  const lowest = idMap === undefined ? 0 : Math.min(...idMap.gid.map(({ containerID }) => containerID));
  return `${lowest} ${highestGid(idMap)}`;
}

/** Highest container gid there is; the kernel takes no more than 2^31 - 1 in ping_group_range. */
function highestGid(idMap: IdMap | undefined): number {
  if (idMap === undefined) return 2 ** 31 - 1;
  return Math.max(...idMap.gid.map(({ containerID, size }) => containerID + size - 1));
}
