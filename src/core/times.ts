// Modification times as the addon and a TarEntry have them: seconds rounded down, so that nanoseconds are positive before 1970 too. (pure)

const BILLION = 1_000_000_000n;

export function timesOf({ mtimeNs }: { mtimeNs: bigint }): { mtimeSec: number; mtimeNsec: number } {
  const nsec = ((mtimeNs % BILLION) + BILLION) % BILLION;
  return { mtimeSec: Number((mtimeNs - nsec) / BILLION), mtimeNsec: Number(nsec) };
}
