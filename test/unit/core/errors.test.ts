import { expect, test } from 'vitest';
import { EngineError, retold } from '../../../src/core/errors.ts';

test('an error told in other words keeps what helps', () => {
  const cause = new Error('why');
  const error = new EngineError('CONTAINER_STATE', 'm', { hint: 'h', detail: 'd', exitCode: 3, cause });
  expect(retold(error, { message: `x: ${error.message}` })).toMatchObject({
    code: 'CONTAINER_STATE',
    message: 'x: m',
    hint: 'h',
    detail: 'd',
    exitCode: 3,
    cause,
  });
  expect(retold(error, { exitCode: 1 })).toMatchObject({ message: 'm', exitCode: 1, cause });
});
