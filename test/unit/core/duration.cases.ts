// Go's time.ParseDuration and Duration.String.

export const PARSED: readonly [text: string, ns: number][] = [
  ['0', 0],
  ['0s', 0],
  ['+5s', 5e9],
  ['-1.5h', -5400e9],
  ['30s', 30e9],
  ['1m30s', 90e9],
  ['1h0m0.5s', 3600.5e9],
  ['.5s', 5e8],
  ['5.s', 5e9],
  ['0.3s', 3e8],
  ['1.000000001s', 1_000_000_001],
  ['100ms', 1e8],
  ['3us4ns', 3004],
  ['7µs', 7000],
  ['7μs', 7000],
];

export const REFUSED: readonly [text: string, problem: string][] = [
  ['', 'time: invalid duration ""'],
  ['-', 'time: invalid duration "-"'],
  ['.', 'time: invalid duration "."'],
  ['.s', 'time: invalid duration ".s"'],
  ['s', 'time: invalid duration "s"'],
  ['abc', 'time: invalid duration "abc"'],
  ['1s2', 'time: missing unit in duration "1s2"'],
  ['5', 'time: missing unit in duration "5"'],
  ['1.2.3s', 'time: missing unit in duration "1.2.3s"'],
  ['5x', 'time: unknown unit "x" in duration "5x"'],
  ['1d', 'time: unknown unit "d" in duration "1d"'],
  ['5 s', 'time: unknown unit " s" in duration "5 s"'],
  ['1m s', 'time: unknown unit "m s" in duration "1m s"'],
  ['1constructors', 'time: unknown unit "constructors" in duration "1constructors"'],
  ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
  ['9999999h', 'time: invalid duration "9999999h"'],
];

export const FORMATTED: readonly [ns: number, text: string][] = [
  [0, '0s'],
  [1, '1ns'],
  [1500, '1.5µs'],
  [1e6, '1ms'],
  [250e6, '250ms'],
  [1.5e9, '1.5s'],
  [30e9, '30s'],
  [90e9, '1m30s'],
  [3600e9, '1h0m0s'],
  [90061e9, '25h1m1s'],
];
