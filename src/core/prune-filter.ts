// --filter of the prune commands: until= and label=. (pure)

import { EngineError } from './errors.ts';

export interface Prunable {
  createdMs: number;
  hasLabel: (text: string) => boolean;
}

/** True: it may go. @throws USAGE */
export function parsePruneFilter(filter: string, nowMs: number): (thing: Prunable) => boolean {
  const [, key, value] = /^(until|label|label!)=(.+)$/.exec(filter) ?? [];
  if (key === 'label' && value !== undefined) return (thing) => thing.hasLabel(value);
  if (key === 'label!' && value !== undefined) return (thing) => !thing.hasLabel(value);
  if (key === 'until' && value !== undefined) {
    const limit = parseUntil(value, nowMs);
    return (thing) => thing.createdMs < limit;
  }
  throw new EngineError('USAGE', `reading filter "${filter}": unknown filter`, {
    hint: 'filters are until=DURATION or until=TIME, label=KEY[=VALUE] and label!=KEY[=VALUE]',
  });
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** `10m`, `1h30m` ago, an RFC 3339 time or a date, or seconds since the epoch. */
function parseUntil(text: string, nowMs: number): number {
  const parts = [...text.matchAll(/(\d+)([smh])/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    return (
      nowMs -
      parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit as string] as number), 0)
    );
  }
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new EngineError('USAGE', `reading filter "until=${text}": neither a duration such as 24h nor a time`);
}
