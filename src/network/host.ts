// Reads what planNetwork needs to know of the host. Each fact is read when it is first asked for: --network none reads
// almost nothing, and looking into pasta's binary is for the few cases where its age matters.

import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { errnoOf } from '../core/errors.ts';
import { readFileIfExists } from '../core/fs.ts';
import { parseRoutes4, parseRoutes6 } from './routes.ts';
import type { HostNetwork } from './types.ts';

/** env: for PATH. */
export function hostNetwork(env: Readonly<Record<string, string | undefined>>): HostNetwork {
  const routes4 = once(() => parseRoutes4(readFileIfExists('/proc/net/route') ?? ''));
  const pasta = once(() => findProgram('pasta', env['PATH']));
  const slirp4netns = once(() => findProgram('slirp4netns', env['PATH']));
  const addresses = once(readAddresses);
  const route6 = once(() => parseRoutes6(readFileIfExists('/proc/net/ipv6_route') ?? ''));
  const modern = once(() => pastaKnows('--map-host-loopback', pasta()));
  const read = (path: string): (() => string) => once(() => readFileIfExists(path) ?? '');
  const [resolvConf, hosts, osRelease] = [
    read('/etc/resolv.conf'),
    read('/etc/hosts'),
    read('/etc/os-release'),
  ];
  const upstream = once(() => readFileIfExists('/run/systemd/resolve/resolv.conf'));
  return {
    get addresses() {
      return addresses();
    },
    get defaultIface4() {
      return routes4().defaultIface;
    },
    get routes4() {
      return routes4().others;
    },
    get hasDefaultRoute6() {
      return route6();
    },
    get resolvConf() {
      return resolvConf();
    },
    get upstreamResolvConf() {
      return upstream();
    },
    get hosts() {
      return hosts();
    },
    get pasta() {
      return pasta();
    },
    get slirp4netns() {
      return slirp4netns();
    },
    get osRelease() {
      return osRelease();
    },
    pastaIsModern: modern,
    tunProblem,
  };
}

function once<T>(read: () => T): () => T {
  let value: { read: T } | undefined;
  return () => (value ??= { read: read() }).read;
}

/** Of PATH, then of where such programs live even when PATH does not say so (sbin for ordinary users, cron, CI). */
export function findProgram(name: string, path: string | undefined): string | undefined {
  const folders = [...(path ?? '').split(':').filter((folder) => folder.startsWith('/')), ...PROGRAM_FOLDERS];
  return folders.map((folder) => `${folder}/${name}`).find(isExecutableFile);
}

const PROGRAM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function isExecutableFile(path: string): boolean {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
  } catch {
    return false; // PATH of another user: a folder we may not enter
  }
}

/** Versions of pasta say "unknown version" or a date: what the binary spells out is more reliable, and costs no start. */
function pastaKnows(option: string, program: string | undefined): boolean {
  if (program === undefined) return false;
  try {
    return readFileSync(program).includes(option.slice(2));
  } catch {
    return false;
  }
}

function readAddresses(): HostNetwork['addresses'] {
  return Object.entries(networkInterfaces()).flatMap(([iface, list]) =>
    (list ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address, family }) => ({
        iface,
        address,
        family: family === 'IPv4' ? (4 as const) : (6 as const),
        linkLocal: /^fe[89ab]|^169\.254\./i.test(address),
      })),
  );
}

/** Opening is the only true test: modes, device cgroups and a missing module all show. Nothing is configured by it. */
export function tunProblem(): string | undefined {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? 'EIO';
  }
}
