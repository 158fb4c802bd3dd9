// --sysctl NAME=VALUE: only names that belong to a namespace of the container may be set. (pure)

import { EngineError } from '../core/errors.ts';

/** Which of the container's namespaces are its own. */
export interface OwnNamespaces {
  ipc: boolean;
  net: boolean;
  uts: boolean;
}

const IPC_NAMES = new Set([
  'kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni', 'kernel.sem', 'kernel.shmall', 'kernel.shmmax', 'kernel.shmmni',
  'kernel.shm_rmid_forced',
]); // prettier-ignore

/** @throws USAGE for a malformed flag, a name of no namespace, or one whose namespace is shared. */
export function parseSysctl(text: string, own: OwnNamespaces): [name: string, value: string] {
  const at = text.indexOf('=');
  // Slashes are sysctl(8)'s other separator; both spellings mean the same file.
  const name = text.slice(0, at).trim().replaceAll('/', '.');
  if (at <= 0 || !/^[A-Za-z0-9_.:-]+$/.test(name) || name.split('.').some((part) => part === '')) {
    throw new EngineError(
      'USAGE',
      `--sysctl ${JSON.stringify(text)}: expected NAME=VALUE, for example net.ipv4.ip_forward=1`,
    );
  }
  const kind = namespaceOf(name);
  if (kind === undefined) {
    throw new EngineError(
      'USAGE',
      `--sysctl ${JSON.stringify(text)}: sysctl ${JSON.stringify(name)} is not in a separate kernel namespace`,
      {
        hint: 'net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm* can be set per container; set others on the host',
      },
    );
  }
  if (!own[kind]) {
    throw new EngineError(
      'USAGE',
      `--sysctl ${JSON.stringify(text)}: not allowed, the ${kind} namespace is not the container's own`,
      {
        hint:
          kind === 'net'
            ? 'leave out --network host or container:'
            : kind === 'ipc'
              ? 'leave out --ipc host or container:'
              : 'leave out --uts host',
      },
    );
  }
  return [name, text.slice(at + 1)];
}

function namespaceOf(name: string): keyof OwnNamespaces | undefined {
  if (IPC_NAMES.has(name) || name.startsWith('fs.mqueue.')) return 'ipc';
  if (name.startsWith('net.')) return 'net';
  if (name === 'kernel.domainname') return 'uts';
  return undefined;
}
