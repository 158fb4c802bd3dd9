// Ports of the host, tried by binding them before anything starts: what is taken or forbidden is said by name. Between
// this and the helper's own bind somebody else may be faster; the helper's error then says so.

import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { EngineError, errnoOf } from '../core/errors.ts';
import { findPortHolder } from './port-holder.ts';
import type { PortMapping } from './publish.ts';
import type { PublishedPort } from './types.ts';

/**
 * One host port for each mapping, in order; ranges and 0 get a free one, no port twice.
 * @throws USAGE for a port that is taken or needs rights, naming it
 */
export async function freePorts(mappings: readonly PortMapping[]): Promise<PublishedPort[]> {
  const published: PublishedPort[] = [];
  for (const mapping of mappings) published.push(await freePort(mapping, published));
  return published;
}

/** IPv4 alone unless asked: pasta accepts IPv6 also for a server that listens on IPv4, and then has to hang up. */
const ANY = '0.0.0.0';

async function freePort(mapping: PortMapping, taken: readonly PublishedPort[]): Promise<PublishedPort> {
  const { hostFirst, hostLast, containerPort, protocol } = mapping;
  const hostIp = mapping.hostIp === '' ? ANY : mapping.hostIp;
  const isOurs = (port: number): boolean =>
    taken.some(
      (other) => other.hostPort === port && other.protocol === protocol && overlaps(other.hostIp, hostIp),
    );
  let failure: unknown;
  for (let port = hostFirst; port <= hostLast; port++) {
    // A random one may be one we gave away already: ask again.
    for (let attempts = port === 0 ? 20 : 1; attempts > 0; attempts--) {
      try {
        const hostPort = await tryBind(hostIp, port, protocol);
        if (!isOurs(hostPort)) return { hostIp, hostPort, containerPort, protocol };
      } catch (error) {
        failure = error;
        break;
      }
    }
  }
  throw portError(mapping, hostIp, failure);
}

function overlaps(a: string, b: string): boolean {
  return a === b || a === ANY || b === ANY || a === '::' || b === '::';
}

async function tryBind(host: string, port: number, protocol: 'tcp' | 'udp'): Promise<number> {
  return await new Promise((resolve, reject) => {
    if (protocol === 'tcp') {
      const server = createServer();
      server.once('error', reject);
      server.listen({ host, port, exclusive: true, ipv6Only: true }, () => {
        const bound = (server.address() as { port: number }).port;
        server.close(() => {
          resolve(bound);
        });
      });
    } else {
      const socket = createSocket({
        type: host.includes(':') ? 'udp6' : 'udp4',
        ipv6Only: host.includes(':'),
      });
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address: host, port, exclusive: true }, () => {
        const bound = socket.address().port;
        socket.close(() => {
          resolve(bound);
        });
      });
    }
  });
}

/** What a failed bind means; `cause` undefined: one of our own ports. (reads /proc for a taken one) */
export function portError(
  { hostFirst, hostLast, protocol }: PortMapping,
  hostIp: string,
  cause: unknown,
): EngineError {
  const port = hostFirst === hostLast ? String(hostFirst) : `${hostFirst}-${hostLast}`;
  const what = `publishing port ${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:${port}/${protocol}`;
  switch (errnoOf(cause)) {
    case undefined:
      return new EngineError('USAGE', `${what}: published twice`, { hint: 'give each -p another host port' });
    case 'EADDRINUSE': {
      const holder = hostFirst === hostLast ? findPortHolder(hostFirst, protocol) : undefined;
      return new EngineError(
        'USAGE',
        `${what}: port is already allocated${holder === undefined ? '' : ` (by ${holder})`}`,
        {
          hint: `choose another host port, or leave it out to get a free one: -p ${hostIp === ANY ? '' : `${hostIp}:`}CONTAINER_PORT`,
          cause,
        },
      );
    }
    case 'EACCES':
    case 'EPERM':
      return new EngineError('USAGE', `${what}: ports below 1024 need rights that this user does not have`, {
        hint: `sudo sysctl net.ipv4.ip_unprivileged_port_start=${hostFirst}, or publish on 1024 and above`,
      });
    case 'EADDRNOTAVAIL':
      return new EngineError('USAGE', `${what}: no interface of this host has the address ${hostIp}`);
    default:
      return new EngineError('USAGE', `${what}: ${errnoOf(cause) ?? 'cannot be bound'}`);
  }
}
