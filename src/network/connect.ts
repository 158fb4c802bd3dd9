// The network of one container: reads the host, finds free ports, plans. What row 3 calls.

import { ensurePrivateDir } from '../core/fs.ts';
import type { Paths } from '../core/paths.ts';
import { hostNetwork } from './host.ts';
import { parseNetworkMode } from './mode.ts';
import { planNetwork } from './plan.ts';
import type { NetworkPlan, NetworkRequest } from './types.ts';

export interface ConnectParts {
  paths: Pick<Paths, 'runRoot'>;
  env: Readonly<Record<string, string | undefined>>;
}

/** Nothing is started or kept open. @throws USAGE, HOST_MISSING */
export async function prepareNetwork(
  { paths, env }: ConnectParts,
  request: NetworkRequest,
): Promise<NetworkPlan> {
  const ports = wantsPorts(request) ? await choosePorts(request) : [];
  const socket = `${paths.runRoot}/slirp-${request.id.slice(0, 12)}`;
  const plan = planNetwork(request, hostNetwork(env), ports, socket);
  if (plan.helper?.api !== undefined) ensurePrivateDir(paths.runRoot);
  return plan;
}

function wantsPorts({ publish, publishAll, exposedPorts }: NetworkRequest): boolean {
  return publish.length > 0 || (publishAll && exposedPorts.length > 0);
}

/** Loaded only with -p or -P. The texts are checked in every mode; ports are taken in a network of its own alone. */
async function choosePorts({
  mode,
  publish,
  publishAll,
  exposedPorts,
}: NetworkRequest): Promise<NetworkPlan['ports']> {
  const [{ parsePublish, publishExposed }, { freePorts }] = await Promise.all([
    import('./publish.ts'),
    import('./free-ports.ts'),
  ]);
  const mappings = publish.flatMap(parsePublish);
  if (parseNetworkMode(mode).kind !== 'private') return [];
  return await freePorts(publishAll ? [...mappings, ...publishExposed(exposedPorts, mappings)] : mappings);
}
