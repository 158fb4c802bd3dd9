import * as net from 'node:net';
import { describe, expect, it } from 'vitest';
import { chooseSubnet } from '../../../src/network/address.ts';
import { ipVersion } from '../../../src/network/ip.ts';
import { parseNetworkMode } from '../../../src/network/mode.ts';
import { socketInodes } from '../../../src/network/port-holder.ts';
import { parseRoutes4, parseRoutes6 } from '../../../src/network/routes.ts';

describe('ipVersion', () => {
  it.each([
    ...[
      '1.2.3.4',
      '0.0.0.0',
      '255.255.255.255',
      '256.1.1.1',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.4 ',
      '',
      '.',
    ],
    ...[
      '::',
      '::1',
      '1::',
      '1:2:3:4:5:6:7:8',
      '1:2:3:4:5:6:7::',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
      ':::',
      ':1',
      '1:',
    ],
    ...[
      'fe80::1%eth0',
      'fe80::1%',
      '::ffff:1.2.3.4',
      '1.2.3.4::',
      '12345::',
      'g::',
      '1:2:3:4:5:6:1.2.3.4',
      '::1.2.3',
    ],
    ...['1:2:3:4:5:6:7:1.2.3.4', 'localhost', '10.0.0.1/8', '::1/128', '1:2:3:4:5:6:7:8::'],
  ])('"%s" is what node:net says', (text) => {
    expect(ipVersion(text)).toBe(net.isIP(text));
  });
});

describe('parseNetworkMode', () => {
  it.each([
    ['', { kind: 'private', helper: 'any', options: [] }],
    ['default', { kind: 'private', helper: 'any', options: [] }],
    ['bridge', { kind: 'private', helper: 'any', options: [] }],
    ['private', { kind: 'private', helper: 'any', options: [] }],
    ['pasta', { kind: 'private', helper: 'pasta', options: [] }],
    ['pasta:-T,5432,--map-gw', { kind: 'private', helper: 'pasta', options: ['-T', '5432', '--map-gw'] }],
    ['slirp4netns:mtu=1500', { kind: 'private', helper: 'slirp4netns', options: ['mtu=1500'] }],
    ['host', { kind: 'host' }],
    ['none', { kind: 'none' }],
    ['container:web', { kind: 'container', reference: 'web' }],
    ['ns:/run/netns/a', { kind: 'path', path: '/run/netns/a' }],
  ])('%s', (text, mode) => {
    expect(parseNetworkMode(text)).toEqual(mode);
  });

  it.each(
    ['mynet', 'host:x', 'none:', 'container:', 'ns:relative', 'Host', 'bridge:x'].filter(
      (text) => text !== 'none:',
    ),
  )('refuses %s', (text) => {
    expect(() => parseNetworkMode(text)).toThrow(`--network "${text}": `);
  });

  it('says of a name that such a network does not exist', () => {
    expect(() => parseNetworkMode('mynet')).toThrow('--network "mynet": network not found');
  });
});

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
tun0	0000000A	00000000	0001	0	0	0	000000FF	0	0	0
*	000010AC	00000000	0200	0	0	0	0000F0FF	0	0	0
`;

describe('routes', () => {
  it('finds the default with the least metric, and the others', () => {
    expect(parseRoutes4(ROUTES)).toEqual({
      defaultIface: 'eth0',
      others: [
        [0xc0000200, 0xffffff00],
        [0x0a000000, 0xff000000],
      ],
    });
    expect(parseRoutes4('')).toEqual({ defaultIface: undefined, others: [] });
    expect(parseRoutes4('Iface\nbroken line\n')).toEqual({ defaultIface: undefined, others: [] });
  });

  it('tells a real IPv6 default route from the kernel’s reject route', () => {
    const zero = '0'.repeat(32);
    const line = (flags: string, iface: string): string =>
      `${zero} 00 ${zero} 00 fd000000000000000000000000000001 00000400 00000001 00000000 ${flags} ${iface}\n`;
    expect(parseRoutes6(line('00000003', 'eth0'))).toBe(true);
    expect(parseRoutes6(line('00200200', 'lo'))).toBe(false);
    expect(parseRoutes6(line('00000203', 'eth0'))).toBe(false);
    expect(parseRoutes6('')).toBe(false);
  });
});

describe('chooseSubnet', () => {
  it('keeps away from the routes of the host', () => {
    expect(chooseSubnet({ routes4: [] }).cidr).toBe('10.87.97.0/24');
    expect(chooseSubnet({ routes4: parseRoutes4(ROUTES).others }).cidr).toBe('172.29.87.0/24');
    expect(chooseSubnet({ routes4: [[0x0a576180, 0xffffff80]] }).cidr).toBe('172.29.87.0/24');
    const all: [number, number][] = [
      [0x0a000000, 0xff000000],
      [0xac100000, 0xfff00000],
      [0xc0a80000, 0xffff0000],
    ];
    expect(chooseSubnet({ routes4: all }).cidr).toBe('10.87.97.0/24');
  });
});

describe('socketInodes', () => {
  it('takes listening and unconnected sockets of that port', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 4242 1
   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1001        0 4243 1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1
`;
    expect(socketInodes(table, 8080)).toEqual(['socket:[4242]']);
    expect(socketInodes(table, 80)).toEqual(['socket:[4244]']);
    expect(socketInodes(table, 81)).toEqual([]);
  });
});
