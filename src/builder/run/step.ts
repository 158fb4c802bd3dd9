// A RUN vertex: from its snapshot to an upper directory.

import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { decodeBytes, encodeBytes } from '../../core/bytes.ts';
import { EngineError } from '../../core/errors.ts';
import type { HelperPlan, SetupOp } from '../../native/plan.ts';
import { addon } from '../../native/addon.ts';
import { prepareNetwork } from '../../network/connect.ts';
import { checkMapped, isRootAlone } from '../../runtime/mapped-ids.ts';
import { ownCapabilities } from '../../runtime/own-capabilities.ts';
import { readRootFile } from '../../runtime/root-file.ts';
import { resolveUser, type AccountFiles } from '../../runtime/users.ts';
import type { RunVertex } from '../graph.ts';
import type { RunSettings } from '../options.ts';
import type { BuildIds, BuildParts } from '../parts.ts';
import type { HeldTrees } from '../snapshot.ts';
import { execute } from './execute.ts';
import type { HeldMounts } from './mounts.ts';
import { mountPointsOf, planRun } from './plan.ts';
import { placesOf, stubsIn } from './stubs.ts';

export interface RunStep {
  vertex: RunVertex;
  ids: BuildIds;
  settings: RunSettings;
  lower: HeldTrees;
  /** As of StepPlace. */
  trees: () => readonly string[];
  upper: string;
  work: string;
  containerDir: string;
  mounts: HeldMounts;
  /** Empty folder of the host, for a script. */
  scriptDir: string;
}

/** docker's name for the machine that builds: a name of this host would show in the result. */
const HOSTNAME = 'buildkitsandbox';

/** As in every container with a terminal. */
const TERM = 'TERM=xterm';

/** @returns what its mounts left in the upper directory. @throws BUILD_STEP_FAILED for a command that fails, CANCELLED */
export async function runStep(
  parts: BuildParts,
  step: RunStep,
  onOutput: (stream: 1 | 2, text: Uint8Array) => void,
): Promise<string[]> {
  const plan = await planOf(parts, step);
  const places = placesOf({ trees: step.trees(), isOpaque }, mountPointsOf(plan));
  const { status } = await execute({
    plan,
    dirs: step.lower.dirs,
    onStarted: () => step.lower.close(),
    stdio: onOutput,
    signal: parts.signal,
  });
  if (status !== 0) throw failed(step.vertex, status);
  return stubsIn(step.upper, places);
}

/** @param shell instead of the step's own command: what runs on a terminal */
export async function planOf(parts: BuildParts, step: RunStep, shell?: string): Promise<HelperPlan> {
  const { vertex, ids, settings, mounts } = step;
  const accounts = readAccounts(step.trees());
  const account = resolveUser(vertex.user, accounts);
  if (!isRootAlone(ids.idMap)) checkMapped(account, ids.idMap, vertex.user);
  const network = await networkOf(parts, step);
  return planRun({
    user: ids.user,
    idMap: ids.idMap,
    lower: step.lower.lower,
    upper: step.upper,
    work: step.work,
    containerDir: step.containerDir,
    args: shell === undefined ? vertex.args : [shell],
    env: environmentOf(vertex, [...mounts.env, ...(shell === undefined ? [] : [TERM])], account.home),
    tty: shell !== undefined,
    cwd: vertex.cwd,
    account,
    privileged: vertex.insecure,
    ulimits: settings.ulimits,
    shmSizeBytes: settings.shmSizeBytes,
    mounts: [...mounts.ops, ...scriptOp(vertex, step.scriptDir)],
    hostname: HOSTNAME,
    network,
    available: ids.idMap === undefined ? ownCapabilities() : undefined,
    seccomp: vertex.insecure ? 'unconfined' : 'default',
    isOnHost: existsSync,
  });
}

function failed({ args }: RunVertex, status: number): EngineError {
  return new EngineError(
    'BUILD_STEP_FAILED',
    `process ${JSON.stringify(args.join(' '))} did not complete successfully: exit code: ${status}`,
    { exitCode: 1 },
  );
}

/** Later ones win. */
function environmentOf({ env, hiddenEnv }: RunVertex, secrets: readonly string[], home: string): string[] {
  const all = new Map<string, string>();
  const add = (entry: string): void => void all.set(entry.split('=', 1)[0] as string, entry);
  hiddenEnv.forEach(add);
  env.forEach(add);
  secrets.forEach(add);
  if (!all.has('HOME')) add(`HOME=${home}`);
  return [...all.values()];
}

/** A file of the host: nothing can be executed in the scratch space of the helper. */
function scriptOp({ script }: RunVertex, dir: string): SetupOp[] {
  if (script === undefined) return [];
  const source = `${dir}/script`;
  writeFileSync(source, encodeBytes(script.content), { mode: 0o755 });
  chmodSync(source, 0o755);
  const flags = { readOnly: true };
  return [
    {
      op: 'bind',
      source,
      target: script.path,
      recursive: false,
      flags,
      propagation: 'rprivate',
      create: 'file',
    },
  ];
}

async function networkOf(
  parts: BuildParts,
  { vertex, ids, settings }: RunStep,
): Promise<Parameters<typeof planRun>[0]['network']> {
  const plan = await prepareNetwork(parts, {
    id: `build${process.pid}x${networks++}`,
    mode: vertex.network === 'default' ? settings.network : vertex.network,
    containerName: '',
    hostname: HOSTNAME,
    publish: [],
    publishAll: false,
    exposedPorts: [],
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    extraHosts: settings.addHost,
    hostUserNamespace: ids.idMap === undefined,
    hostUid: parts.hostUid,
    highestGid: highestGid(ids),
  });
  for (const note of plan.notes) parts.log.warn(note);
  const { hosts, resolvConf, hostname } = plan.files;
  return {
    namespace: plan.namespace,
    helper: plan.helper,
    sysctls: plan.sysctls,
    files: [
      { target: '/etc/hosts', content: hosts },
      { target: '/etc/hostname', content: hostname },
      { target: '/etc/resolv.conf', content: resolvConf },
    ],
  };
}

let networks = 0;

/** The kernel takes no more than 2^31 - 1 in ping_group_range. */
function highestGid({ idMap }: BuildIds): number {
  if (idMap === undefined) return 2 ** 31 - 1;
  return Math.max(...idMap.gid.map(({ containerID, size }) => containerID + size - 1));
}

/** @param trees topmost first */
export function readAccounts(trees: readonly string[]): AccountFiles {
  const stack = { trees, isOpaque };
  const text = (path: string): string | undefined => {
    const bytes = readRootFile(stack, path);
    return bytes === undefined ? undefined : decodeBytes(bytes);
  };
  return { passwd: text('/etc/passwd'), group: text('/etc/group') };
}

export function isOpaque(hostPath: string): boolean {
  return addon().lgetxattr(encodeBytes(hostPath), 'user.overlay.opaque')?.toString('latin1') === 'y';
}
