// /etc/hosts of a container, by docker's rules. (pure)

import { EngineError } from '../core/errors.ts';
import { ipVersion } from './ip.ts';

export interface HostsInput {
  /** The container's address; undefined without a network of its own. */
  ip: string | undefined;
  /** Names of the container itself: hostname first. */
  names: readonly string[];
  /** --add-host */
  extraHosts: readonly string[];
  /** What `host-gateway` and host.docker.internal mean; undefined when the host has no address. */
  hostGateway: string | undefined;
  /** The host's file, copied for --network host. */
  base?: string | undefined;
}

const LOCALHOST = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** Docker Desktop's name, and podman's. */
const HOST_NAMES = ['host.docker.internal', 'host.containers.internal'];

/** @throws USAGE for a bad --add-host, HOST_MISSING for host-gateway where there is none */
export function hostsFile({ ip, names, extraHosts, hostGateway, base }: HostsInput): string {
  const extra = extraHosts.map((text) => parseExtraHost(text, hostGateway));
  const taken = new Set(extra.flatMap((entry) => entry.names));
  const hostNames = HOST_NAMES.filter((name) => !taken.has(name));
  const lines = extra.map((entry) => `${entry.ip}\t${entry.names.join(' ')}\n`);
  if (hostGateway !== undefined && hostNames.length > 0)
    lines.push(`${hostGateway}\t${hostNames.join(' ')}\n`);
  const own = ownNames(names);
  if (ip !== undefined && own.length > 0) lines.push(`${ip}\t${own.join(' ')}\n`);
  const start = base ?? LOCALHOST;
  return `${start}${start === '' || start.endsWith('\n') ? '' : '\n'}${lines.join('')}`;
}

/** A name with a domain answers to its first label too. */
function ownNames(names: readonly string[]): string[] {
  const all = names.flatMap((name) => [name, name.split('.')[0] as string]);
  return [...new Set(all)].filter((name) => name !== '' && name !== 'localhost');
}

/** `name:ip`, `name=ip`, podman's `a;b:ip`; an IPv6 address may stand in brackets. */
function parseExtraHost(text: string, hostGateway: string | undefined): { ip: string; names: string[] } {
  const bad = (why: string): EngineError =>
    new EngineError('USAGE', `--add-host ${JSON.stringify(text)}: ${why}`, {
      hint: 'the form is NAME:ADDRESS or NAME:host-gateway',
    });
  const match = /^([^:=]+)[:=](.+)$/s.exec(text);
  if (match === null) throw bad('bad format for add-host');
  const names = (match[1] as string).split(';');
  if (!names.every((name) => /^[A-Za-z0-9_.-]{1,253}$/.test(name))) throw bad('invalid host name');
  const address = (match[2] as string).replace(/^\[(.*)\]$/s, '$1');
  if (address === 'host-gateway') {
    if (hostGateway !== undefined) return { ip: hostGateway, names };
    throw new EngineError(
      'HOST_MISSING',
      `--add-host ${JSON.stringify(text)}: the host has no address a container could reach`,
      { hint: 'leave the option out, or give an address' },
    );
  }
  if (ipVersion(address) === 0) throw bad(`invalid IP address in add-host: ${address}`);
  return { ip: address, names };
}
