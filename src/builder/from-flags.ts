// The flags of `build` → a BuildRequest. Everything that can be told from the command line alone is judged here, before
// anything is read, pulled or made.

import { EngineError } from '../core/errors.ts';
import { formatPlatform, hostPlatform, parsePlatform } from '../core/platform.ts';
import type { BuildCommand } from './command.ts';
import type { PullPolicy } from '../image/ensure-image.ts';
import { referenceToGive } from '../image/tag.ts';
import type { RegistryOptions } from '../registry/types.ts';
import { parseNetworkMode } from '../network/mode.ts';
import { parseSize } from '../core/sizes.ts';
import { parseUlimit } from '../runtime/ulimits.ts';
import type { Platform } from '../oci/image.ts';
import { checkAnnotations, parseAnnotations } from './annotations.ts';
import type { BuildRequest } from './build.ts';
import { parseCacheFlags } from './cache-transfer/flags.ts';
import { parseNamedContext } from './named-contexts.ts';
import { needsImage, parseOutput, type ParsedOutput } from './outputs.ts';
import { parseSecret, parseSsh } from './secrets.ts';
import type { SquashMode } from './squash.ts';
import { fixedCreated } from './times.ts';
import { DEFAULT_SHM_BYTES } from './world.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** As typed; keys are the flags' names. */
export interface BuildOptions {
  'add-host': string[];
  allow: string[];
  annotation: string[];
  'build-arg': string[];
  'build-context': string[];
  cache: string[];
  'cache-from': string[];
  'cache-to': string[];
  jobs: number | undefined;
  label: string[];
  network: string | undefined;
  output: string[];
  'no-cache': boolean | undefined;
  'no-cache-filter': string[];
  layers: boolean | undefined;
  platform: string[];
  pull: string | undefined;
  push: boolean | undefined;
  secret: string[];
  'shm-size': string | undefined;
  squash: boolean | undefined;
  'squash-all': boolean | undefined;
  ssh: string[];
  tag: string[];
  target: string | undefined;
  timestamp: string | undefined;
  ulimit: string[];
  unsetenv: string[];
  unsetlabel: string[];
}

/** @throws USAGE, REFERENCE_INVALID */
export function requestFromFlags(
  options: BuildOptions,
  { env, cwd, registry }: { env: Env; cwd: string; registry: RegistryOptions | undefined },
): Pick<BuildCommand, 'created' | 'outputs' | 'push' | 'cache'> &
  Omit<
    BuildRequest,
    'input' | 'created' | 'fetchContext' | 'debug' | 'onEvent' | 'onContext' | 'pass' | 'cache'
  > {
  const buildArgs = buildArgsOf(options['build-arg'], env);
  const times = timesOf(options.timestamp, buildArgs.get('SOURCE_DATE_EPOCH') ?? env['SOURCE_DATE_EPOCH']);
  const outputs = options.output.map(parseOutput);
  const tags = [...options.tag, ...outputs.flatMap((one) => one.tags)];
  const push = options.push === true || outputs.some((one) => one.push);
  if (push && tags.length === 0)
    throw new EngineError('USAGE', 'tag is needed when pushing to registry', {
      exitCode: 1,
      hint: 'name the image: -t registry.example.com/team/app:1',
    });
  const platforms = platformsOf(options.platform);
  const annotations = parseAnnotations(options.annotation);
  checkAnnotations(annotations, { hasIndex: platforms.length > 1 });
  refuseSeveral(outputs, platforms);
  const cache = parseCacheFlags(options, cwd);
  const squash = squashOf(options);
  if (cache.inline && squash !== undefined)
    throw usage(
      '--cache-to',
      'type=inline',
      'the layer of a squashed image is that of no step: use type=registry',
    );
  const network = options.network ?? 'default';
  if (network !== 'default') parseNetworkMode(network);
  return {
    target: options.target,
    buildArgs,
    tags: [...new Set(tags.map(referenceToGive))],
    outputs: outputs.map(({ output }) => output),
    push,
    keepsImage: push || outputs.length === 0 || outputs.some(({ output }) => needsImage(output)),
    labels: pairs('--label', options.label),
    unset: { env: options.unsetenv, labels: options.unsetlabel },
    jobs: jobsOf(options.jobs),
    annotations,
    contexts: new Map(options['build-context'].map((text) => parseNamedContext(text, cwd))),
    platforms,
    pull: { policy: pullOf(options.pull), registry },
    cache,
    noCache: options['no-cache'] === true || options.layers === false,
    squash,
    noCacheFilter: options['no-cache-filter'].map((name) => name.toLowerCase()),
    created: times.created,
    run: {
      network,
      addHost: options['add-host'],
      ulimits: options.ulimit.map(parseUlimit),
      shmSizeBytes:
        options['shm-size'] === undefined ? DEFAULT_SHM_BYTES : parseSize(options['shm-size'], '--shm-size'),
      secrets: new Map(options.secret.map((text) => parseSecret(text, env))),
      ssh: new Map(options.ssh.map((text) => parseSsh(text, env))),
      entitlements: new Set([
        ...entitlementsOf(options.allow),
        ...(network === 'host' ? ['network.host'] : []),
      ]),
      keepTimes: times.keep,
    },
  };
}

