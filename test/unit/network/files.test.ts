import { describe, expect, it } from 'vitest';
import { hostsFile } from '../../../src/network/hosts.ts';
import { parseResolvConf, resolvConfFile, type ResolverInput } from '../../../src/network/resolv-conf.ts';
import { BAD_HOSTS, HOSTS, RESOLVERS } from './files.cases.ts';

const LOCAL = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

describe('hostsFile', () => {
  it.each(HOSTS)('$what', ({ input, lines }) => {
    const base = { ip: '10.0.0.2', names: ['web'], extraHosts: [], hostGateway: '192.0.2.2' };
    expect(hostsFile({ ...base, ...input })).toBe(
      `${input.base === undefined ? LOCAL : ''}${lines.map((line) => `${line}\n`).join('')}`,
    );
  });

  it.each(BAD_HOSTS)('refuses $text', ({ text, message }) => {
    expect(() => hostsFile({ ip: undefined, names: [], extraHosts: [text], hostGateway: undefined })).toThrow(
      `--add-host ${JSON.stringify(text)}: ${message}`,
    );
  });
});

describe('parseResolvConf', () => {
  it('reads what resolv.conf(5) says', () => {
    const text = `# comment\nnameserver 1.1.1.1 # first\n  nameserver\t::1\nsearch a b\ndomain c\noptions ndots:2 edns0
options rotate\n;x\nnameserver\n`;
    expect(parseResolvConf(text)).toEqual({
      nameservers: ['1.1.1.1', '::1'],
      search: ['c'],
      options: ['ndots:2', 'edns0', 'rotate'],
    });
  });
});

describe('resolvConfFile', () => {
  it.each(RESOLVERS)('$what', ({ host, upstream, given, text, forwards, notes = 0 }) => {
    const input: ResolverInput = {
      host: parseResolvConf(host),
      upstream: upstream === undefined ? undefined : parseResolvConf(upstream),
      isUnreachable: (server) => server.startsWith('127.') || server === '::1' || server === '192.0.2.2',
      ipv6: true,
      forwarder: '169.254.1.1',
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      ...given,
    };
    const resolver = resolvConfFile(input);
    expect(resolver.text).toBe(text);
    expect(resolver.usesForwarder).toBe(forwards);
    expect(resolver.notes).toHaveLength(notes);
  });

  it('refuses a --dns that is no address', () => {
    const input = { host: parseResolvConf(''), upstream: undefined, isUnreachable: () => false, ipv6: true };
    expect(() =>
      resolvConfFile({ ...input, forwarder: undefined, dns: ['ns1'], dnsSearch: [], dnsOptions: [] }),
    ).toThrow('--dns "ns1": not an IP address');
  });
});
