// `run --plan`: everything that would be decided, and nothing done: no pull, no directory, no socket.

import { hostname } from 'node:os';
import { formatDuration } from '../core/duration.ts';
import { findStored, type ResolvedImage } from '../store/images.ts';
import { imageFor } from '../store/platforms.ts';
import { treeDir } from '../store/layout.ts';
import { hasTree } from '../store/layers.ts';
import { capabilityMask, capabilityNames } from '../runtime/capabilities.ts';
import type { IdMapChoice } from '../runtime/idmap.ts';
import { mergeCommand } from './configure/command-line.ts';
import {
  checkHealthFlags,
  idMapFor,
  limitsOf,
  parsePullPolicy,
  prepareRun,
  rootfsDirectory,
  wantedPlatform,
  type Decided,
  type PreparedContainer,
  type RunParts,
  type RunRequest,
} from './configure/prepare.ts';
import { helperPlan } from './helper-plan.ts';
import { checkRun, isKeptByUs } from './run.ts';

/** What `--plan=json` prints. */
export interface ShownPlan {
  image:
    | { name: string; reference?: string; id?: string; digest?: string; platform?: string; pull: string }
    | { rootfs: string };
  args: string[];
  env?: string[];
  cwd?: string;
  user?: { spec: string; uid: number; gid: number; groups: number[] };
  hostname?: string;
  idMap: { uid: string[]; gid: string[] } | null;
  mounts?: { type: string; source?: string; target: string; options: string; missing?: boolean }[];
  network?: { mode: string; program?: string; args?: string[]; ports: string[] };
  security?: {
    capabilities: string[];
    seccomp: string;
    noNewPrivileges: boolean;
    readOnlyRoot: boolean;
    privileged: boolean;
  };
  limits?: { name: string; value: string; honoured: boolean }[];
  log?: string;
  health?: { args: string[]; intervalMs: number; timeoutMs: number; retries: number; action: string };
  notes: string[];
}

/** @throws as `runContainer` would before it makes anything */
export async function planRun(parts: RunParts, request: RunRequest): Promise<ShownPlan> {
  checkRun(request);
  await checkHealthFlags(request);
  const limits = await limitsOf(request);
  const decided = { ids: idMapFor(parts, request), limits, monitored: !isKeptByUs(request.options) };
  const { ids } = decided;
  if (request.options.rootfs === true) {
    const path = rootfsDirectory(request.what);
    return await shown(parts, request, decided, undefined, [path], { rootfs: path });
  }
  const policy = parsePullPolicy(request.options.pull);
  const platform = wantedPlatform(request.options);
  const found = findStored(parts.paths, request.what)?.image;
  const image = found === undefined ? undefined : imageFor(parts.paths, found, platform);
  if (image === undefined) return unknownImage(request, ids, policy);
  const trees = image.layers.map(({ chainId }) => treeDir(parts.paths, ids.mapKey, chainId));
  const unpacked = image.layers.every(({ chainId }) => hasTree(parts.paths, ids.mapKey, chainId));
  const pull =
    policy === 'always'
      ? 'would be pulled again'
      : policy === 'newer'
        ? 'would ask the registry for a newer one'
        : 'in the store';
  const plan = await shown(parts, request, decided, image, trees, {
    name: request.what,
    reference: image.reference,
    id: image.imageId,
    digest: image.manifestDigest,
    platform: `${image.platform.os}/${image.platform.architecture}`,
    pull,
  });
  if (!unpacked) plan.notes.push('the layers would be unpacked first for this id map');
  return plan;
}

/** Without the image, only what does not depend on it can be told. */
function unknownImage({ what, words, options }: RunRequest, ids: IdMapChoice, policy: string): ShownPlan {
  const pull =
    policy === 'never'
      ? 'missing, and --pull never forbids to fetch it: the run would fail'
      : 'would be pulled';
  const command =
    options.entrypoint === undefined && words.length === 0
      ? []
      : mergeCommand({}, options.entrypoint, words, what).args;
  return {
    image: { name: what, pull },
    args: command,
    idMap: idMapOf(ids),
    notes: [...ids.notes, 'environment, user and mounts depend on the image'],
  };
}

