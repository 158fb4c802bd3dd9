// `port`: what a running container publishes. (pure)

import { EngineError } from '../core/errors.ts';
import type { ContainerSpec, PublishedPort } from '../runtime/spec.ts';

/** Lines as docker prints them: all mappings, or the host addresses of one port (`80`, `53/udp`). @throws USAGE */
export function portLines({ name, network }: ContainerSpec, wanted: string | undefined): string[] {
  if (wanted === undefined) {
    return network.ports.map((port) => `${port.containerPort}/${port.protocol} -> ${address(port)}`);
  }
  const match = /^(\d{1,5})(?:\/(tcp|udp))?$/i.exec(wanted);
  if (match === null)
    throw new EngineError('USAGE', `port ${JSON.stringify(wanted)}: invalid port, expected PORT[/tcp|udp]`);
  const number = Number(match[1]);
  const protocol = (match[2] ?? 'tcp').toLowerCase();
  const found = network.ports.filter((port) => port.containerPort === number && port.protocol === protocol);
  if (found.length > 0) return found.map(address);
  throw new EngineError('CONTAINER_STATE', `no public port '${number}/${protocol}' published for ${name}`, {
    exitCode: 1,
  });
}

function address({ hostIp, hostPort }: PublishedPort): string {
  const ip = hostIp === '' ? '0.0.0.0' : hostIp.includes(':') ? `[${hostIp}]` : hostIp;
  return `${ip}:${hostPort}`;
}
