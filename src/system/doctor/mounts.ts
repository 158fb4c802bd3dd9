// /proc/self/mountinfo: on which mount does a path lie? (pure)

export interface Mount {
  point: string;
  /** ext4, nfs4, overlay… */
  type: string;
  options: string[];
}

/** The last mount over the longest prefix of `path` (absolute). Columns: proc_pid_mountinfo(5). */
export function findMount(mountinfo: string, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const [, , , , point, options] = before?.split(' ') ?? [];
    const type = after?.split(' ')[0];
    if (point === undefined || type === undefined) continue;
    const real = point.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(parseInt(octal, 8)),
    );
    const covers = real === '/' || path === real || path.startsWith(`${real}/`);
    if (covers && real.length >= (best?.point.length ?? 0)) {
      best = { point: real, type, options: options?.split(',') ?? [] };
    }
  }
  return best;
}
