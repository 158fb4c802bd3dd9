import { expect, it } from 'vitest';
import { goTime, humanAgo, humanDuration, humanMemory, humanSize } from '../../../src/cli/human.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// Values of go-units' own tests where it has them.
it.each([
  [0, '0B'],
  [1, '1B'],
  [999, '999B'],
  [1000, '1kB'],
  [1024, '1.02kB'],
  [1_234_567, '1.23MB'],
  [999_999, '1MB'],
  [187_000_000, '187MB'],
  [1_000_000_000_000, '1TB'],
])('humanSize(%i) = %s', (bytes, text) => {
  expect(humanSize(bytes)).toBe(text);
});

it.each([
  [1024, '1KiB'],
  [1024 * 1024, '1MiB'],
  [536_870_912, '512MiB'],
  [1_234_567_890, '1.15GiB'],
])('humanMemory(%i) = %s', (bytes, text) => {
  expect(humanMemory(bytes)).toBe(text);
});

it.each([
  [450, 'Less than a second'],
  [SECOND, '1 second'],
  [47 * SECOND, '47 seconds'],
  [MINUTE + 3 * SECOND, 'About a minute'],
  [35 * MINUTE + 40 * SECOND, '35 minutes'],
  [HOUR, 'About an hour'],
  [HOUR + 45 * MINUTE, '2 hours'],
  [47 * HOUR, '47 hours'],
  [2 * DAY, '2 days'],
  [13 * DAY, '13 days'],
  [14 * DAY, '2 weeks'],
  [42 * DAY, '6 weeks'],
  [65 * DAY, '2 months'],
  [729 * DAY, '24 months'],
  [3 * 365 * DAY, '3 years'],
])('humanDuration(%i) = %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

it('tells how long ago, never in the future, and the time as Go does', () => {
  expect(humanAgo(0, 14 * DAY)).toBe('2 weeks ago');
  expect(humanAgo(5000, 0)).toBe('Less than a second ago');
  expect(goTime(Date.UTC(2026, 0, 2, 15, 4, 5))).toBe('2026-01-02 15:04:05 +0000 UTC');
});
