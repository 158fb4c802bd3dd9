// IPv4 addresses of containers. Every container has the same one, in a network namespace of its own: what counts is that
// it collides with nothing the host can reach. (pure)

import type { HostNetwork } from './types.ts';

export interface Subnet {
  ip: string;
  gateway: string;
  /** slirp4netns answers DNS here. */
  dns: string;
  prefix: number;
  cidr: string;
}

/** Unlikely ones: not docker's, libvirt's, VirtualBox's or a home router's. */
const BASES = ['10.87.97', '172.29.87', '192.168.213'];

/** The first candidate that no route of the host touches, else the first. */
export function chooseSubnet({ routes4 }: Pick<HostNetwork, 'routes4'>): Subnet {
  const free = BASES.find((base) => {
    const network = toNumber(`${base}.0`);
    return routes4.every(([other, mask]) => {
      const common = (mask & 0xffff_ff00) >>> 0;
      return (network & common) >>> 0 !== (other & common) >>> 0;
    });
  });
  const base = free ?? BASES[0];
  return { ip: `${base}.100`, gateway: `${base}.2`, dns: `${base}.3`, prefix: 24, cidr: `${base}.0/24` };
}

export function toNumber(ip: string): number {
  return ip.split('.').reduce((value, byte) => value * 256 + Number(byte), 0);
}

/** The address by which a container reaches the host: that of the interface with the default route. */
export function hostAddress({ addresses, defaultIface4 }: HostNetwork): string | undefined {
  const usable = addresses.filter(({ linkLocal }) => !linkLocal);
  const v4 = usable.filter(({ family }) => family === 4);
  return (v4.find(({ iface }) => iface === defaultIface4) ?? v4[0] ?? usable[0])?.address;
}

export function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^::$|^0\.0\.0\.0$|^::ffff:127\./i.test(address);
}
