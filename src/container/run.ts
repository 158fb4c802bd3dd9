// `run` in the foreground: image → spec → containers/<id>/ → HelperPlan → exec of the helper. Everything that can fail
// for the user's reasons is judged before the first thing is made; what is made and then cannot start is taken away.

import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { encodeBytes } from '../core/bytes.ts';
import { EngineError, errnoOf } from '../core/errors.ts';
import type { Config } from '../core/config.ts';
import type { Log } from '../core/log.ts';
import type { Paths } from '../core/paths.ts';
import { ensureImage, PULL_POLICIES, type PullPolicy } from '../image/ensure-image.ts';
import { ensureLayerTrees } from '../image/ensure-layers.ts';
import type { OnImageEvent } from '../image/events.ts';
import { hostPlatform, parsePlatform } from '../image/platform.ts';
import type { HelperPlan, RootFs, UserNamespace } from '../native/plan.ts';
import { launchContainer } from '../native/launch.ts';
import type { RegistryOptions } from '../registry/types.ts';
import { chooseIdMap, type IdMapChoice } from '../runtime/idmap.ts';
import { readIdMapInput } from '../runtime/idmap-input.ts';
import { planContainer } from '../runtime/plan.ts';
import { capabilityMask, capabilityNames } from '../runtime/capabilities.ts';
import { chooseSeccomp } from '../runtime/seccomp/choose.ts';
import type { ContainerId, ContainerSpec } from '../runtime/spec.ts';
import type { Platform } from '../spec/image.ts';
import type { ResolvedImage } from '../store/images.ts';
import { namesDir } from '../store/layout.ts';
import { lookAtSources, makeMissing, type BindSources } from './bind-sources.ts';
import { specFromFlags } from './from-flags.ts';
import { readAccounts, readDevices, readFlagFile, readKeyValueFiles } from './inputs.ts';
import { joinTarget, pidOfRunning, type JoinChoice } from './join.ts';
import { checkName, randomContainerId, randomName } from './names.ts';
import { connectNetwork, type Network } from './network.ts';
import type { RunOptions } from './options.ts';
import { claimName, dropName, makeContainerDir, writeSpec, type NewContainer } from './records.ts';
import { replaceHolder } from './replace.ts';

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
  /** Set when namespaces of another container are joined. */
  joined: JoinChoice['joined'] | undefined;
  notes: string[];
}

/**
 * Runs a container and becomes its keeper: on success this process is replaced by the native helper, which ends with the
 * container's exit status.
 * @throws everything that goes wrong before that; nothing is left behind then
 */
export async function runContainer(parts: RunParts, request: RunRequest): Promise<never> {
  checkEarly(request);
  const ids = idMapFor(parts, request);
  const image = await imageOf(parts, request, ids);
  const trees = await treesOf(parts, request, image, ids);
  request.onImageReady?.();
  const prepared = await prepareRun(parts, request, ids, image, trees);
  for (const note of prepared.notes) parts.log.warn(note);
  return await launch(parts, request, prepared);
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

async function imageOf(
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

async function treesOf(
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
    resolveContainer: (reference) => joinTarget(parts.paths, reference).joined.id,
    joinedHostname: joined?.hostname,
    network: options.network ?? parts.config().network ?? 'default',
  });
  const network = await connectNetwork(parts, spec, joined);
  spec.network.ports = network.ports;
  return {
    spec,
    ids,
    trees,
    sources: lookAtSources(spec.host.mounts),
    network,
    seccomp: await seccompOf(spec),
    joined,
    notes: [...ids.notes, ...notes, ...devices.notes, ...network.notes],
  };
}

function seccompOf({ host }: ContainerSpec): Promise<HelperPlan['process']['seccomp']> {
  const mask = capabilityMask({ add: host.capAdd, drop: host.capDrop, privileged: host.privileged });
  return chooseSeccomp({ choice: host.seccomp, capabilities: capabilityNames(mask) });
}

function seccompPath(option: string): string | undefined {
  const value = /^seccomp[=:](.+)$/s.exec(option)?.[1];
  return value === undefined || ['unconfined', 'builtin', 'default'].includes(value) ? undefined : value;
}

