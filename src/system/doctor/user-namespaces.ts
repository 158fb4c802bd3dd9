// Can the caller make a user namespace? Tried; the kernel's switches are read only to name the one that forbids it.

import { readFileIfExists } from '../../core/fs.ts';
import { runInUserNamespace } from '../../native/launch.ts';
import { sudo, type DoctorParts, type Finding } from './types.ts';

export interface Switches {
  /** Debian's kernel.unprivileged_userns_clone */
  unprivilegedClone: string | undefined;
  /** user.max_user_namespaces */
  most: string | undefined;
  /** Ubuntu's kernel.apparmor_restrict_unprivileged_userns */
  appArmor: string | undefined;
}

export async function checkUserNamespaces(parts: DoctorParts): Promise<Finding> {
  const { hostUid, hostGid } = parts;
  const single = {
    uid: [{ containerID: 0, hostID: hostUid, size: 1 }],
    gid: [{ containerID: 0, hostID: hostGid, size: 1 }],
  };
  const child = runInUserNamespace({ idMap: single, argv: [process.execPath, '--version'], stdio: 'ignore' });
  const { status } = await child.result.catch(() => ({ status: -1 }));
  if (status === 0) {
    return { id: 'user-namespaces', status: 'ok', summary: 'a user namespace with one id could be made' };
  }
  return explainUserNamespaces(parts, {
    unprivilegedClone: sysctl('kernel/unprivileged_userns_clone'),
    most: sysctl('user/max_user_namespaces'),
    appArmor: sysctl('kernel/apparmor_restrict_unprivileged_userns'),
  });
}

function sysctl(name: string): string | undefined {
  return readFileIfExists(`/proc/sys/${name}`)?.trim();
}

/** (pure) */
export function explainUserNamespaces(parts: Pick<DoctorParts, 'hostUid'>, switches: Switches): Finding {
  const id = 'user-namespaces';
  // Root runs containers without one.
  const status = parts.hostUid === 0 ? 'note' : 'fail';
  const off = (name: string, value: string, why: string, changes: string): Finding => ({
    id,
    status,
    summary: `no user namespace can be made: ${why}`,
    mend: { command: sudo(parts, `sysctl ${name}=${value}`), changes: `${changes}, until the next boot` },
  });
  if (switches.unprivilegedClone === '0') {
    return off(
      'kernel.unprivileged_userns_clone',
      '1',
      'the kernel forbids them to ordinary users',
      'lets ordinary users make user namespaces',
    );
  }
  if (switches.most === '0') {
    return off(
      'user.max_user_namespaces',
      '15000',
      'their number is limited to 0',
      'allows 15000 user namespaces',
    );
  }
  if (switches.appArmor === '1') {
    return off(
      'kernel.apparmor_restrict_unprivileged_userns',
      '0',
      'AppArmor forbids them to programs without a profile (Ubuntu 23.10 and newer)',
      'lets programs without an AppArmor profile use user namespaces',
    );
  }
  return {
    id,
    status,
    summary:
      'no user namespace can be made: the container or service we run in forbids it (seccomp or a security module)',
    mend: {
      command: 'docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined IMAGE',
      changes: 'starts the outer container so that containers can be nested in it',
    },
  };
}
