// Arguments of pasta(1), and what its versions can do (docs/dev/network.md). (pure)

import type { NetworkHelper } from '../native/plan.ts';
import type { Subnet } from './address.ts';
import type { PublishedPort } from './types.ts';

/** Link-local, so that no host has it: pasta answers DNS here when told to. */
export const PASTA_DNS = '169.254.1.1';

export interface PastaInput {
  program: string;
  /** undefined: the host has no IPv4 route, pasta decides. */
  subnet: Subnet | undefined;
  ports: readonly PublishedPort[];
  forwardDns: boolean;
  hostUserNamespace: boolean;
  hostUid: number;
  /** --network pasta:OPTIONS, which replace ours. */
  options: readonly string[];
}

/** The option (either spelling) and what we say when the user does not. */
const DEFAULTS: readonly [spellings: readonly string[], args: readonly string[]][] = [
  [
    ['-I', '--ns-ifname'],
    ['-I', 'eth0'],
  ],
  [
    ['-t', '--tcp-ports'],
    ['-t', 'none'],
  ],
  [
    ['-u', '--udp-ports'],
    ['-u', 'none'],
  ],
  [
    ['-T', '--tcp-ns'],
    ['-T', 'none'],
  ],
  [
    ['-U', '--udp-ns'],
    ['-U', 'none'],
  ],
  // The gateway's address would be the host's loopback.
  [['--map-gw', '--no-map-gw'], ['--no-map-gw']],
];

export function pastaHelper(input: PastaInput): NetworkHelper {
  const { program, subnet, ports, forwardDns, hostUserNamespace, hostUid, options } = input;
  const published = [...portArgs('-t', ports, 'tcp'), ...portArgs('-u', ports, 'udp')];
  const said = [...published, ...options];
  const has = (spellings: readonly string[]): boolean =>
    spellings.some((spelling) => said.includes(spelling));
  const args = ['--config-net', '-q', '-f'];
  if (subnet !== undefined && !has(['-a', '--address'])) {
    args.push('-a', subnet.ip, '-n', String(subnet.prefix), '-g', subnet.gateway);
  }
  if (forwardDns && !has(['--dns-forward'])) args.push('--dns-forward', PASTA_DNS);
  for (const [spellings, ours] of DEFAULTS) if (!has(spellings)) args.push(...ours);
  args.push(...published, ...options.filter((option) => option !== '--map-gw'));
  args.push('-P', '/proc/self/fd/{ready-fd}');
  if (hostUid === 0) args.push('--runas', '0');
  // As root pasta gives up CAP_SYS_PTRACE first and may then not open another process's /proc/PID/ns.
  // The helper has entered the user namespace for it, and opened the other.
  if (hostUserNamespace) args.push('--no-netns-quit');
  args.push('--netns-only', '--netns', '{netns}');
  return { kind: 'pasta', program, args };
}

/** `-t 0.0.0.0/8000-8002:80-82`: runs of consecutive ports become one argument. */
function portArgs(flag: string, ports: readonly PublishedPort[], protocol: 'tcp' | 'udp'): string[] {
  const runs: { first: PublishedPort; count: number }[] = [];
  for (const port of ports.filter((each) => each.protocol === protocol)) {
    const last = runs.at(-1);
    if (
      last?.first.hostIp === port.hostIp &&
      last.first.hostPort + last.count === port.hostPort &&
      last.first.containerPort + last.count === port.containerPort
    ) {
      last.count++;
    } else {
      runs.push({ first: port, count: 1 });
    }
  }
  return runs.flatMap(({ first, count }) => [
    flag,
    `${first.hostIp}/${range(first.hostPort, count)}:${range(first.containerPort, count)}`,
  ]);
}

function range(first: number, count: number): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}
