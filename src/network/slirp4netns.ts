// Arguments of slirp4netns(1). Ports are published by requests to its control socket once it runs. (pure)

import { EngineError } from '../core/errors.ts';
import type { NetworkHelper } from '../native/plan.ts';
import type { Subnet } from './address.ts';
import type { PublishedPort } from './types.ts';

export interface SlirpInput {
  program: string;
  subnet: Subnet;
  ipv6: boolean;
  hostUserNamespace: boolean;
  ports: readonly PublishedPort[];
  /** Absolute path for the control socket; short (sun_path). */
  socket: string;
  /** --network slirp4netns:OPTIONS */
  options: readonly string[];
}

export function slirpHelper(input: SlirpInput): NetworkHelper {
  const { program, subnet, ipv6, hostUserNamespace, ports, socket, options } = input;
  const chosen = parseOptions(options);
  const args = ['-c', '-m', chosen.mtu ?? '65520', `--cidr=${subnet.cidr}`];
  if (!chosen.allowHostLoopback) args.push('--disable-host-loopback');
  if (chosen.ipv6 ?? ipv6) args.push('-6');
  if (ports.length > 0) args.push('-a', socket);
  // By path: it may not look at the namespaces of a container that cannot be dumped.
  if (!hostUserNamespace) args.push('--userns-path={userns}');
  args.push('--netns-type=path', '-r', '{ready-fd}', '{netns}', 'eth0');
  return {
    kind: 'slirp4netns',
    program,
    args,
    ...(ports.length > 0 ? { api: { socket, requests: ports.map(request) } } : {}),
  };
}

function request({ protocol, hostIp, hostPort, containerPort }: PublishedPort): string {
  return JSON.stringify({
    execute: 'add_hostfwd',
    arguments: { proto: protocol, host_addr: hostIp, host_port: hostPort, guest_port: containerPort },
  });
}

interface Options {
  allowHostLoopback: boolean;
  ipv6: boolean | undefined;
  mtu: string | undefined;
}

/** podman's names. @throws USAGE */
function parseOptions(options: readonly string[]): Options {
  const chosen: Options = { allowHostLoopback: false, ipv6: undefined, mtu: undefined };
  for (const option of options) {
    const equals = option.indexOf('=');
    const [name, value] = equals < 0 ? [option, ''] : [option.slice(0, equals), option.slice(equals + 1)];
    if (name === 'allow_host_loopback' && isBoolean(value)) chosen.allowHostLoopback = value === 'true';
    else if (name === 'enable_ipv6' && isBoolean(value)) chosen.ipv6 = value === 'true';
    else if (name === 'mtu' && /^\d{2,5}$/.test(value)) chosen.mtu = value;
    else {
      throw new EngineError('USAGE', `--network slirp4netns: unknown option ${JSON.stringify(option)}`, {
        hint: 'known are allow_host_loopback=true|false, enable_ipv6=true|false and mtu=NUMBER',
      });
    }
  }
  return chosen;
}

function isBoolean(value: string): boolean {
  return value === 'true' || value === 'false';
}
