// Subordinate ids and the two setuid programs that map them: with them a container has 65536 users, without them one.

import { installCommand } from '../../core/package-manager.ts';
import { readFileIfExists } from '../../core/fs.ts';
import { runInUserNamespace } from '../../native/launch.ts';
import { chooseIdMap, freeRangeStart, type IdMapInput } from '../../runtime/idmap.ts';
import { readIdMapInput } from '../../runtime/idmap-input.ts';
import { sudo, type DoctorParts, type Finding } from './types.ts';

const ID = 'id-ranges';

export async function checkIdRanges(parts: DoctorParts): Promise<Finding> {
  if (parts.hostUid === 0) return { id: ID, status: 'ok', summary: 'root needs no subordinate ids' };
  const input = readIdMapInput(parts, undefined);
  const lacking = explainIdRanges(input, readFileIfExists('/etc/os-release') ?? '');
  if (lacking !== undefined) return lacking;
  const { idMap } = chooseIdMap(input);
  const child = runInUserNamespace({
    idMap,
    argv: [process.execPath, '--version'],
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  const { status } = await child.result.catch(() => ({ status: -1 }));
  const ids = (idMap?.uid ?? []).reduce((sum, { size }) => sum + size, 0);
  if (status === 0) return { id: ID, status: 'ok', summary: `newuidmap and newgidmap mapped ${ids} ids` };
  return explainFailedMap(
    parts,
    ids,
    Buffer.concat(said).toString(),
    readFileIfExists('/proc/self/status') ?? '',
  );
}

/** said: the helper's stderr. selfStatus: /proc/self/status. (pure) */
export function explainFailedMap(
  parts: Pick<DoctorParts, 'hostUid'>,
  ids: number,
  said: string,
  selfStatus: string,
): Finding {
  if (/^NoNewPrivs:\s*1$/m.test(selfStatus)) {
    return {
      id: ID,
      status: 'fail',
      summary: `${ids} ids cannot be mapped: this shell or service runs with no_new_privs, under which newuidmap gains no rights`,
    };
  }
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !/^hint:/i.test(line));
  return {
    id: ID,
    status: 'fail',
    summary: `${ids} ids cannot be mapped: ${lines.at(-1)?.replace(/^error: /i, '') ?? 'newuidmap failed'}`,
    mend: {
      command: sudo(parts, 'chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap'),
      changes: 'lets the two programs map subordinate ids, as the package ships them',
    },
  };
}

/** What is missing; undefined when everything looks there. (pure) */
export function explainIdRanges(input: IdMapInput, osRelease: string): Finding | undefined {
  const name = input.userName ?? String(input.hostUid);
  if (!input.hasNewidmap) {
    return {
      id: ID,
      status: 'warn',
      summary: 'newuidmap and newgidmap are not installed: containers have a single user',
      mend: { command: installCommand('newuidmap', osRelease), changes: 'installs the two programs' },
    };
  }
  const choice = chooseIdMap(input);
  if (choice.user.kind !== 'new' || choice.user.via !== 'self') return undefined;
  const start = freeRangeStart(input);
  const range = `${start}-${start + 65_535}`;
  return {
    id: ID,
    status: 'warn',
    summary: `${JSON.stringify(name)} has no range in /etc/subuid and /etc/subgid: containers have a single user`,
    mend: {
      command: `sudo usermod --add-subuids ${range} --add-subgids ${range} ${name}`,
      changes: `gives ${name} the ids ${range} for containers, for good`,
    },
  };
}
