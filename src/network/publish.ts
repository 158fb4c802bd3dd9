// -p and -P: docker's port mappings. (pure)

import { EngineError } from '../core/errors.ts';
import { ipVersion } from './ip.ts';

export interface PortMapping {
  /** '' when none was given. */
  hostIp: string;
  /** Host ports to choose from: first = last for a fixed one, 0 for any free one. */
  hostFirst: number;
  hostLast: number;
  containerPort: number;
  protocol: 'tcp' | 'udp';
}

/**
 * `[[ip:][hostPort]:]containerPort[/tcp|udp]`, where ports may be ranges of equal length, or a range of host ports for one
 * container port (a free one is taken). IPv6 addresses stand in brackets.
 * @throws USAGE
 */
export function parsePublish(text: string): PortMapping[] {
  const bad = (why: string): EngineError =>
    new EngineError('USAGE', `-p ${JSON.stringify(text)}: ${why}`, {
      hint: 'the form is [HOST_IP:][HOST_PORT:]CONTAINER_PORT[/tcp|udp], ports may be ranges',
    });
  const slash = text.indexOf('/');
  const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1).toLowerCase();
  if (protocol === 'sctp') throw bad('sctp ports cannot be published by pasta or slirp4netns');
  if (protocol !== 'tcp' && protocol !== 'udp') throw bad(`invalid proto: ${protocol}`);
  const parts = (slash < 0 ? text : text.slice(0, slash)).split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const hostIp = parseHostIp(parts.join(':'));
  if (hostIp === undefined) throw bad(`invalid IP address: ${parts.join(':')}`);
  if (container === '') throw bad('no port specified');
  const inside = parseRange(container);
  if (inside === undefined) throw bad(`invalid container port: ${container}`);
  const outside: [number, number] | undefined = host === '' ? [0, 0] : parseRange(host, 0);
  if (outside === undefined) throw bad(`invalid host port: ${host}`);
  const [first, last] = inside;
  const [hostFirst, hostLast] = outside;
  const count = last - first + 1;
  if (hostFirst > 0 && count > 1 && hostLast - hostFirst + 1 !== count) {
    throw bad('the ranges of host and container ports have different lengths');
  }
  return Array.from({ length: count }, (_, i) => ({
    hostIp,
    hostFirst: hostFirst === 0 || count === 1 ? hostFirst : hostFirst + i,
    hostLast: hostFirst === 0 || count === 1 ? hostLast : hostFirst + i,
    containerPort: first + i,
    protocol,
  }));
}

/** -P: a free host port for each exposed one that no -p publishes. sctp is passed over: no helper can publish it. */
export function publishExposed(exposed: readonly string[], published: readonly PortMapping[]): PortMapping[] {
  const taken = new Set(published.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  return exposed.filter((port) => !taken.has(port) && !port.endsWith('/sctp')).flatMap(parsePublish);
}

/** '' for none; undefined when it is no address. */
function parseHostIp(text: string): string | undefined {
  if (text === '') return '';
  const address = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return ipVersion(address) === 0 ? undefined : address;
}

function parseRange(text: string, least = 1): [number, number] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  if (first < (match[2] === undefined ? least : 1) || last > 65_535 || last < first) return undefined;
  return [first, last];
}