async function launch(parts: RunParts, request: RunRequest, prepared: PreparedRun): Promise<never> {
  const { spec } = prepared;
  const { options } = request;
  const made = makeContainerDir(parts.paths, spec.id);
  try {
    await takeName(parts, spec, options.replace === true);
    makeRootDirs(made, prepared);
    makeMissing(prepared.sources);
    writeSpec(made.dir, spec);
    if (options.cidfile !== undefined) writeCidFile(options.cidfile, spec.id);
    return launchContainer(helperPlan(parts, request, prepared, made));
  } catch (error) {
    if (options.cidfile !== undefined && !isCidFileConflict(error)) rmSync(options.cidfile, { force: true });
    dropName(parts.paths, spec.name, spec.id);
    rmSync(made.dir, { recursive: true, force: true });
    closeSync(made.lockFd);
    throw error;
  }
}

/** --name, or two random words nobody has yet. @throws NAME_IN_USE in docker's words */
async function takeName({ paths }: RunParts, spec: ContainerSpec, replace: boolean): Promise<void> {
  if (spec.name === '') {
    for (let attempt = 0; ; attempt++) {
      spec.name = randomName(attempt);
      if (claimName(paths, spec.name, spec.id)) return;
    }
  }
  while (!claimName(paths, spec.name, spec.id)) await replaceHolder(paths, spec.name, replace);
}

/** The helper gives `upper` the owner and mode of the image's root directory, which "/" then shows. */
function makeRootDirs({ dir }: NewContainer, { spec, trees }: PreparedRun): void {
  if (spec.rootfs.kind !== 'layers') return;
  mkdirSync(`${dir}/work`, 0o700);
  mkdirSync(`${dir}/upper`, 0o755);
  if (trees.length === 0) mkdirSync(`${dir}/empty`, 0o755); // an image without layers: overlayfs wants a lower one
}

class CidFileConflict extends EngineError {}

function isCidFileConflict(error: unknown): boolean {
  return error instanceof CidFileConflict;
}

function writeCidFile(path: string, id: ContainerId): void {
  let fd: number;
  try {
    fd = openSync(encodeBytes(path), 'wx', 0o644);
  } catch (error) {
    const cause =
      errnoOf(error) === 'EEXIST'
        ? `container ID file found, make sure the other container isn't running or delete ${path}`
        : 'cannot be made';
    throw new CidFileConflict('USAGE', `--cidfile ${JSON.stringify(path)}: ${cause}`, { cause: error });
  }
  try {
    writeSync(fd, id);
  } finally {
    closeSync(fd);
  }
}

/** (pure) */
export function helperPlan(
  { paths }: Pick<RunParts, 'paths'>,
  { options }: RunRequest,
  prepared: PreparedRun,
  made: NewContainer,
): HelperPlan {
  const { spec, ids, network, joined } = prepared;
  const user: UserNamespace =
    joined === undefined || ids.idMap === undefined
      ? ids.user
      : { kind: 'join', path: `/proc/${joined.pid}/ns/user` };
  return planContainer({
    spec,
    user,
    rootfs: rootFsOf(prepared, made.dir),
    network,
    seccomp: prepared.seccomp,
    pidOf: (id) => pidOfRunning(paths, id),
    isDirectory: prepared.sources.isDirectory,
    log: spec.host.logDriver === 'json-file' ? `${made.dir}/log` : undefined,
    label: spec.process.args[0] as string,
    lifetime: {
      containerDir: made.dir,
      lockFd: made.lockFd,
      removeOnExit: spec.host.autoRemove,
      removePaths: spec.host.autoRemove ? [`${namesDir(paths)}/${spec.name}`] : [],
      timeoutMs: spec.host.timeoutMs,
      // A --rm container is part of its caller's job; one that stays may be looked at by others.
      dieWithParent: spec.host.autoRemove,
      ...(options.pidfile === undefined ? {} : { pidFile: absolute(options.pidfile) }),
    },
  });
}

function rootFsOf({ spec, trees }: PreparedRun, dir: string): RootFs {
  if (spec.rootfs.kind === 'directory') return { kind: 'bind', path: spec.rootfs.path, readOnly: false };
  const lower = trees.length === 0 ? [`${dir}/empty`] : [...trees].reverse();
  return { kind: 'overlay', lower, upper: `${dir}/upper`, work: `${dir}/work`, readOnly: false };
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `${process.cwd()}/${path}`;
}
