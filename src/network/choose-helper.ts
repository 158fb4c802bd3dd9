// Which program connects a container: pasta, else slirp4netns, else an error that says how to get one. (pure)

import { EngineError } from '../core/errors.ts';
import { installCommand } from '../core/package-manager.ts';
import type { NetworkMode } from './mode.ts';
import type { HostNetwork } from './types.ts';

export type HelperChoice =
  | { kind: 'pasta' | 'slirp4netns'; program: string; notes: string[] }
  /** Nothing to connect to. */
  | { kind: 'none'; notes: string[] };

const WITHOUT = 'or choose --network host or --network none';

/** @throws HOST_MISSING */
export function chooseHelper(
  { helper }: Extract<NetworkMode, { kind: 'private' }>,
  host: HostNetwork,
  asRoot: boolean,
): HelperChoice {
  const wanted = helper === 'any' ? (['pasta', 'slirp4netns'] as const) : [helper];
  const found = wanted.flatMap((kind) => {
    const program = host[kind];
    return program === undefined ? [] : [{ kind, program, notes: [] }];
  });
  const [first] = found;
  if (first === undefined) {
    throw new EngineError(
      'HOST_MISSING',
      `connecting the container to the network: ${helper === 'any' ? 'neither pasta nor slirp4netns is' : `${helper} is not`} installed`,
      { hint: `${installCommand(wanted[0], host.osRelease, asRoot)}, ${WITHOUT}` },
    );
  }
  const problem = host.tunProblem();
  if (problem !== undefined) throw tunError(problem, asRoot);
  const hasRoute = host.defaultIface4 !== undefined || host.hasDefaultRoute6;
  if (hasRoute || first.kind !== 'pasta' || host.pastaIsModern()) return first;
  // pasta of 2023 does not start on a host without a default route; slirp4netns does.
  const other = found[1];
  if (other !== undefined) return other;
  if (helper === 'pasta') return first;
  return {
    kind: 'none',
    notes: ['the host has no default route, so the container has a loopback alone'],
  };
}

/** errno of opening /dev/net/tun, as an error with its mend. */
export function tunError(errno: string, asRoot: boolean): EngineError {
  const { cause, mend } = tunMend(errno, asRoot);
  return new EngineError('HOST_MISSING', `connecting the container to the network: /dev/net/tun ${cause}`, {
    hint: `${mend}, ${WITHOUT}`,
  });
}

/** Also what `doctor` says. */
export function tunMend(errno: string, asRoot: boolean): { cause: string; mend: string } {
  const sudo = asRoot ? '' : 'sudo ';
  switch (errno) {
    case 'ENOENT':
      return {
        cause: 'does not exist',
        mend: `${sudo}modprobe tun (within another container: start that one with --device /dev/net/tun)`,
      };
    case 'EACCES':
      return { cause: 'may not be opened (EACCES)', mend: `${sudo}chmod 0666 /dev/net/tun` };
    case 'EPERM':
      return {
        cause: 'may not be opened (EPERM): this container or service is not allowed the device',
        mend: 'start the outer container with --device /dev/net/tun',
      };
    case 'ENODEV':
    case 'ENXIO':
      return { cause: 'has no driver', mend: `${sudo}modprobe tun` };
    default:
      return { cause: `cannot be opened (${errno})`, mend: `${sudo}modprobe tun` };
  }
}
