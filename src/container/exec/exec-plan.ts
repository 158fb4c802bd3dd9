// ContainerSpec + flags of `exec` + what was looked up → ExecPlan. (pure) What is not said comes from the container, as
// docker has it: user, environment, directory, capabilities, filter, limits.

import { EngineError } from '../../core/errors.ts';
import type { CgroupEntry, ContainerProcess, ExecPlan } from '../../native/plan.ts';
import { capabilityMask, capabilitySets } from '../../runtime/capabilities.ts';
import { checkMapped, mappedGids } from '../../runtime/mapped-ids.ts';
import type { ContainerSpec } from '../../runtime/spec.ts';
import { toRlimit } from '../../runtime/ulimits.ts';
import { resolveUser, type AccountFiles, type ResolvedUser } from '../../runtime/users.ts';
import type { RunningContainer } from '../address.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../configure/detach-keys.ts';
import { extendEnvironment, type CallerEnv } from '../configure/environment.ts';
import type { KeyValueLine } from '../configure/key-value-file.ts';

/** Keys as in commands/exec.ts. */
export interface ExecOptions {
  detach: boolean | undefined;
  'detach-keys': string | undefined;
  env: string[];
  'env-file': string[];
  interactive: boolean | undefined;
  privileged: boolean | undefined;
  tty: boolean | undefined;
  user: string | undefined;
  workdir: string | undefined;
}

export interface ExecInput {
  spec: ContainerSpec;
  init: RunningContainer;
  /** The container as typed. */
  typed: string;
  words: readonly string[];
  options: ExecOptions;
  caller: CallerEnv;
  envLines: readonly KeyValueLine[];
  /** The container's account files as they are now; undefined unless --user asks for them. */
  accounts: AccountFiles | undefined;
  /** Its group; undefined: none of its own. */
  cgroup: CgroupEntry | undefined;
  /** The filter of the container. */
  seccomp: ContainerProcess['seccomp'];
  /** Capabilities we hold ourselves, where there is no user namespace: more cannot be given. */
  available: bigint | undefined;
  /** Our own OOM score, where that is the lowest we may set. */
  lowestOomScore: number | undefined;
  events: ExecPlan['events'];
}

/** @throws USAGE, USER_UNKNOWN */
export function planExec(input: ExecInput): ExecPlan {
  const { spec, init, options } = input;
  const detach = options.detach === true;
  const stdin = options.interactive === true && !detach;
  return {
    container: input.typed,
    pid: init.pid,
    startTicks: init.startTicks,
    process: processOf(input),
    stdio: options.tty === true ? { kind: 'tty', stdin } : { kind: 'inherit', stdin },
    detach,
    detachKeys: parseDetachKeys(options['detach-keys'] ?? DEFAULT_DETACH_KEYS),
    dieWithParent: !detach,
    cgroup: input.cgroup,
    ...(input.events === undefined ? {} : { events: input.events }),
  };

  function processOf({ words, caller, envLines, seccomp }: ExecInput): ContainerProcess {
    if (words.length === 0)
      throw new EngineError('USAGE', `executing in ${JSON.stringify(input.typed)}: no command specified`, {
        hint: 'add one after the container: skiff exec web ls',
      });
    const { process, host } = spec;
    const user = userOf(input);
    const containerUid = user?.containerUid ?? process.containerUid;
    return {
      args: [...words],
      env: extendEnvironment(process.env, {
        files: envLines,
        flags: options.env,
        caller,
        tty: options.tty === true,
        home: user === undefined ? undefined : homeOf(input, user),
      }),
      cwd: workdirOf(options.workdir) ?? process.cwd,
      createCwd: false,
      containerUid,
      containerGid: user?.containerGid ?? process.containerGid,
      additionalGids: mappedGids(user?.additionalGids ?? process.additionalGids, spec.idMap),
      keepGroups: process.keepGroups,
      capabilities: capabilitySets(maskOf(input), containerUid),
      noNewPrivileges: host.noNewPrivileges,
      seccomp,
      rlimits: host.ulimits.map(toRlimit),
      ...oomScoreOf(input),
      init: false,
    };
  }
}

/** undefined: the container's own. */
function userOf({ spec, options, accounts }: ExecInput): ResolvedUser | undefined {
  const text = options.user;
  if (text === undefined || text === '' || accounts === undefined) return undefined;
  const groups = spec.host.groupAdd.filter((group) => group !== 'keep-groups');
  const user = resolveUser(text, accounts, groups);
  checkMapped(user, spec.idMap, text);
  return user;
}

/** HOME follows the user, as with docker, unless somebody has set it to what is not the home of the container's user. */
function homeOf({ spec, accounts }: ExecInput, user: ResolvedUser): string | undefined {
  const { containerUid, env } = spec.process;
  const own = resolveUser(String(containerUid), accounts ?? { passwd: undefined, group: undefined });
  return env.includes(`HOME=${own.home}`) || !env.some((entry) => entry.startsWith('HOME='))
    ? user.home
    : undefined;
}

/** @throws USAGE */
function workdirOf(flag: string | undefined): string | undefined {
  if (flag === undefined || flag === '') return undefined;
  if (flag.startsWith('/')) return flag;
  throw new EngineError(
    'USAGE',
    `--workdir ${JSON.stringify(flag)}: the working directory is invalid, it needs to be an absolute path`,
  );
}

/** The container's set; with --privileged everything. */
function maskOf({ spec, options, available }: ExecInput): bigint {
  const { capAdd, capDrop, privileged } = spec.host;
  const asked = capabilityMask({
    add: capAdd,
    drop: capDrop,
    privileged: privileged || options.privileged === true,
  });
  return available === undefined ? asked : asked & available;
}

/** An ordinary user's processes may only be made likelier victims than their parent (proc_pid_oom_score_adj(5)). */
function oomScoreOf({ spec, lowestOomScore }: ExecInput): { oomScoreAdj?: number } {
  const score = spec.host.oomScoreAdj;
  return score === undefined ? {} : { oomScoreAdj: Math.max(score, lowestOomScore ?? score) };
}
