// /etc/resolv.conf of a container: the host's, less what cannot work inside. (pure)

import { EngineError } from '../core/errors.ts';
import { ipVersion } from './ip.ts';

export interface ResolvConf {
  nameservers: string[];
  search: string[];
  options: string[];
}

/** resolv.conf(5): the last `search` or `domain` wins; `#` and `;` begin comments. */
export function parseResolvConf(text: string): ResolvConf {
  const conf: ResolvConf = { nameservers: [], search: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) conf.nameservers.push(values[0]);
    else if (keyword === 'search' || keyword === 'domain') conf.search = values;
    else if (keyword === 'options') conf.options.push(...values);
  }
  return conf;
}

export interface ResolverInput {
  host: ResolvConf;
  /** Behind the host's stub, if there is one. */
  upstream: ResolvConf | undefined;
  /** Addresses that mean the container itself, or nobody, when used inside: the host's own. */
  isUnreachable: (server: string) => boolean;
  /** Whether IPv6 servers can be reached. */
  ipv6: boolean;
  /** Address that the helper forwards to the host's first resolver; undefined when it cannot. */
  forwarder: string | undefined;
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
}

export interface Resolver {
  text: string;
  /** The helper must forward `forwarder`. */
  usesForwarder: boolean;
  notes: string[];
}

/** glibc's MAXNS */
const MAX_SERVERS = 3;

/**
 * Each of --dns, --dns-search and --dns-option replaces what the host has. A host whose first resolver listens on the
 * loopback (systemd-resolved, dnsmasq) is asked through the helper, so that split DNS keeps working.
 * @throws USAGE for a --dns that is no address
 */
export function resolvConfFile(input: ResolverInput): Resolver {
  const { host, upstream, forwarder, dns, dnsSearch, dnsOptions } = input;
  const bad = dns.find((server) => ipVersion(server) === 0 && server !== 'none');
  if (bad !== undefined) {
    throw new EngineError('USAGE', `--dns ${JSON.stringify(bad)}: not an IP address`);
  }
  let servers = dns.filter((server) => server !== 'none');
  let usesForwarder = false;
  const notes: string[] = [];
  if (dns.length === 0) {
    const direct = [...host.nameservers, ...(upstream?.nameservers ?? [])].filter((server) =>
      works(server, input),
    );
    const first = host.nameservers[0];
    usesForwarder = forwarder !== undefined && first !== undefined && input.isUnreachable(first);
    servers = [...new Set([...(usesForwarder ? [forwarder as string] : []), ...direct])].slice(
      0,
      MAX_SERVERS,
    );
    if (servers.length === 0) {
      notes.push(
        host.nameservers.length === 0
          ? 'names are not resolved in the container: the host has no nameserver in /etc/resolv.conf (give one with --dns)'
          : `names are not resolved in the container: the host's nameserver ${host.nameservers.join(', ')} cannot be reached from it (give one with --dns)`,
      );
    }
  }
  const search = dnsSearch.length > 0 ? dnsSearch.filter((domain) => domain !== '.') : host.search;
  return {
    text: format(servers, search, dnsOptions.length > 0 ? dnsOptions : host.options),
    usesForwarder,
    notes,
  };
}

/** Without a network: nothing to ask unless --dns says so. A program then fails at once and does not wait. */
export function isolatedResolvConf({
  dns,
  dnsSearch,
  dnsOptions,
}: Pick<ResolverInput, 'dns' | 'dnsSearch' | 'dnsOptions'>): string {
  return format(dns, dnsSearch, dnsOptions);
}

function works(server: string, { isUnreachable, ipv6 }: ResolverInput): boolean {
  // A zone (fe80::1%eth0) names an interface of the host.
  if (server.includes('%')) return false;
  const version = ipVersion(server);
  return version !== 0 && (version === 4 || ipv6) && !isUnreachable(server);
}

function format(servers: readonly string[], search: readonly string[], options: readonly string[]): string {
  const lines = servers.map((server) => `nameserver ${server}\n`);
  if (search.length > 0) lines.push(`search ${search.join(' ')}\n`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}\n`);
  return lines.join('');
}
