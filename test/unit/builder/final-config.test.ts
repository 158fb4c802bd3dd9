import { expect, test } from 'vitest';
import { finalConfig, squashedHistory } from '../../../src/builder/image-config.ts';

const config = { Env: ['PATH=/bin', 'A=1', 'AB=2'], Labels: { a: '1', b: '2' } };

test('--unsetenv takes whole names, --label comes after --unsetlabel', () => {
  const unset = { env: ['A', 'none'], labels: ['a', 'b'] };
  expect(finalConfig(config, { labels: { b: 'new' }, unset })).toEqual({
    Env: ['PATH=/bin', 'AB=2'],
    Labels: { b: 'new' },
  });
  expect(config.Env).toHaveLength(3);
});

test('without any the configuration is as the instructions made it', () => {
  const none = { labels: {}, unset: { env: [], labels: [] } };
  expect(finalConfig(config, none)).toEqual(config);
  expect(finalConfig({}, none)).toEqual({});
});

test('a squashed history has one line with a layer, or none', () => {
  const lines = [{ created_by: 'RUN a' }, { created_by: 'ENV b', empty_layer: true }];
  const flags = (left: number) =>
    squashedHistory(lines, 2, left, '1980-01-02T00:00:00Z').map((line) => line.empty_layer === true);
  expect(flags(1)).toEqual([true, true, false]);
  expect(flags(0)).toEqual([true, true, true]);
});