async function shown(
  parts: RunParts,
  request: RunRequest,
  decided: Decided,
  image: ResolvedImage | undefined,
  trees: string[],
  shownImage: ShownPlan['image'],
): Promise<ShownPlan> {
  const prepared = await prepareRun(parts, request, decided, image, trees);
  const { spec, network, sources } = prepared;
  const plan = helperPlan(
    parts.paths,
    prepared,
    { dir: `${parts.paths.graphRoot}/containers/${spec.id}`, lockFd: -1 },
    { client: undefined, dieWithParent: false },
  );
  const { host, process, config } = spec;
  const helper = network.helper;
  return {
    image: shownImage,
    args: process.args,
    // The id is made anew by every run, and so is the host name that comes from it.
    env: process.env.map((entry) => entry.replace(spec.id.slice(0, 12), '<id>')),
    cwd: process.cwd,
    user: {
      spec: config.user,
      uid: process.containerUid,
      gid: process.containerGid,
      groups: plan.process.additionalGids,
    },
    hostname:
      config.hostname === spec.id.slice(0, 12)
        ? '<id>'
        : config.hostname === hostname()
          ? `${config.hostname} (the host's)`
          : config.hostname,
    idMap: idMapOf(decided.ids),
    mounts: host.mounts.map((mount) => ({
      type: mount.type,
      ...(mount.type === 'tmpfs'
        ? {}
        : { source: mount.type === 'bind' ? mount.source : (mount.name ?? 'anonymous') }),
      target: mount.target,
      options: [
        mount.flags.readOnly === true ? 'ro' : 'rw',
        ...(mount.type === 'bind' ? [mount.propagation] : []),
        ...(mount.type === 'tmpfs' && mount.data !== '' ? [mount.data] : []),
      ].join(','),
      ...(mount.type === 'bind' && sources.missing.includes(mount.source) ? { missing: true } : {}),
    })),
    network: {
      mode: spec.network.mode,
      ...(helper === undefined ? {} : { program: helper.program, args: helper.args }),
      ports: network.ports.map(
        ({ hostIp, hostPort, containerPort, protocol }) =>
          `${hostIp === '' ? '0.0.0.0' : hostIp}:${hostPort}->${containerPort}/${protocol}`,
      ),
    },
    security: {
      capabilities: capabilityNames(
        capabilityMask({ add: host.capAdd, drop: host.capDrop, privileged: host.privileged }),
      ),
      seccomp: host.seccomp.kind === 'profile' ? host.seccomp.path : host.seccomp.kind,
      noNewPrivileges: host.noNewPrivileges,
      readOnlyRoot: host.readOnlyRootfs,
      privileged: host.privileged,
    },
    limits: [
      ...host.ulimits.map(({ name, soft, hard }) => ({
        name: `ulimit ${name}`,
        value: `${soft}:${hard}`,
        honoured: true,
      })),
      ...(host.timeoutMs === 0
        ? []
        : [{ name: 'timeout', value: `${host.timeoutMs / 1000}s`, honoured: true }]),
      { name: 'shm-size', value: String(host.shmSizeBytes), honoured: true },
      ...(await resourceLimits(prepared)),
    ],
    log: host.logDriver,
    ...(spec.health === undefined ? {} : { health: spec.health }),
    notes: prepared.notes,
  };
}

/** --memory and the like: loaded only where there are any. */
async function resourceLimits({
  spec,
  limits,
}: PreparedContainer): Promise<NonNullable<ShownPlan['limits']>> {
  if (limits === undefined || Object.keys(spec.host.limits).length === 0) return [];
  const { shownLimits } = await import('./configure/limits.ts');
  return shownLimits(spec.host.limits, limits.unhonoured);
}

function idMapOf({ idMap }: IdMapChoice): ShownPlan['idMap'] {
  if (idMap === undefined) return null;
  const side = (list: typeof idMap.uid): string[] =>
    list.map((m) => `${m.containerID}:${m.hostID}:${m.size}`);
  return { uid: side(idMap.uid), gid: side(idMap.gid) };
}

/** The same for people: one `key: value` line each. (pure) */
export function planLines(plan: ShownPlan): string[] {
  const lines: string[] = [];
  const add = (key: string, value: string): void => void lines.push(`${`${key}:`.padEnd(14)}${value}`);
  if ('rootfs' in plan.image) add('rootfs', plan.image.rootfs);
  else {
    add('image', `${plan.image.reference ?? plan.image.name} (${plan.image.pull})`);
    if (plan.image.digest !== undefined)
      add('digest', `${plan.image.digest} ${plan.image.platform ?? ''}`.trimEnd());
  }
  if (plan.args.length > 0) add('command', plan.args.map(quote).join(' '));
  for (const entry of plan.env ?? []) add('env', quote(entry));
  if (plan.cwd !== undefined) add('workdir', plan.cwd);
  if (plan.user !== undefined)
    add(
      'user',
      `${plan.user.uid}:${plan.user.gid}${plan.user.groups.length === 0 ? '' : ` groups ${plan.user.groups.join(',')}`}`,
    );
  if (plan.hostname !== undefined) add('hostname', plan.hostname);
  add(
    'id map',
    plan.idMap === null
      ? 'none: the ids of the host'
      : `uid ${plan.idMap.uid.join(' ')}  gid ${plan.idMap.gid.join(' ')}`,
  );
  for (const { type, source, target, options, missing } of plan.mounts ?? []) {
    add(
      'mount',
      `${type} ${source === undefined ? '' : `${source} -> `}${target} ${options}${missing === true ? ' (the directory would be made)' : ''}`,
    );
  }
  if (plan.network !== undefined) {
    add(
      'network',
      [plan.network.mode, plan.network.program, ...(plan.network.args ?? [])]
        .filter((word) => word !== undefined)
        .join(' '),
    );
    for (const port of plan.network.ports) add('publish', port);
  }
  if (plan.security !== undefined) {
    const { capabilities, seccomp, noNewPrivileges, readOnlyRoot, privileged } = plan.security;
    add('capabilities', capabilities.length === 0 ? 'none' : capabilities.join(' '));
    add('seccomp', seccomp);
    const also = [
      noNewPrivileges ? 'no-new-privileges' : '',
      readOnlyRoot ? 'read-only root' : '',
      privileged ? 'privileged' : '',
    ].filter((text) => text !== '');
    if (also.length > 0) add('security', also.join(', '));
  }
  for (const { name, value, honoured } of plan.limits ?? [])
    add('limit', `${name}=${value}${honoured ? '' : ' (not honoured)'}`);
  if (plan.log !== undefined) add('log', plan.log);
  if (plan.health !== undefined) add('health', healthText(plan.health));
  for (const note of plan.notes) add('note', note);
  return lines;
}

function healthText({
  args,
  intervalMs,
  timeoutMs,
  retries,
  action,
}: NonNullable<ShownPlan['health']>): string {
  const time = (ms: number): string => formatDuration(ms * 1e6);
  const then = action === 'none' ? '' : `, then ${action}`;
  return `${args.map(quote).join(' ')} every ${time(intervalMs)}, at most ${time(timeoutMs)}; unhealthy after ${retries} failures${then}`;
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
