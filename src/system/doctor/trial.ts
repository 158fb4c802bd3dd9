// A real container, made the way `run` makes one: on the store's own file system, with overlay, proc, sysfs and devpts,
// once without and once with the network program. Its command does not exist, so the one good end is 127, "not found":
// then every step before the exec has worked, and no program of an image was needed.

import { closeSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { removeTree, tryContainer } from '../../native/launch.ts';
import type { HelperPlan, NetworkHelper } from '../../native/plan.ts';
import { prepareNetwork } from '../../network/connect.ts';
import { chooseIdMap } from '../../runtime/idmap.ts';
import { readIdMapInput } from '../../runtime/idmap-input.ts';
import type { DoctorParts, Finding } from './types.ts';

const NOT_FOUND = 127;

export async function checkContainer(parts: DoctorParts): Promise<Finding> {
  const { status, stderr } = await trial(parts, undefined);
  if (status === NOT_FOUND) {
    return {
      id: 'container',
      status: 'ok',
      summary: 'a container with its own namespaces and overlay root could be made',
    };
  }
  return {
    id: 'container',
    status: 'fail',
    summary: lastLine(stderr, `no container can be made (status ${status})`),
  };
}

/** To be asked only when a container can be made at all. */
export async function checkConnectedContainer(parts: DoctorParts): Promise<Finding> {
  const id = 'network';
  const { idMap } = chooseIdMap(readIdMapInput(parts, undefined));
  let helper: NetworkHelper | undefined;
  try {
    ({ helper } = await prepareNetwork(parts, {
      id: `doctor${process.pid}`,
      mode: 'default',
      containerName: '',
      hostname: 'doctor',
      publish: [],
      publishAll: false,
      exposedPorts: [],
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      extraHosts: [],
      hostUserNamespace: idMap === undefined,
      hostUid: parts.hostUid,
      highestGid: 0,
    }));
  } catch (error) {
    return { id, status: 'warn', summary: error instanceof Error ? error.message : String(error) };
  }
  if (helper === undefined) {
    return { id, status: 'warn', summary: 'the host has no default route: containers have a loopback alone' };
  }
  const { status, stderr } = await trial(parts, helper);
  if (status === NOT_FOUND) {
    return { id, status: 'ok', summary: `${helper.kind} connected a container to the network` };
  }
  return {
    id,
    status: 'warn',
    summary: lastLine(stderr, `${helper.kind} could not connect a container (status ${status})`),
  };
}

async function trial(
  parts: DoctorParts,
  networkHelper: NetworkHelper | undefined,
): Promise<{ status: number; stderr: string }> {
  const dir = mkdtempSync(`${parts.paths.graphRoot}/.doctor-`);
  let lockFd: number | undefined;
  try {
    for (const name of ['lower', 'upper', 'work']) mkdirSync(`${dir}/${name}`, { mode: 0o755 });
    lockFd = openSync(`${dir}/lock`, 'w');
    return await tryContainer(planOf(parts, dir, networkHelper));
  } catch (error) {
    return { status: -1, stderr: error instanceof Error ? error.message : String(error) };
  } finally {
    if (lockFd !== undefined) closeSync(lockFd);
    // overlay leaves work/work behind, mode 000, and what the container's root made.
    await removeTree(dir, chooseIdMap(readIdMapInput(parts, undefined)).idMap);
  }
}

function planOf(parts: DoctorParts, dir: string, networkHelper: NetworkHelper | undefined): HelperPlan {
  const { user } = chooseIdMap(readIdMapInput(parts, undefined));
  return {
    namespaces: {
      user,
      pid: { kind: 'new' },
      net: { kind: 'new' },
      ipc: { kind: 'new' },
      uts: { kind: 'new' },
      cgroup: { kind: 'new' },
    },
    rootfs: {
      kind: 'overlay',
      lower: [`${dir}/lower`],
      upper: `${dir}/upper`,
      work: `${dir}/work`,
      noDev: false,
    },
    rootPropagation: 'rprivate',
    setup: [
      { op: 'proc', target: '/proc' },
      { op: 'sysfs', target: '/sys', readOnly: true },
      { op: 'tmpfs', target: '/dev', flags: { noSuid: true }, data: 'mode=755,size=65536k' },
      { op: 'devpts', target: '/dev/pts' },
    ],
    hostname: 'doctor',
    sysctls: [],
    process: {
      args: ['/doctor'],
      env: ['PATH=/bin'],
      cwd: '/',
      createCwd: false,
      containerUid: 0,
      containerGid: 0,
      additionalGids: [],
      keepGroups: false,
      capabilities: { bounding: 0n, effective: 0n, permitted: 0n, inheritable: 0n, ambient: 0n },
      noNewPrivileges: false,
      seccomp: 'default',
      rlimits: [],
      init: false,
    },
    stdio: { kind: 'inherit', stdin: false },
    ...(networkHelper === undefined ? {} : { networkHelper }),
    lifetime: {
      containerDir: dir,
      lockFd: -1,
      removeOnExit: false,
      removePaths: [],
      timeoutMs: 0,
      dieWithParent: true,
    },
    label: '/doctor',
  };
}

/** The helper's own message, without its prefix. */
function lastLine(stderr: string, otherwise: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Hint:'));
  return lines.at(-1)?.replace(/^Error: /, '') ?? otherwise;
}
