// /etc/hosts and /etc/resolv.conf of containers.

import type { HostsInput } from '../../../src/network/hosts.ts';
import type { ResolverInput } from '../../../src/network/resolv-conf.ts';

const HOST = '192.0.2.2\thost.docker.internal host.containers.internal';

export const HOSTS: { what: string; input: Partial<HostsInput>; lines: string[] }[] = [
  { what: 'the container and the host', input: {}, lines: [HOST, '10.0.0.2\tweb'] },
  {
    what: 'a name with a domain answers to its first label; names once',
    input: { names: ['web.example.org', 'web', 'box'] },
    lines: [HOST, '10.0.0.2\tweb.example.org web box'],
  },
  { what: 'localhost is nobody’s own name', input: { names: ['localhost'] }, lines: [HOST] },
  { what: 'a host without addresses', input: { hostGateway: undefined }, lines: ['10.0.0.2\tweb'] },
  {
    what: '--add-host in its spellings, in order, before our own',
    input: { extraHosts: ['a:1.2.3.4', 'b=::1', 'c:[::2]', 'd;e:5.6.7.8', 'a:1.2.3.5', 'f:fe80::1'] },
    lines: [
      '1.2.3.4\ta',
      '::1\tb',
      '::2\tc',
      '5.6.7.8\td e',
      '1.2.3.5\ta',
      'fe80::1\tf',
      HOST,
      '10.0.0.2\tweb',
    ],
  },
  {
    what: 'host-gateway, and a name of ours that the user takes',
    input: { extraHosts: ['host.docker.internal:host-gateway', 'db:host-gateway'] },
    lines: [
      '192.0.2.2\thost.docker.internal',
      '192.0.2.2\tdb',
      '192.0.2.2\thost.containers.internal',
      '10.0.0.2\tweb',
    ],
  },
  {
    what: '--network host: the host’s file, then ours',
    input: {
      base: '127.0.0.1 localhost',
      ip: undefined,
      names: [],
      hostGateway: '127.0.0.1',
      extraHosts: ['a:1.2.3.4'],
    },
    lines: ['127.0.0.1 localhost', '1.2.3.4\ta', '127.0.0.1\thost.docker.internal host.containers.internal'],
  },
];

export const BAD_HOSTS = [
  { text: 'a', message: 'bad format for add-host' },
  { text: ':1.2.3.4', message: 'bad format for add-host' },
  { text: 'a:', message: 'bad format for add-host' },
  { text: 'a:b', message: 'invalid IP address in add-host: b' },
  { text: 'a b:1.2.3.4', message: 'invalid host name' },
  { text: 'a\nb:1.2.3.4', message: 'invalid host name' },
  { text: 'a:1.2.3.4\n6.6.6.6 bank', message: 'invalid IP address' },
  { text: 'a:host-gateway', message: 'the host has no address a container could reach' },
];

interface ResolverCase {
  what: string;
  host: string;
  upstream?: string;
  given?: Partial<ResolverInput>;
  text: string;
  forwards: boolean;
  notes?: number;
}

const STUB = 'nameserver 127.0.0.53\nsearch corp\noptions edns0 trust-ad\n';

export const RESOLVERS: ResolverCase[] = [
  {
    what: 'servers that can be reached stay as they are',
    host: 'nameserver 10.1.1.1\nnameserver 10.1.1.2\nsearch a b\noptions ndots:2\n',
    text: 'nameserver 10.1.1.1\nnameserver 10.1.1.2\nsearch a b\noptions ndots:2\n',
    forwards: false,
  },
  {
    what: 'a stub on the loopback is asked through the helper, its servers come after',
    host: STUB,
    upstream: 'nameserver 10.1.1.1\n',
    text: 'nameserver 169.254.1.1\nnameserver 10.1.1.1\nsearch corp\noptions edns0 trust-ad\n',
    forwards: true,
  },
  {
    what: 'a helper that cannot forward leaves the servers behind the stub',
    host: STUB,
    upstream: 'nameserver 10.1.1.1\n',
    given: { forwarder: undefined },
    text: 'nameserver 10.1.1.1\nsearch corp\noptions edns0 trust-ad\n',
    forwards: false,
  },
  {
    what: 'a resolver on the host’s own address is like one on the loopback',
    host: 'nameserver 192.0.2.2\n',
    text: 'nameserver 169.254.1.1\n',
    forwards: true,
  },
  {
    what: 'a loopback server behind a real one is left out',
    host: 'nameserver 10.1.1.1\nnameserver 127.0.0.1\n',
    text: 'nameserver 10.1.1.1\n',
    forwards: false,
  },
  {
    what: 'zones of host interfaces and IPv6 without a route are left out',
    host: 'nameserver 10.1.1.1\nnameserver fe80::1%eth0\nnameserver 2001:db8::1\n',
    given: { ipv6: false },
    text: 'nameserver 10.1.1.1\n',
    forwards: false,
  },
  {
    what: 'never more than three',
    host: STUB,
    upstream: 'nameserver 10.1.1.1\nnameserver 10.1.1.2\nnameserver 10.1.1.3\n',
    text: 'nameserver 169.254.1.1\nnameserver 10.1.1.1\nnameserver 10.1.1.2\nsearch corp\noptions edns0 trust-ad\n',
    forwards: true,
  },
  {
    what: '--dns replaces servers alone',
    host: STUB,
    given: { dns: ['9.9.9.9', '::9'] },
    text: 'nameserver 9.9.9.9\nnameserver ::9\nsearch corp\noptions edns0 trust-ad\n',
    forwards: false,
  },
  {
    what: '--dns-search and --dns-option replace their lines; "." means none',
    host: STUB,
    given: { dnsSearch: ['.'], dnsOptions: ['ndots:5'] },
    text: 'nameserver 169.254.1.1\noptions ndots:5\n',
    forwards: true,
  },
  { what: 'a host without servers', host: '', text: '', forwards: false, notes: 1 },
  {
    what: 'servers that nobody can reach',
    host: 'nameserver 127.0.0.53\n',
    given: { forwarder: undefined },
    text: '',
    forwards: false,
    notes: 1,
  },
];
