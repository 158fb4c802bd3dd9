// Which entries `logs` shows, by docker's rules (moby, daemon/logger/loggerutils/logfile.go): --tail counts all entries,
// then --since and --until select among those.

/** Second of 2026-01-02T00:00 at which each was written. The clock was set back once, before `d`. */
export const ENTRIES: readonly [text: string, second: number, stream: 'stdout' | 'stderr'][] = [
  ['a\n', 1, 'stdout'],
  ['b\n', 2, 'stderr'],
  ['c\n', 5, 'stdout'],
  ['d\n', 3, 'stdout'],
  ['e ', 6, 'stderr'], // the first half of a long line
  ['f\n', 6, 'stderr'],
  ['g\n', 9, 'stdout'],
];

export interface Row {
  tail?: string;
  since?: string;
  until?: string;
  timestamps?: boolean;
  details?: boolean;
  stdout: string;
  stderr: string;
}

const at = (second: number | string): string => `2026-01-02T00:00:0${second}Z`;

export const ROWS: readonly Row[] = [
  { stdout: 'a\nc\nd\ng\n', stderr: 'b\ne f\n' },
  { tail: 'all', stdout: 'a\nc\nd\ng\n', stderr: 'b\ne f\n' },
  { tail: '-1', stdout: 'a\nc\nd\ng\n', stderr: 'b\ne f\n' },
  { tail: '0', stdout: '', stderr: '' },
  { tail: '1', stdout: 'g\n', stderr: '' },
  { tail: '2', stdout: 'g\n', stderr: 'f\n' },
  { tail: '7', stdout: 'a\nc\nd\ng\n', stderr: 'b\ne f\n' },
  { tail: '100', stdout: 'a\nc\nd\ng\n', stderr: 'b\ne f\n' },
  { since: at(2), stdout: 'c\nd\ng\n', stderr: 'b\ne f\n' },
  { since: at('2.000000001'), stdout: 'c\nd\ng\n', stderr: 'e f\n' },
  { since: at(5), stdout: 'c\nd\ng\n', stderr: 'e f\n' }, // d is older, but comes after
  { since: at('9.5'), stdout: '', stderr: '' },
  { until: at(2), stdout: 'a\n', stderr: 'b\n' },
  { until: at(4), stdout: 'a\n', stderr: 'b\n' }, // c ends it, before d
  { until: at(6), stdout: 'a\nc\nd\n', stderr: 'b\ne f\n' },
  { until: at(0), stdout: '', stderr: '' },
  { since: at(2), until: at(5), stdout: 'c\nd\n', stderr: 'b\n' },
  { since: at(6), until: at(2), stdout: '', stderr: '' },
  { tail: '3', since: at(7), stdout: 'g\n', stderr: '' },
  { tail: '1', until: at(6), stdout: '', stderr: '' },
  { tail: '3', until: at(6), stdout: '', stderr: 'e f\n' },
  {
    tail: '1',
    timestamps: true,
    stdout: '2026-01-02T00:00:09.000000000Z g\n',
    stderr: '',
  },
  { tail: '1', details: true, stdout: ' g\n', stderr: '' },
  {
    tail: '2',
    timestamps: true,
    details: true,
    stdout: '2026-01-02T00:00:09.000000000Z  g\n',
    stderr: '2026-01-02T00:00:06.000000000Z  f\n',
  },
];
