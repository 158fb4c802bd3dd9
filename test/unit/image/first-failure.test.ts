import { expect, test } from 'vitest';
import { EngineError, type ErrorCode } from '../../../src/core/errors.ts';
import { FirstFailure } from '../../../src/image/first-failure.ts';

const error = (code: ErrorCode) => new EngineError(code, `doing "x": ${code}`);

test.each<[ErrorCode[], ErrorCode]>([
  [['CANCELLED'], 'CANCELLED'],
  [['NO_SPACE', 'CANCELLED', 'CANCELLED'], 'NO_SPACE'],
  [['CANCELLED', 'SIZE_MISMATCH', 'CANCELLED', 'NO_SPACE'], 'SIZE_MISMATCH'],
])('of %j it tells %s', (codes, told) => {
  let stopped = 0;
  const failures = new FirstFailure(() => stopped++);
  expect(failures.any).toBe(false);
  failures.throwIfAny();
  for (const code of codes) failures.add(error(code));
  expect([failures.any, stopped]).toEqual([true, codes.length]);
  expect(() => failures.throwIfAny()).toThrow(expect.objectContaining({ code: told }));
});
