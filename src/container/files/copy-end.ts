// The two arguments of `cp`.

/** One end of a copy, as typed. */
export type CopyEnd =
  | { kind: 'container'; reference: string; path: string }
  | { kind: 'host'; path: string }
  | { kind: 'stream' };

/** docker's reading of `CONTAINER:PATH`, `PATH` and `-`; "./a:b" and "/a:b" are paths. (pure) */
export function parseCopyEnd(text: string): CopyEnd {
  if (text === '-') return { kind: 'stream' };
  const colon = text.indexOf(':');
  if (colon <= 0 || text.startsWith('/') || text.startsWith('.')) return { kind: 'host', path: text };
  return { kind: 'container', reference: text.slice(0, colon), path: text.slice(colon + 1) || '/' };
}

export type ContainerEnd = Extract<CopyEnd, { kind: 'container' }>;
export type HostEnd = Exclude<CopyEnd, ContainerEnd>;
