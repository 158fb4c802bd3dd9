// Programs, device and settings that connect containers to the network.

import { readFileIfExists } from '../../core/fs.ts';
import { installCommand } from '../../core/package-manager.ts';
import { tunMend } from '../../network/choose-helper.ts';
import { hostNetwork } from '../../network/host.ts';
import type { HostNetwork } from '../../network/types.ts';
import { sudo, type DoctorParts, type Finding } from './types.ts';

export function checkNetwork(parts: DoctorParts): Finding[] {
  const host = hostNetwork(parts.env);
  return [
    describeTun(parts, host.tunProblem()),
    describePrograms(parts, host),
    describePorts(parts, readFileIfExists('/proc/sys/net/ipv4/ip_unprivileged_port_start')),
    describePing(parts, readFileIfExists('/proc/sys/net/ipv4/ping_group_range')),
  ];
}

/** (pure) */
export function describeTun({ hostUid }: Pick<DoctorParts, 'hostUid'>, errno: string | undefined): Finding {
  if (errno === undefined) return { id: 'tun', status: 'ok', summary: '/dev/net/tun could be opened' };
  const { cause, mend } = tunMend(errno, hostUid === 0);
  return {
    id: 'tun',
    status: 'warn',
    summary: `/dev/net/tun ${cause}: containers have --network host and none alone`,
    mend: { command: mend, changes: 'makes the device usable, until the next boot' },
  };
}

/** (pure) */
export function describePrograms(
  { hostUid }: Pick<DoctorParts, 'hostUid'>,
  {
    pasta,
    slirp4netns,
    pastaIsModern,
    osRelease,
  }: Pick<HostNetwork, 'pasta' | 'slirp4netns' | 'pastaIsModern' | 'osRelease'>,
): Finding {
  const id = 'network-program';
  const mend = { command: installCommand('pasta', osRelease, hostUid === 0), changes: 'installs pasta' };
  if (pasta === undefined && slirp4netns === undefined) {
    return {
      id,
      status: 'warn',
      summary: 'neither pasta nor slirp4netns is installed: containers have --network host and none alone',
      mend,
    };
  }
  if (pasta === undefined) {
    return {
      id,
      status: 'note',
      summary: `${slirp4netns} is used; pasta would be faster and keep client addresses`,
      mend,
    };
  }
  if (!pastaIsModern()) {
    return {
      id,
      status: 'note',
      summary: `${pasta} is older than 2024: a UDP port published under another number is not reachable from 127.0.0.1, and on some kernels a published server that speaks first (ssh, smtp, mysql) is not reachable from other hosts; a container that connects to a closed port of the host waits instead of being refused`,
    };
  }
  return { id, status: 'ok', summary: `${pasta} connects containers to the network` };
}

/** (pure) */
export function describePorts(parts: Pick<DoctorParts, 'hostUid'>, start: string | undefined): Finding {
  const first = Number(start ?? '1024');
  if (parts.hostUid === 0 || first <= 80) {
    return { id: 'low-ports', status: 'ok', summary: 'ports below 1024 can be published' };
  }
  return {
    id: 'low-ports',
    status: 'note',
    summary: `ports below ${first} cannot be published`,
    mend: {
      command: sudo(parts, 'sysctl net.ipv4.ip_unprivileged_port_start=80'),
      changes: 'lets every user listen on port 80 and above, until the next boot',
    },
  };
}

/** pasta and slirp4netns send pings by the host's unprivileged ICMP sockets. (pure) */
export function describePing(parts: Pick<DoctorParts, 'hostUid'>, range: string | undefined): Finding {
  const [first, last] = (range ?? '1 0').trim().split(/\s+/).map(Number);
  if (first !== undefined && last !== undefined && first <= last) {
    return { id: 'ping', status: 'ok', summary: 'containers can ping other hosts' };
  }
  return {
    id: 'ping',
    status: 'note',
    summary: 'containers cannot ping other hosts: net.ipv4.ping_group_range of the host is empty',
    mend: {
      command: sudo(parts, "sysctl 'net.ipv4.ping_group_range=0 2147483647'"),
      changes: 'lets every user send pings, until the next boot',
    },
  };
}
