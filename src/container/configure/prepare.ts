// `run` and `create`, first half: what is asked for, what the image says and what the host has become a decided container.
// Looks and judges; makes nothing but what a pull and an unpack make. run.ts, create.ts and show-plan.ts go on from here.

import { hostname } from 'node:os';
import type { LimitOptions } from '../../cgroup/limit-options.ts';
import type { Config } from '../../core/config.ts';
import { encodeBytes } from '../../core/bytes.ts';
import { EngineError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Paths } from '../../core/paths.ts';
import { statSync } from 'node:fs';
import { ensureImage, PULL_POLICIES, type PullPolicy } from '../../image/ensure-image.ts';
import { ensureLayerTrees } from '../../image/ensure-layers.ts';
import type { OnImageEvent } from '../../image/events.ts';
import { hostPlatform, parsePlatform } from '../../core/platform.ts';
import type { RegistryOptions } from '../../registry/types.ts';
import { chooseIdMap, type IdMapChoice } from '../../runtime/idmap.ts';
import { readIdMapInput } from '../../runtime/idmap-input.ts';
import { toHostId } from '../../runtime/mapped-ids.ts';
import type { MountSpec } from '../../runtime/mount-spec.ts';
import type { ContainerSpec, Recipe } from '../../runtime/spec.ts';
import type { Platform } from '../../oci/image.ts';
import type { ResolvedImage } from '../../store/images.ts';
import { specFromFlags } from './from-flags.ts';
import { readAccounts, readDevices, readFlagFile, readKeyValueFiles } from './inputs.ts';
import { joinTarget, type JoinChoice } from './join.ts';
import type { AskedLimits } from './limits.ts';
import { checkName, randomContainerId } from '../names.ts';
import type { ChosenHealth } from './choose-health.ts';
import type { CreateOptions, HealthOptions, RunOptions } from './options.ts';
import { placeContainer, type Placement } from '../place.ts';
import { findContainer } from '../records.ts';
import { parseRestartPolicy } from './restart-policy.ts';

export interface RunParts {
  paths: Paths;
  config: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  /** Looked at only when something is pulled or unpacked: asking for it installs signal handlers. */
  readonly signal: AbortSignal;
  /** Before the process is handed over. @throws CANCELLED */
  handOver: () => Promise<void>;
  hostUid: number;
  hostGid: number;
}

export interface CreateRequest {
  /** Image reference, or the directory of --rootfs, as typed. */
  what: string;
  /** The words after it. */
  words: readonly string[];
  options: CreateOptions;
  /** The flags of them that were given. */
  recipe: Recipe['flags'];
  /** No client is attached at first. */
  detached: boolean;
  registry: RegistryOptions | undefined;
  onImageEvent: OnImageEvent | undefined;
  /** Called when nothing will be pulled any more: before notes are printed and the process is handed over. */
  onImageReady?: () => void;
}

export interface RunRequest extends CreateRequest {
  options: RunOptions;
}

/** A container that is decided and not begun: nothing has been made. */
export interface PreparedContainer extends Placement {
  spec: ContainerSpec;
  ids: IdMapChoice;
  /** Layer trees bottom first, or the one directory of --rootfs. */
  trees: readonly string[];
  /** Set when namespaces of another container are joined. */
  joined: JoinChoice['joined'] | undefined;
}

/** Mistakes that can be told without looking at anything. @throws USAGE */
export function checkEarly({ options }: CreateRequest): void {
  if (options.name !== undefined) checkName(options.name);
  if (options.replace === true && options.name === undefined) {
    throw new EngineError('USAGE', '--replace: needs --name, the name of the container to replace');
  }
  const hasPolicy = parseRestartPolicy(options.restart).name !== 'no';
  if (hasPolicy && options.rm === true)
    throw new EngineError('USAGE', 'conflicting options: cannot specify both --restart and --rm');
  if (hasPolicy) checkRestartable(options, `--restart ${options.restart}`);
  if (options['health-on-failure'] === 'restart') checkRestartable(options, '--health-on-failure restart');
}

function checkRestartable(options: CreateOptions, flag: string): void {
  if (joinReference(options) !== undefined) {
    throw new EngineError(
      'USAGE',
      `${flag}: not with namespaces of another container, which may be others by then`,
    );
  }
  if (options['log-driver'] === 'passthrough')
    throw new EngineError(
      'USAGE',
      `${flag}: not with --log-driver passthrough, since no monitor keeps such a container`,
    );
}

/** The same for the flags of the health check. @throws USAGE */
export async function checkHealthFlags({ options }: CreateRequest): Promise<void> {
  if (!asksForHealth(options)) return;
  const { parseHealthFlags } = await import('./choose-health.ts');
  parseHealthFlags(options);
}

