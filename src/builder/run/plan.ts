// A RUN → the plan for the helper (pure): the isolation of `run`, on an overlay whose upper directory becomes the layer.

import type {
  HelperPlan,
  NetworkHelper,
  NamespaceChoice,
  SetupOp,
  UserNamespace,
} from '../../native/plan.ts';
import { capabilityMask, capabilitySets } from '../../runtime/capabilities.ts';
import { isRootAlone, mappedGids } from '../../runtime/mapped-ids.ts';
import { MASKED_PATHS, mayOpenDevices, planMounts, READONLY_PATHS } from '../../runtime/mounts.ts';
import { toRlimit, type Ulimit } from '../../runtime/ulimits.ts';
import type { ResolvedUser } from '../../runtime/users.ts';
import type { IdMap } from '../../native/plan.ts';

export interface RunPlanInput {
  user: UserNamespace;
  idMap: IdMap | undefined;
  /** Topmost first. */
  lower: string[];
  upper: string;
  work: string;
  /** Scratch of the helper's; removed by it at the end. */
  containerDir: string;
  args: readonly string[];
  env: readonly string[];
  /** It has a terminal, which it reads from. */
  tty: boolean;
  cwd: string;
  account: ResolvedUser;
  /** --security=insecure */
  privileged: boolean;
  ulimits: readonly Ulimit[];
  shmSizeBytes: number;
  /** What --mount asks for, in order. */
  mounts: readonly SetupOp[];
  hostname: string;
  network: {
    namespace: NamespaceChoice;
    helper: NetworkHelper | undefined;
    files: readonly { target: string; content: string }[];
    sysctls: readonly [name: string, value: string][];
  };
  /** As of PlanInput in runtime/plan.ts. */
  available: bigint | undefined;
  seccomp: HelperPlan['process']['seccomp'];
  isOnHost: (hostPath: string) => boolean;
}

export function planRun(input: RunPlanInput): HelperPlan {
  const { user, account, privileged, network } = input;
  const inUserNamespace = user.kind !== 'host';
  const asked = capabilityMask({ add: [], drop: [], privileged });
  const mask = input.available === undefined ? asked : asked & input.available;
  const emulateIds = isRootAlone(input.idMap);
  const own: NamespaceChoice = { kind: 'new' };
  return {
    namespaces: { user, net: network.namespace, pid: own, ipc: own, uts: own, cgroup: own },
    rootfs: {
      kind: 'overlay',
      lower: input.lower,
      upper: input.upper,
      work: input.work,
      noDev: !mayOpenDevices({ inUserNamespace, privileged }),
    },
    rootPropagation: 'rprivate',
    setup: setupOf(input, inUserNamespace),
    hostname: input.hostname,
    sysctls: [...network.sysctls],
    process: {
      args: [...input.args],
      env: [...input.env],
      cwd: input.cwd,
      createCwd: true,
      containerUid: account.containerUid,
      containerGid: account.containerGid,
      additionalGids: emulateIds ? account.additionalGids : mappedGids(account.additionalGids, input.idMap),
      keepGroups: false,
      capabilities: capabilitySets(mask, account.containerUid),
      noNewPrivileges: false,
      seccomp: input.seccomp,
      rlimits: input.ulimits.map(toRlimit),
      init: false,
      emulateIds,
    },
    stdio: input.tty ? { kind: 'tty', stdin: true } : { kind: 'inherit', stdin: false },
    ...(network.helper === undefined ? {} : { networkHelper: network.helper }),
    lifetime: {
      containerDir: input.containerDir,
      lockFd: -1,
      // The upper directory is elsewhere. It need not survive a power cut before it is a layer: no wait for the disk.
      removeOnExit: true,
      removePaths: [],
      timeoutMs: 0,
      dieWithParent: true,
    },
    label: input.args[0] ?? '',
  };
}

/** Those of --mount go where a container's own would: between /dev and the masks. */
function setupOf(input: RunPlanInput, inUserNamespace: boolean): SetupOp[] {
  const { privileged } = input;
  const ops = planMounts({
    mounts: [],
    isDirectory: () => true,
    isOnHost: input.isOnHost,
    files: input.network.files,
    devices: [],
    shmSizeBytes: input.shmSizeBytes,
    privileged,
    readOnlyRootfs: false,
    hostPid: false,
    hostIpc: false,
    inUserNamespace,
    maskedPaths: privileged ? [] : MASKED_PATHS,
    readonlyPaths: privileged ? [] : READONLY_PATHS,
  });
  const masks = ops.findIndex(({ op }) => op === 'mask' || op === 'readonly');
  const at = masks < 0 ? ops.length : masks;
  return [...ops.slice(0, at), ...input.mounts, ...ops.slice(at)];
}

/** Container paths where the plan mounts something. */
export function mountPointsOf({ setup }: HelperPlan): string[] {
  return setup.flatMap((op) =>
    op.op === 'mask' || op.op === 'readonly' || op.op === 'remount-root-readonly' || op.op === 'symlink'
      ? []
      : [op.target],
  );
}
