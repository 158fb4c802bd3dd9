// Can limits (--memory, --cpus, --pids-limit) be set, and do containers outlive the login? The same choice that a run makes.

import { chooseGroup, type Group, type NoGroup } from '../../cgroup/choose.ts';
import { readCgroupFacts } from '../../cgroup/facts.ts';
import { LINGER_COMMAND, lingers } from '../../cgroup/linger.ts';
import { DELEGATE_COMMAND } from '../../cgroup/mend.ts';
import { loginName } from '../../core/login-name.ts';
import type { DoctorParts, Finding } from './types.ts';

const ID = 'cgroup';

export function checkCgroup({ hostUid }: DoctorParts): Finding {
  const choice = chooseGroup(readCgroupFacts(hostUid), { id: 'doctor', parent: '', nonce: '' });
  return describeCgroup(choice, hostUid === 0 || lingers(loginName(hostUid)));
}

/** (pure) */
export function describeCgroup(choice: Group | NoGroup, lingering: boolean): Finding {
  if ('why' in choice) {
    const { why, mend } = choice;
    return {
      id: ID,
      status: 'note',
      summary: `limits such as --memory and --cpus cannot be honoured: ${why}; ${mend}`,
    };
  }
  const { scope } = choice;
  const where = placeOf(choice);
  const missing = missingOf(choice);
  if (missing.length > 0) {
    return {
      id: ID,
      status: 'note',
      summary: `${where}, without ${missing.join(', ')}: limits on ${missing.length === 1 ? 'that' : 'these'} cannot be honoured`,
      ...(scope !== undefined && {
        mend: {
          command: DELEGATE_COMMAND,
          changes: 'what systemd passes on to users, from the next login on',
        },
      }),
    };
  }
  if (scope !== undefined && !lingering) {
    return {
      id: ID,
      status: 'note',
      summary: `${where}: limits can be set; containers end when you log out`,
      mend: { command: LINGER_COMMAND, changes: 'lets what you run live on after the logout' },
    };
  }
  return { id: ID, status: 'ok', summary: `${where}: limits can be set` };
}

function placeOf({ cgroup, scope }: Group): string {
  if (cgroup.version === 1) return 'cgroup v1';
  if (scope !== undefined) return 'cgroup v2, in scopes of systemd';
  return `cgroup v2, below ${cgroup.path.slice(0, cgroup.path.lastIndexOf('/'))}`;
}

function missingOf({ cgroup, controllers }: Group): string[] {
  const wanted = ['memory', 'cpu', 'pids', 'cpuset', cgroup.version === 1 ? 'blkio' : 'io'];
  return wanted.filter((controller) => !controllers.includes(controller));
}