async function healthOf(
  { options }: CreateRequest,
  image: ResolvedImage | undefined,
): Promise<ChosenHealth | undefined> {
  const config = image?.config ?? {};
  if (!asksForHealth(options) && config.Healthcheck === undefined) return undefined;
  const { chooseHealth } = await import('./choose-health.ts');
  return chooseHealth(options, config);
}

function asksForHealth(options: HealthOptions): boolean {
  return (
    options['health-cmd'] !== undefined ||
    options['health-interval'] !== undefined ||
    options['health-on-failure'] !== undefined ||
    options['health-retries'] !== undefined ||
    options['health-start-interval'] !== undefined ||
    options['health-start-period'] !== undefined ||
    options['health-timeout'] !== undefined ||
    options['no-healthcheck'] === true
  );
}

export function idMapFor(parts: RunParts, { options }: CreateRequest): IdMapChoice {
  const reference = joinReference(options);
  if (reference !== undefined) return joinTarget(parts.paths, reference);
  return chooseIdMap(readIdMapInput(parts, options.userns));
}

/** `container:NAME` of whichever flag; the user namespace must then be that container's too. */
function joinReference(options: CreateOptions): string | undefined {
  const texts = [options.network, options.pid, options.ipc];
  return texts.find((text) => text?.startsWith('container:') === true)?.slice('container:'.length);
}

export async function imageOf(
  parts: RunParts,
  { what, options, registry, onImageEvent }: CreateRequest,
  { idMap }: IdMapChoice,
): Promise<ResolvedImage | undefined> {
  if (options.rootfs === true) return undefined;
  const platform = wantedPlatform(options);
  return await ensureImage(parts, what, parsePullPolicy(options.pull), {
    idMap,
    platform,
    registry,
    onEvent: onImageEvent,
  });
}

export function wantedPlatform({ platform }: Pick<CreateOptions, 'platform'>): Platform | undefined {
  return platform === undefined || platform === ''
    ? undefined
    : parsePlatform(platform, hostPlatform(process.arch));
}

/** docker's and podman's words. @throws USAGE */
export function parsePullPolicy(text: string): PullPolicy {
  const policy = PULL_SYNONYMS[text] ?? text;
  if ((PULL_POLICIES as readonly string[]).includes(policy)) return policy as PullPolicy;
  throw new EngineError(
    'USAGE',
    `--pull ${JSON.stringify(text)}: invalid pull option, must be one of ${PULL_POLICIES.join(', ')}`,
  );
}

const PULL_SYNONYMS: Readonly<Record<string, PullPolicy>> = {
  true: 'always',
  false: 'missing',
  ifmissing: 'missing',
  ifnewer: 'newer',
  '': 'missing',
};

export async function treesOf(
  parts: RunParts,
  { what, onImageEvent }: CreateRequest,
  image: ResolvedImage | undefined,
  { idMap }: IdMapChoice,
): Promise<string[]> {
  return image === undefined
    ? [rootfsDirectory(what)]
    : await ensureLayerTrees(parts, image, idMap, onImageEvent);
}

