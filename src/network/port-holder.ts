// Who holds a port: /proc/net says the socket's inode, /proc/PID/fd whose it is. Only processes we may look into show.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** `nginx, pid 812`; undefined when it is not one of ours or nobody has it. */
export function findPortHolder(port: number, protocol: 'tcp' | 'udp'): string | undefined {
  const inodes = new Set(
    [protocol, `${protocol}6`].flatMap((table) =>
      socketInodes(attempt(() => readFileSync(`/proc/net/${table}`, 'utf8')) ?? '', port),
    ),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of attempt(() => readdirSync('/proc')) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const link = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (link !== undefined && inodes.has(link)) {
        const name = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? 'a process';
        return `${name.replace(/[^\x20-\x7e]/g, '?')}, pid ${pid}`;
      }
    }
  }
  return undefined;
}

/** Links `socket:[INODE]` of the sockets that listen on `port`. proc_net_tcp: sl local remote st … inode. (pure) */
export function socketInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    // 0A: listening; 07: an unconnected datagram socket.
    const matches = columns[1]?.endsWith(suffix) === true && (columns[3] === '0A' || columns[3] === '07');
    return matches ? [`socket:[${columns[9] ?? ''}]`] : [];
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // gone, or not ours to look at
  }
}
