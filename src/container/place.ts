// A decided container and the host as it is now: network, seccomp filter, sources of binds. Done at each start; what can
// change from one to the next (ports, addresses) is written back into the spec.

import { capabilityMask, capabilityNames, maskOf } from '../runtime/capabilities.ts';
import { chooseSeccomp } from '../runtime/seccomp/choose.ts';
import type { HelperPlan } from '../native/plan.ts';
import type { ConnectParts } from '../network/connect.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import { lowerUlimits } from '../runtime/ulimits.ts';
import type { StoreRoot } from '../store/layout.ts';
import { lookAtSources, type BindSources } from './configure/bind-sources.ts';
import { ownCapabilities } from '../runtime/own-capabilities.ts';
import { ownLimits, ownOomScore } from './configure/inputs.ts';
import { carriedOut, type JoinChoice } from './configure/join.ts';
import type { PlacedLimits } from './configure/limits.ts';
import { connectNetwork, type Network } from './network.ts';

export interface Placement {
  sources: BindSources;
  network: Network;
  seccomp: HelperPlan['process']['seccomp'];
  /** Our own capabilities, asked for only where they are the limit: as root without a user namespace. */
  available: bigint | undefined;
  /** Undefined: no limit was asked for, and no monitor wants to look at the group. */
  limits: PlacedLimits | undefined;
  notes: string[];
}

export interface PlaceOptions {
  /** Whose namespaces `container:` means. */
  joined: JoinChoice['joined'] | undefined;
  /** A monitor will keep it. */
  monitored: boolean;
}

/** Looks and chooses; makes nothing. @throws USAGE, HOST_MISSING */
export async function placeContainer(
  parts: ConnectParts & { paths: StoreRoot; hostUid: number },
  spec: ContainerSpec,
  { joined, monitored }: PlaceOptions,
): Promise<Placement> {
  await checkLogDriver(spec);
  const network = await connectNetwork(parts, carriedOut(parts.paths, spec), joined);
  spec.network.ports = network.ports;
  spec.network.address = network.address;
  const notes = [...raiseOomScore(parts.hostUid, spec), ...withinLimits(parts.hostUid, spec)];
  const available = spec.idMap === undefined ? ownCapabilities() : undefined;
  const { limits, lines } = await limitsOf(parts.hostUid, spec, monitored);
  return {
    sources: lookAtSources(spec.host.mounts),
    network,
    seccomp: await seccompOf(spec),
    available,
    limits,
    notes: [...notes, ...lines, ...network.notes, ...missingCapabilities(spec, available)],
  };
}

/** What a start would refuse of the host as it is, for `create`, which places nothing. @throws HOST_MISSING */
export async function checkHost({ hostUid }: { hostUid: number }, spec: ContainerSpec): Promise<void> {
  await checkLogDriver(spec);
  if (spec.host.requireLimits) await limitsOf(hostUid, spec, false);
}

async function checkLogDriver({ host }: ContainerSpec): Promise<void> {
  if (host.logDriver === 'journald') (await import('./logs/journal.ts')).requireJournal();
}

async function limitsOf(
  hostUid: number,
  spec: ContainerSpec,
  monitored: boolean,
): Promise<{ limits: PlacedLimits | undefined; lines: string[] }> {
  const { limits, cgroupParent } = spec.host;
  if (!monitored && cgroupParent === '' && Object.keys(limits).length === 0)
    return { limits: undefined, lines: [] };
  const { limitLines, placeLimits } = await import('./configure/limits.ts');
  const placed = placeLimits(hostUid, spec);
  return { limits: placed, lines: limitLines(placed.unhonoured) };
}

function seccompOf({ host }: ContainerSpec): Promise<HelperPlan['process']['seccomp']> {
  const mask = capabilityMask({ add: host.capAdd, drop: host.capDrop, privileged: host.privileged });
  return chooseSeccomp({ choice: host.seccomp, capabilities: capabilityNames(mask) });
}

/** What was asked for and we do not hold ourselves, as root within another container. */
function missingCapabilities({ host }: ContainerSpec, available: bigint | undefined): string[] {
  if (available === undefined) return [];
  const asked = capabilityMask({ add: host.capAdd, drop: host.capDrop, privileged: host.privileged });
  const missing = capabilityNames(asked & ~available);
  return missing.length === 0
    ? []
    : [`not given to the container, since skiff itself does not have them: ${missing.join(' ')}`];
}

/** An ordinary user's processes may only be made likelier victims than their parent (proc_pid_oom_score_adj(5)). */
function raiseOomScore(hostUid: number, { host }: ContainerSpec): string[] {
  if (host.oomScoreAdj === undefined || hostUid === 0) return [];
  const own = ownOomScore();
  if (host.oomScoreAdj >= own) return [];
  const note = `--oom-score-adj ${host.oomScoreAdj}: only root may go below its own: using ${own}`;
  host.oomScoreAdj = own;
  return [note];
}

/** Lowers the spec's limits to what the kernel will give, and says so. Root with CAP_SYS_RESOURCE gets what it asks for. */
function withinLimits(hostUid: number, { host }: ContainerSpec): string[] {
  if (host.ulimits.length === 0) return [];
  if (hostUid === 0 && (ownCapabilities() & maskOf(['SYS_RESOURCE'])) !== 0n) return [];
  const { ulimits, notes } = lowerUlimits(host.ulimits, ownLimits());
  host.ulimits = ulimits;
  return notes;
}