/** @throws USAGE when it is no directory */
export function rootfsDirectory(text: string): string {
  const path = text.startsWith('/') ? text : `${process.cwd()}/${text}`;
  if (statSync(encodeBytes(path), { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw new EngineError('USAGE', `--rootfs ${JSON.stringify(text)}: no such directory`);
}

/** The limits asked for, judged before an image is fetched. Most containers have none. @throws USAGE */
export async function limitsOf({ options }: CreateRequest): Promise<AskedLimits> {
  if (LIMIT_NAMES.every((name) => isNotGiven(options[name]))) return { limits: {}, notes: [] };
  const { askedLimits } = await import('./limits.ts');
  return askedLimits(options);
}

function isNotGiven(value: unknown): boolean {
  return value === undefined || value === false || (Array.isArray(value) && value.length === 0);
}

const LIMIT_NAMES = Object.keys({
  memory: true,
  'memory-swap': true,
  'memory-reservation': true,
  'memory-swappiness': true,
  'kernel-memory': true,
  cpus: true,
  'cpu-shares': true,
  'cpu-period': true,
  'cpu-quota': true,
  'cpuset-cpus': true,
  'cpuset-mems': true,
  'pids-limit': true,
  'blkio-weight': true,
  'blkio-weight-device': true,
  'device-read-bps': true,
  'device-write-bps': true,
  'device-read-iops': true,
  'device-write-iops': true,
  'oom-kill-disable': true,
} satisfies Record<keyof LimitOptions, true>) as (keyof LimitOptions)[];

/** What is known before the image. */
export interface Decided {
  ids: IdMapChoice;
  limits: AskedLimits;
  /** A monitor will keep it. */
  monitored: boolean;
}

/** Decides everything; makes nothing. */
export async function prepareRun(
  parts: RunParts,
  request: CreateRequest,
  { ids, limits, monitored }: Decided,
  image: ResolvedImage | undefined,
  trees: readonly string[],
): Promise<PreparedContainer> {
  const health = await healthOf(request, image);
  const { spec, notes } = specFor(parts, request, { ids, limits }, image, trees, health);
  const joined = joinedOf(ids);
  const placed = await placeContainer(parts, spec, { joined, monitored });
  sayUnmapped(parts, spec);
  return { ...placed, spec, ids, trees, joined, notes: [...notes, ...placed.notes] };
}

/** For `create`: what does not change from one start to the next. */
export async function decideSpec(
  parts: RunParts,
  request: CreateRequest,
): Promise<{ spec: ContainerSpec; trees: readonly string[]; notes: string[] }> {
  const limits = await limitsOf(request);
  const ids = idMapFor(parts, request);
  const image = await imageOf(parts, request, ids);
  const trees = await treesOf(parts, request, image, ids);
  request.onImageReady?.();
  const health = await healthOf(request, image);
  return { ...specFor(parts, request, { ids, limits }, image, trees, health), trees };
}

function joinedOf(ids: IdMapChoice): JoinChoice['joined'] | undefined {
  return 'joined' in ids ? (ids as JoinChoice).joined : undefined;
}

function specFor(
  parts: RunParts,
  request: CreateRequest,
  { ids, limits }: Pick<Decided, 'ids' | 'limits'>,
  image: ResolvedImage | undefined,
  trees: readonly string[],
  health: ChosenHealth | undefined,
): { spec: ContainerSpec; notes: string[] } {
  const { options } = request;
  const joined = joinedOf(ids);
  const topmostFirst = [...trees].reverse();
  const devices = readDevices(options.device, options.privileged === true);
  const seccompFile = options['security-opt'].map(seccompPath).findLast((path) => path !== undefined);
  const { spec, notes } = specFromFlags({
    detached: request.detached,
    options,
    recipe: request.recipe,
    what: request.what,
    words: request.words,
    imageConfig: image?.config ?? {},
    image:
      image === undefined
        ? undefined
        : {
            name: request.what,
            reference: image.reference,
            id: image.imageId,
            manifestDigest: image.manifestDigest,
            platform: image.platform,
          },
    rootfs:
      image === undefined
        ? { kind: 'directory', path: trees[0] as string }
        : { kind: 'layers', chainIds: image.layers.map(({ chainId }) => chainId) },
    ids,
    id: randomContainerId(),
    name: options.name === undefined ? '' : checkName(options.name),
    createdAt: new Date().toISOString(),
    caller: { env: parts.env, cwd: process.cwd(), hostname: hostname() },
    envLines: readKeyValueFiles('--env-file', options['env-file']),
    labelLines: readKeyValueFiles('--label-file', options['label-file']),
    accounts: readAccounts(topmostFirst, image !== undefined),
    seccompText: seccompFile === undefined ? undefined : readFlagFile('--security-opt seccomp', seccompFile),
    limits: limits.limits,
    devices: devices.devices,
    mountsOfContainer: (reference) => mountsOfContainer(parts.paths, reference),
    resolveContainer: (reference) => joinTarget(parts.paths, reference).joined.id,
    joinedHostname: joined?.hostname,
    network: options.network ?? parts.config().network ?? 'default',
    health,
  });
  return { spec, notes: [...ids.notes, ...notes, ...limits.notes, ...devices.notes] };
}

function sayUnmapped({ log }: RunParts, { process: { additionalGids }, idMap }: ContainerSpec): void {
  const unmapped = additionalGids.filter((gid) => idMap && toHostId(idMap.gid, gid) === undefined);
  if (unmapped.length > 0)
    log.debug(`groups of the image without an id on the host are left out: ${unmapped.join(' ')}`);
}

/** @throws CONTAINER_NOT_FOUND, CONTAINER_AMBIGUOUS, as errors of the run, whose exit status they do not change */
function mountsOfContainer(paths: Paths, reference: string): readonly MountSpec[] {
  try {
    return findContainer(paths, reference).host.mounts;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError(error.code, `--volumes-from: ${error.message}`, { hint: error.hint, cause: error });
  }
}

function seccompPath(option: string): string | undefined {
  const value = /^seccomp[=:](.+)$/s.exec(option)?.[1];
  return value === undefined || ['unconfined', 'builtin', 'default'].includes(value) ? undefined : value;
}
