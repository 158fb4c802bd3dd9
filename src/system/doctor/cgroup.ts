// Can limits (--memory, --cpus, --pids-limit) be set? Needs cgroup v2 and a group of ours with the controllers in it.

import { accessSync, constants } from 'node:fs';
import { readFileIfExists } from '../../core/fs.ts';
import { sudo, type DoctorParts, type Finding } from './types.ts';

const ID = 'cgroup';

export interface CgroupFacts {
  /** cgroup.controllers of the root of the hierarchy; undefined: no cgroup v2. */
  root: string | undefined;
  /** Our own group's path and controllers, and whether we may make groups in it. */
  path: string;
  controllers: string;
  writable: boolean;
}

export function checkCgroup(parts: DoctorParts): Finding {
  const path = /^0::(.*)$/m.exec(readFileIfExists('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  const folder = `/sys/fs/cgroup${path === '/' ? '' : path}`;
  return describeCgroup(parts, {
    root: readFileIfExists('/sys/fs/cgroup/cgroup.controllers'),
    path,
    controllers: readFileIfExists(`${folder}/cgroup.controllers`) ?? '',
    writable: isWritable(folder),
  });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** (pure) */
export function describeCgroup(parts: Pick<DoctorParts, 'hostUid'>, facts: CgroupFacts): Finding {
  if (facts.root === undefined) {
    return {
      id: ID,
      status: 'note',
      summary:
        'the host has no cgroup v2 (boot it with systemd.unified_cgroup_hierarchy=1): limits such as --memory and --cpus cannot be honoured',
    };
  }
  const missing = ['memory', 'pids', 'cpu'].filter((name) => !facts.controllers.split(/\s+/).includes(name));
  if (facts.writable && missing.length === 0) {
    return { id: ID, status: 'ok', summary: `cgroup v2, ${facts.path} is ours: limits can be set` };
  }
  return {
    id: ID,
    status: 'note',
    summary: facts.writable
      ? `cgroup v2 without ${missing.join(', ')} in ${facts.path}: limits on these cannot be set`
      : `cgroup v2, but ${facts.path} is not delegated to us: limits need a login session with systemd`,
    mend: {
      command: sudo(
        parts,
        `mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | ${sudo(parts, 'tee /etc/systemd/system/user@.service.d/delegate.conf')}`,
      ),
      changes: 'lets each login session limit memory, cpu and processes, from the next login on',
    },
  };
}