/** As podman: 0 is no limit. */
function jobsOf(jobs: number | undefined): number | undefined {
  if (jobs === undefined || (Number.isInteger(jobs) && jobs > 0)) return jobs;
  if (jobs === 0) return Infinity;
  throw usage('--jobs', String(jobs), 'expected a number of steps, or 0 for no limit');
}

/** As podman: --layers=false is --squash without the cache. */
function squashOf(options: Pick<BuildOptions, 'layers' | 'squash' | 'squash-all'>): SquashMode | undefined {
  if (options['squash-all'] === true) return 'all';
  return options.squash === true || options.layers === false ? 'new' : undefined;
}

/** `NAME=value`, or `NAME` for the caller's, which is left out when there is none. */
function buildArgsOf(texts: readonly string[], env: Env): Map<string, string> {
  const args = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const name = at < 0 ? text : text.slice(0, at);
    if (name === '') throw usage('--build-arg', text, 'expected NAME=VALUE or NAME');
    const value = at < 0 ? env[name] : text.slice(at + 1);
    if (value !== undefined) args.set(name, value);
  }
  return args;
}

/** --timestamp: seconds since the epoch, a date, or `now`, which also leaves the times of files as they are. */
function timesOf(
  timestamp: string | undefined,
  epoch: string | undefined,
): { created: string | undefined; keep: boolean } {
  if (timestamp === 'now') return { created: new Date().toISOString(), keep: true };
  if (timestamp !== undefined) {
    const ms = /^\d+$/.test(timestamp) ? Number(timestamp) * 1000 : Date.parse(timestamp);
    if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15)
      throw usage('--timestamp', timestamp, 'expected seconds since 1970, a date, or now');
    return { created: fixedCreated(Math.floor(ms / 1000)), keep: false };
  }
  if (epoch === undefined || epoch === '') return { created: undefined, keep: false };
  if (!/^\d{1,12}$/.test(epoch))
    throw new EngineError('USAGE', `SOURCE_DATE_EPOCH=${JSON.stringify(epoch)}: expected seconds since 1970`);
  return { created: fixedCreated(Number(epoch)), keep: false };
}

/** Each once, in the order given. @throws USAGE */
function platformsOf(texts: readonly string[]): Platform[] {
  const host = hostPlatform(process.arch);
  const given = texts.filter((text) => text !== '').map((text) => parsePlatform(text, host));
  return [...new Map(given.map((platform) => [formatPlatform(platform), platform])).values()];
}

function refuseSeveral(outputs: readonly ParsedOutput[], platforms: readonly Platform[]): void {
  const refused = outputs.find(({ output }) => output.type === 'docker');
  if (refused === undefined || platforms.length < 2) return;
  throw new EngineError('USAGE', "--output type=docker: docker's archives hold images of one platform", {
    exitCode: 1,
    hint: 'write an OCI archive (type=oci), which docker and podman load too, or build for one platform',
  });
}

const PULLS: Readonly<Record<string, PullPolicy>> = {
  true: 'always',
  false: 'missing',
  always: 'always',
  missing: 'missing',
  never: 'never',
  newer: 'newer',
  ifmissing: 'missing',
  ifnewer: 'newer',
};

function pullOf(text: string | undefined): PullPolicy {
  const policy = PULLS[text ?? 'missing'];
  if (policy !== undefined) return policy;
  throw usage('--pull', text ?? '', 'must be one of always, missing, newer, never');
}

const ENTITLEMENTS: readonly string[] = ['network.host', 'security.insecure'];

function entitlementsOf(texts: readonly string[]): string[] {
  const unknown = texts.find((text) => !ENTITLEMENTS.includes(text));
  if (unknown !== undefined) throw usage('--allow', unknown, `must be one of ${ENTITLEMENTS.join(', ')}`);
  return [...texts];
}

function pairs(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      const key = at < 0 ? text : text.slice(0, at);
      if (key === '') throw usage(flag, text, 'expected KEY=VALUE');
      return [key, at < 0 ? '' : text.slice(at + 1)];
    }),
  );
}

function usage(flag: string, text: string, cause: string): EngineError {
  return new EngineError('USAGE', `${flag} ${JSON.stringify(text)}: ${cause}`);
}
