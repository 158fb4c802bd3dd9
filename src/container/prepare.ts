// `run`, first half: what is asked for, what the image says and what the host has become a PreparedRun. Looks and judges;
// makes nothing but what a pull and an unpack make. run.ts is the second half, show-plan.ts the other user of this.

import { hostname } from 'node:os';
import type { Config } from '../core/config.ts';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import { statSync } from 'node:fs';
import { ensureImage, PULL_POLICIES, type PullPolicy } from '../image/ensure-image.ts';
import { ensureLayerTrees } from '../image/ensure-layers.ts';
import type { OnImageEvent } from '../image/events.ts';
import { hostPlatform, parsePlatform } from '../image/platform.ts';
import type { HelperPlan } from '../native/plan.ts';
import type { RegistryOptions } from '../registry/types.ts';
import { capabilityMask, capabilityNames } from '../runtime/capabilities.ts';
import { chooseIdMap, type IdMapChoice } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import type { MountSpec } from '../runtime/mount-spec.ts';
import { chooseSeccomp } from '../runtime/seccomp/choose.ts';
import type { ContainerSpec } from '../runtime/spec.ts';
import type { Platform } from '../spec/image.ts';
import type { ResolvedImage } from '../store/images.ts';
import { lookAtSources, type BindSources } from './bind-sources.ts';
import { specFromFlags } from './from-flags.ts';
import {
  ownOomScore,
  ownCapabilities,
  readAccounts,
  readDevices,
  readFlagFile,
  readKeyValueFiles,
} from './inputs.ts';
import { joinTarget, type JoinChoice } from './join.ts';
import { checkName, randomContainerId } from './names.ts';
import { connectNetwork, type Network } from './network.ts';
import type { RunOptions } from './options.ts';
import { findContainer } from './records.ts';

export interface RunParts {
  paths: Paths;
  config: () => Config;
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  /** Looked at only when something is pulled or unpacked: asking for it installs signal handlers. */
  readonly signal: AbortSignal;
  hostUid: number;
  hostGid: number;
}

export interface RunRequest {
  /** Image reference, or the directory of --rootfs, as typed. */
  what: string;
  /** The words after it. */
  words: readonly string[];
  options: RunOptions;
  registry: RegistryOptions | undefined;
  onImageEvent: OnImageEvent | undefined;
  /** Called when nothing will be pulled any more: before notes are printed and the process is handed over. */
  onImageReady?: () => void;
}

/** A run that is decided and not begun: nothing has been made. */
export interface PreparedRun {
  spec: ContainerSpec;
  ids: IdMapChoice;
  /** Layer trees bottom first, or the one directory of --rootfs. */
  trees: readonly string[];
  sources: BindSources;
  network: Network;
  seccomp: HelperPlan['process']['seccomp'];
  /** Our own capabilities, asked for only where they are the limit: as root without a user namespace. */
  available: bigint | undefined;
  /** Set when namespaces of another container are joined. */
  joined: JoinChoice['joined'] | undefined;
  notes: string[];
}

/** Mistakes that can be told without looking at anything. @throws USAGE */
export function checkEarly({ options }: RunRequest): void {
  if (options.name !== undefined) checkName(options.name);
  if (options.replace === true && options.name === undefined) {
    throw new EngineError('USAGE', '--replace: needs --name, the name of the container to replace');
  }
  if (!options['sig-proxy']) {
    throw new EngineError(
      'USAGE',
      '--sig-proxy=false: a foreground container always gets the signals sent to skiff',
    );
  }
  const streams = options.attach.map((stream) => stream.toLowerCase());
  const unknown = streams.find((stream) => !['stdin', 'stdout', 'stderr'].includes(stream));
  if (unknown !== undefined) {
    throw new EngineError(
      'USAGE',
      `--attach ${JSON.stringify(unknown)}: valid streams are STDIN, STDOUT and STDERR`,
    );
  }
  if (streams.length > 0 && !(streams.includes('stdout') && streams.includes('stderr'))) {
    throw new EngineError(
      'USAGE',
      '--attach: a foreground container is attached to stdout and stderr alike',
      {
        hint: 'redirect what you do not want: >/dev/null or 2>/dev/null',
      },
    );
  }
}

export function idMapFor(parts: RunParts, { options }: RunRequest): IdMapChoice {
  const reference = joinReference(options);
  if (reference !== undefined) return joinTarget(parts.paths, reference);
  return chooseIdMap(readIdMapInput(parts, options.userns));
}

/** `container:NAME` of whichever flag; the user namespace must then be that container's too. */
function joinReference(options: RunOptions): string | undefined {
  const texts = [options.network, options.pid, options.ipc];
  return texts.find((text) => text?.startsWith('container:') === true)?.slice('container:'.length);
}

export async function imageOf(
  parts: RunParts,
  { what, options, registry, onImageEvent }: RunRequest,
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

export function wantedPlatform({ platform }: Pick<RunOptions, 'platform'>): Platform | undefined {
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
  { what, onImageEvent }: RunRequest,
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

/** Decides everything; makes nothing. */
export async function prepareRun(
  parts: RunParts,
  request: RunRequest,
  ids: IdMapChoice,
  image: ResolvedImage | undefined,
  trees: readonly string[],
): Promise<PreparedRun> {
  const { options } = request;
  const joined = 'joined' in ids ? (ids as JoinChoice).joined : undefined;
  const topmostFirst = [...trees].reverse();
  const devices = readDevices(options.device, options.privileged === true);
  const seccompFile = options['security-opt'].map(seccompPath).findLast((path) => path !== undefined);
  const { spec, notes } = specFromFlags({
    options,
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
    devices: devices.devices,
    mountsOfContainer: (reference) => mountsOfContainer(parts.paths, reference),
    resolveContainer: (reference) => joinTarget(parts.paths, reference).joined.id,
    joinedHostname: joined?.hostname,
    network: options.network ?? parts.config().network ?? 'default',
  });
  const network = await connectNetwork(parts, spec, joined);
  spec.network.ports = network.ports;
  spec.network.address = network.address;
  notes.push(...raiseOomScore(parts, spec));
  const available = ids.idMap === undefined ? ownCapabilities() : undefined;
  return {
    spec,
    ids,
    trees,
    sources: lookAtSources(spec.host.mounts),
    network,
    seccomp: await seccompOf(spec),
    available,
    joined,
    notes: [
      ...ids.notes,
      ...notes,
      ...devices.notes,
      ...network.notes,
      ...missingCapabilities(spec, available),
    ],
  };
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
function raiseOomScore({ hostUid }: RunParts, { host }: ContainerSpec): string[] {
  if (host.oomScoreAdj === undefined || hostUid === 0) return [];
  const own = ownOomScore();
  if (host.oomScoreAdj >= own) return [];
  const note = `--oom-score-adj ${host.oomScoreAdj}: only root may go below its own: using ${own}`;
  host.oomScoreAdj = own;
  return [note];
}

function seccompPath(option: string): string | undefined {
  const value = /^seccomp[=:](.+)$/s.exec(option)?.[1];
  return value === undefined || ['unconfined', 'builtin', 'default'].includes(value) ? undefined : value;
}
