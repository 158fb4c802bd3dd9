// Go's durations, as docker and podman take and print them: 30s, 1m30s, 1.5h. (pure)

const NANOSECONDS = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['\u00b5s', 1e3],
  ['\u03bcs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);
/** An int64 of nanoseconds, in Go. */
const LONGEST = 2 ** 63;

/** Nanoseconds, or what is wrong, in Go's words. */
export function parseDuration(text: string): { ns: number } | { problem: string } {
  const quoted = JSON.stringify(text);
  const invalid = { problem: `time: invalid duration ${quoted}` };
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  let left = text.slice(sign.length);
  if (left === '0') return { ns: 0 };
  if (left === '') return invalid;
  let ns = 0;
  while (left !== '') {
    const [whole, integer = '', fraction = '', unit = ''] = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(left) ?? [''];
    if (integer === '' && fraction === '') return invalid;
    if (unit === '') return { problem: `time: missing unit in duration ${quoted}` };
    const size = NANOSECONDS.get(unit);
    if (size === undefined)
      return { problem: `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}` };
    ns += Number(integer) * size + Math.trunc(Number(`0${fraction}`) * (size / 10 ** fraction.length));
    if (ns >= LONGEST) return invalid;
    left = left.slice(whole.length);
  }
  return { ns: sign === '-' ? -ns : ns };
}

/** As Go prints it: 1m30s, 1h0m0s, 1.5s, 100ms. `ns` is not negative. */
export function formatDuration(ns: number): string {
  if (ns === 0) return '0s';
  const small = [
    ['ns', 1e3],
    ['µs', 1e6],
    ['ms', 1e9],
  ] as const;
  for (const [unit, limit] of small) if (ns < limit) return `${ns / (limit / 1e3)}${unit}`;
  const minutes = Math.floor(ns / 60e9);
  const seconds = `${(ns - minutes * 60e9) / 1e9}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}
