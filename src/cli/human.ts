// Sizes and times as docker prints them (go-units), since scripts and eyes are used to that. Pure.

export { humanMemory, humanSize } from '../core/human-size.ts';

/** "2 weeks", "About an hour", "Less than a second". */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(ms / 3_600_000 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(ms / 3_600_000 / 24 / 365)} years`;
}

/** "2 weeks ago" */
export function humanAgo(whenMs: number, nowMs: number): string {
  return `${humanDuration(Math.max(0, nowMs - whenMs))} ago`;
}

/** Go's default form of a time, which docker prints for .CreatedAt: 2026-01-02 15:04:05 +0000 UTC, in UTC. */
export function goTime(whenMs: number): string {
  return `${new Date(whenMs).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
