// What the network of a container is planned from and into. (pure)

import type { NamespaceChoice, NetworkHelper } from '../native/plan.ts';

export interface PublishedPort {
  hostIp: string;
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp';
}

export interface NetworkRequest {
  /** Of the container: names the control socket of slirp4netns. */
  id: string;
  /** --network as typed; `container:ID` with `joined` set. */
  mode: string;
  containerName: string;
  hostname: string;
  /** -p texts. */
  publish: readonly string[];
  /** -P */
  publishAll: boolean;
  /** `80/tcp`, one entry a port: image and --expose. */
  exposedPorts: readonly string[];
  /** Addresses; podman's `none`: no /etc/resolv.conf of ours. */
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
  /** --add-host texts. */
  extraHosts: readonly string[];
  /** Real root without a user namespace: the network namespace belongs to the host's. */
  hostUserNamespace: boolean;
  hostUid: number;
  /** The highest group id of the container, for ping_group_range. */
  highestGid: number;
  /** mode `container:`: path of the namespace to join. hostname, dns and hosts are then those of that container. */
  joined?: { netns: string };
}

/** Facts of the host, read by host.ts. */
export interface HostNetwork {
  /** With prefix length; loopback left out. */
  addresses: { iface: string; address: string; family: 4 | 6; linkLocal: boolean }[];
  /** Interface of the IPv4 default route. */
  defaultIface4: string | undefined;
  hasDefaultRoute6: boolean;
  /** IPv4 routes other than the default, as [network, mask] in host byte order. */
  routes4: [network: number, mask: number][];
  resolvConf: string;
  /** /run/systemd/resolve/resolv.conf: the servers behind a stub on the loopback. */
  upstreamResolvConf: string | undefined;
  hosts: string;
  /** Absolute paths. */
  pasta: string | undefined;
  slirp4netns: string | undefined;
  /** pasta of 2024 or newer; undefined when it was not looked at. */
  pastaIsModern: () => boolean;
  /** Why /dev/net/tun cannot be used: an errno name. */
  tunProblem: () => string | undefined;
  /** /etc/os-release, to name the right package manager. */
  osRelease: string;
}

export interface NetworkPlan {
  namespace: NamespaceChoice;
  helper: NetworkHelper | undefined;
  files: { hosts: string; resolvConf: string; hostname: string };
  ports: PublishedPort[];
  /** For the new namespace; --sysctl wins over them. */
  sysctls: [name: string, value: string][];
  /** IPv4 address and gateway of the container, for `inspect`. */
  address: { ip: string; prefix: number; gateway: string } | undefined;
  notes: string[];
}
