import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/core/errors.ts';
import { changeConfig } from '../../../src/image/config-changes.ts';
import { BAD, CONFIG, GOOD } from './config-changes.cases.ts';

describe('changeConfig', () => {
  test.each(GOOD)('%j', (changes, expected) => {
    expect(changeConfig(CONFIG, changes)).toEqual({ ...CONFIG, ...expected });
  });

  test.each(BAD)('%j is refused', (change, message) => {
    expect(() => changeConfig(CONFIG, [change])).toThrow(message);
    expect(() => changeConfig(CONFIG, [change])).toThrow(EngineError);
  });

  test('leaves the old configuration alone', () => {
    const before = structuredClone(CONFIG);
    changeConfig(CONFIG, ['ENV A=1', 'LABEL x=y', 'EXPOSE 1', 'VOLUME /x', 'ONBUILD RUN x']);
    expect(CONFIG).toEqual(before);
  });

  test('every row ran', () => {
    expect([GOOD.length, BAD.length]).toEqual([23, 24]);
  });
});
