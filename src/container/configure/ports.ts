// EXPOSE and --expose: `80`, `53/udp`, `8000-8010/tcp` → `80/tcp`, one entry a port. (pure)

import { EngineError } from '../../core/errors.ts';

/** Sorted, each once. Entries of the image that are malformed are dropped; those of the flag throw USAGE. */
export function exposedPorts(image: readonly string[], flags: readonly string[]): string[] {
  const ports = new Set<string>();
  for (const text of image) for (const port of expand(text) ?? []) ports.add(port);
  for (const text of flags) {
    const expanded = expand(text);
    if (expanded === undefined) {
      throw new EngineError(
        'USAGE',
        `--expose ${JSON.stringify(text)}: invalid range format, expected PORT[-PORT][/tcp|udp|sctp]`,
      );
    }
    for (const port of expanded) ports.add(port);
  }
  return [...ports].sort((a, b) => parseInt(a, 10) - parseInt(b, 10) || (a < b ? -1 : 1));
}

function expand(text: string): string[] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first < 1 || last > 65_535 || last < first) return undefined;
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`);
}
