// Where the store is: can it be written, on what kind of file system, how much is free?

import { mkdirSync, rmSync, mkdtempSync, statfsSync } from 'node:fs';
import { errnoOf } from '../../core/errors.ts';
import { readFileIfExists } from '../../core/fs.ts';
import { findMount } from './mounts.ts';
import { sudo, type DoctorParts, type Finding } from './types.ts';

const MIN_BYTES = 1 << 30;
const MIN_INODES = 20_000;

/** File systems on which overlay cannot have its upper folder, or locks and renames are not to be trusted. */
const REMOTE = new Set(['nfs', 'nfs4', 'cifs', 'smb3', '9p', 'ceph', 'afs', 'lustre', 'fuse.sshfs']);

export function checkStore(parts: DoctorParts): Finding[] {
  const { graphRoot } = parts.paths;
  try {
    mkdirSync(graphRoot, { recursive: true, mode: 0o700 });
    rmSync(mkdtempSync(`${graphRoot}/.doctor-`), { recursive: true });
  } catch (error) {
    return [
      {
        id: 'store',
        status: 'fail',
        summary: `the store ${graphRoot} cannot be written (${errnoOf(error) ?? 'error'})`,
        mend: {
          command: 'export SKIFF_ROOT=/path/on/a/local/disk',
          changes: 'puts the store elsewhere, for this shell',
        },
      },
    ];
  }
  const mount = findMount(readFileIfExists('/proc/self/mountinfo') ?? '', graphRoot);
  const stat = statfsSync(graphRoot, { bigint: true });
  return [
    describeFileSystem(graphRoot, mount?.type),
    describeSpace({
      bytes: Number(stat.bavail * stat.bsize),
      inodes: Number(stat.ffree),
      inodesTotal: Number(stat.files),
    }),
  ];
}

/** (pure) */
export function describeFileSystem(graphRoot: string, type: string | undefined): Finding {
  if (type !== undefined && REMOTE.has(type)) {
    return {
      id: 'store',
      status: 'warn',
      summary: `the store ${graphRoot} is on ${type}: other machines' locks and overlay mounts do not work there`,
      mend: {
        command: 'export SKIFF_ROOT=/path/on/a/local/disk',
        changes: 'puts the store elsewhere, for this shell',
      },
    };
  }
  return {
    id: 'store',
    status: 'ok',
    summary: `the store ${graphRoot} (${type ?? 'unknown file system'}) can be written`,
  };
}

/** (pure) */
export function describeSpace({
  bytes,
  inodes,
  inodesTotal,
}: {
  bytes: number;
  inodes: number;
  inodesTotal: number;
}): Finding {
  // btrfs and others count no inodes.
  const fewInodes = inodesTotal > 0 && inodes < MIN_INODES;
  const summary = `${(bytes / 1e9).toFixed(1)} GB${inodesTotal > 0 ? ` and ${inodes} inodes` : ''} are free for the store`;
  if (bytes >= MIN_BYTES && !fewInodes) return { id: 'space', status: 'ok', summary };
  return {
    id: 'space',
    status: 'warn',
    summary,
    mend: { command: 'skiff system prune', changes: 'removes stopped containers and what no image uses' },
  };
}

export function checkRuntimeDir(parts: DoctorParts, ensure: (path: string) => void): Finding {
  const { runRoot } = parts.paths;
  try {
    ensure(runRoot);
  } catch (error) {
    return {
      id: 'runtime-dir',
      status: 'fail',
      summary: error instanceof Error ? error.message : String(error),
      mend: {
        command: sudo(
          parts,
          `install -d -m 700 -o ${parts.hostUid} -g ${parts.hostGid} /run/user/${parts.hostUid}`,
        ),
        changes: 'makes the runtime folder that a login session would have made, until the next boot',
      },
    };
  }
  if (parts.hostUid !== 0 && parts.env['XDG_RUNTIME_DIR'] === undefined) {
    return {
      id: 'runtime-dir',
      status: 'note',
      summary: `XDG_RUNTIME_DIR is not set (no login session): ${runRoot} is used, private to you`,
    };
  }
  return { id: 'runtime-dir', status: 'ok', summary: `${runRoot} is private and can be written` };
}
