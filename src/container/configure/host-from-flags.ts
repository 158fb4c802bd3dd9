// The half of a ContainerSpec that depends on this host: security, limits, namespaces, log. (pure) Called by from-flags.ts.

import type { Limits } from '../../cgroup/types.ts';
import { EngineError } from '../../core/errors.ts';
import { canonicalCapability } from '../../runtime/capabilities.ts';
import type { IdMap } from '../../native/plan.ts';
import type { MountSpec } from '../../runtime/mount-spec.ts';
import { parseSize } from '../../core/sizes.ts';
import type { ContainerId, DeviceSpec, HostSpec } from '../../runtime/spec.ts';
import { parseSysctl } from '../../runtime/sysctls.ts';
import { parseUlimit } from '../../runtime/ulimits.ts';
import { parseLogOptions } from './log-options.ts';
import { parseNamespaceMode } from './namespace-mode.ts';
import type { CreateOptions } from './options.ts';
import { parseRestartPolicy } from './restart-policy.ts';
import { chooseSecurity } from './security.ts';

export interface HostInput {
  options: CreateOptions;
  idMap: IdMap | undefined;
  network: string;
  seccompText: string | undefined;
  limits: Limits;
  devices: DeviceSpec[];
  caller: { cwd: string };
  resolveContainer: (reference: string) => ContainerId;
}

/** @throws USAGE, CONTAINER_NOT_FOUND */
export function hostFromFlags(input: HostInput, mounts: MountSpec[], notes: string[]): HostSpec {
  const { options, seccompText } = input;
  const privileged = options.privileged === true;
  const security = chooseSecurity(options['security-opt'], privileged);
  notes.push(...security.notes);
  if (privileged && input.idMap !== undefined) {
    notes.push(
      '--privileged: all capabilities within the user namespace, no seccomp filter; host hardware stays out of reach',
    );
  }
  const mode = (flag: string, text: string | undefined): HostSpec['pidMode'] =>
    parseNamespaceMode(flag, text, input.resolveContainer);
  const ipcMode = mode('--ipc', options.ipc);
  const utsMode = mode('--uts', options.uts);
  const network = input.network;
  const own = {
    ipc: ipcMode.kind === 'private',
    uts: utsMode.kind === 'private',
    net: network !== 'host' && !network.startsWith('container:'),
  };
  const profile = security.seccomp;
  const driver = logDriver(options);
  return {
    autoRemove: options.rm === true,
    binds: options.volume.filter((text) => text.includes(':')),
    volumesFrom: options['volumes-from'],
    mounts,
    readOnlyRootfs: options['read-only'] === true,
    privileged,
    capAdd: options['cap-add'].map((name) => canonicalCapability('--cap-add', name)),
    capDrop: options['cap-drop'].map((name) => canonicalCapability('--cap-drop', name)),
    securityOpt: options['security-opt'],
    noNewPrivileges: security.noNewPrivileges,
    seccomp:
      profile === undefined
        ? { kind: 'default' }
        : profile === 'unconfined'
          ? { kind: 'unconfined' }
          : { kind: 'profile', path: profile, text: seccompText ?? '' },
    maskedPaths: security.maskedPaths,
    readonlyPaths: security.readonlyPaths,
    ulimits: options.ulimit.map(parseUlimit),
    shmSizeBytes: shmSize(options['shm-size']),
    devices: input.devices,
    sysctls: options.sysctl.map((text) => parseSysctl(text, own)),
    groupAdd: options['group-add'],
    init: options.init === true,
    oomScoreAdj: oomScoreAdj(options['oom-score-adj']),
    limits: input.limits,
    cgroupParent: options['cgroup-parent'] ?? '',
    requireLimits: options['require-limits'] === true,
    timeoutMs: (wholeNumber('--timeout', options.timeout, 0) ?? 0) * 1000,
    logDriver: driver,
    logOptions: parseLogOptions(options['log-opt'], driver),
    restart: parseRestartPolicy(options.restart),
    scope: options.scope === 'job' ? 'job' : 'service',
    pidFile: absolute(options.pidfile, input.caller.cwd),
    usernsMode: options.userns ?? '',
    pidMode: mode('--pid', options.pid),
    ipcMode,
    utsMode,
    cgroupnsMode: mode('--cgroupns', options.cgroupns),
  };
}

/** docker's default, also for 0, which a tmpfs would take for no limit. */
function shmSize(text: string | undefined): number {
  const bytes = text === undefined ? 0 : parseSize(text, '--shm-size');
  return bytes === 0 ? 64 * 2 ** 20 : bytes;
}

function absolute(path: string | undefined, cwd: string): string | undefined {
  return path === undefined || path.startsWith('/') ? path : `${cwd}/${path}`;
}

function logDriver({ 'log-driver': driver, rm, tty }: CreateOptions): HostSpec['logDriver'] {
  // Nobody can read the log of a container that is gone: --rm keeps none unless asked.
  if (driver === undefined || driver === '') return rm === true ? 'none' : 'json-file';
  if (driver === 'passthrough' && tty === true)
    throw new EngineError(
      'USAGE',
      '--log-driver passthrough: not with --tty, which needs a terminal of its own',
    );
  if (driver === 'json-file' || driver === 'journald' || driver === 'none' || driver === 'passthrough')
    return driver;
  throw new EngineError(
    'USAGE',
    `--log-driver ${JSON.stringify(driver)}: not supported; use json-file, journald, none or passthrough`,
  );
}

function oomScoreAdj(value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= -1000 && value <= 1000)) return value;
  throw new EngineError(
    'USAGE',
    `--oom-score-adj ${value}: invalid value, range for oom score adj is [-1000, 1000]`,
  );
}

/** Seconds. @throws USAGE */
export function wholeNumber(flag: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= least && value < 2 ** 31)) return value;
  throw new EngineError('USAGE', `${flag} ${value}: expected a whole number of seconds`);
}
