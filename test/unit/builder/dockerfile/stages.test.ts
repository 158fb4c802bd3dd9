import { describe, expect, it } from 'vitest';
import { DockerfileError } from '../../../../src/builder/dockerfile/errors.ts';
import { parseDockerfile } from '../../../../src/builder/dockerfile/parse.ts';
import { findOrigin, findTarget, stageName } from '../../../../src/builder/dockerfile/stages.ts';

const DOCKERFILE = parseDockerfile(
  Buffer.from('FROM a AS Base\nFROM b\nFROM c AS dup\nFROM d AS dup\nFROM e AS last\nRUN x\n'),
  'Dockerfile',
);
const { stages } = DOCKERFILE;
const origin = (from: string, at: number) => {
  const found = findOrigin(DOCKERFILE, from, stages[at]!, stages[at]!.range);
  return found.kind === 'stage' ? found.stage.index : found.name;
};

describe('--from', () => {
  it.each([
    ['base', 1, 0],
    ['BASE', 4, 0],
    ['0', 4, 0],
    ['1', 4, 1],
    ['dup', 4, 3],
    ['dup', 3, 2],
    ['alpine:3', 1, 'alpine:3'],
    ['stage-1', 4, 'stage-1'],
  ])('%s in stage %d', (from, at, expected) => {
    expect(origin(from, at)).toBe(expected);
  });

  it.each([
    ['last', 0, 'cannot copy from stage "last", it needs to be defined before current stage "base"'],
    ['dup', 1, 'cannot copy from stage "dup", it needs to be defined before current stage "stage-1"'],
    ['4', 1, 'cannot copy from stage "4"'],
    ['last', 4, 'circular dependency detected on stage: last'],
    ['4', 4, 'circular dependency detected on stage: last'],
    ['1', 1, 'circular dependency detected on stage: stage-1'],
    ['5', 4, 'invalid stage index 5'],
    ['12345678901234567890', 4, 'invalid stage index'],
  ])('%s is refused in stage %d', (from, at, message) => {
    expect(() => origin(from, at)).toThrow(DockerfileError);
    expect(() => origin(from, at)).toThrow(message);
  });
});

describe('--target', () => {
  it.each([
    [undefined, 4],
    ['', 4],
    ['base', 0],
    ['BASE', 0],
    ['dup', 3],
    ['1', 1],
  ])('%s', (target, index) => {
    expect(findTarget(DOCKERFILE, target).index).toBe(index);
  });

  it('suggests', () => {
    const find = () => findTarget(DOCKERFILE, 'Bass');
    expect(find).toThrow('target stage "Bass" could not be found (did you mean base?)');
    expect(find).toThrow(
      expect.objectContaining({ hint: 'there are base, dup, dup, last', detail: undefined, exitCode: 1 }),
    );
  });
});

it('stages without a name have their number', () => {
  expect(stages.map(stageName)).toEqual(['base', 'stage-1', 'dup', 'dup', 'last']);
});
