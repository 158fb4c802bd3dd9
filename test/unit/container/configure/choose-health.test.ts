import { describe, expect, test } from 'vitest';
import { chooseHealth, type ChosenHealth } from '../../../../src/container/configure/choose-health.ts';
import type { HealthOptions } from '../../../../src/container/configure/options.ts';
import type { HealthConfig } from '../../../../src/oci/image.ts';
import { COMMANDS, IMAGE, MERGED, PLANNED, REFUSED } from './choose-health.cases.ts';
import { noOptions } from '../spec.ts';

function choose(flags: Partial<HealthOptions>, image: unknown, shell?: string[] | null): ChosenHealth {
  const section = {
    ...(image === undefined ? {} : { Healthcheck: image as HealthConfig }),
    ...(shell === undefined ? {} : { Shell: shell }),
  };
  return chooseHealth({ ...noOptions(), ...flags }, section);
}

describe('chooseHealth', () => {
  test.each(MERGED)('%j over %j', (flags, image, config) =>
    expect(choose(flags, image).config).toEqual(config),
  );
  test.each(COMMANDS)('%j with the shell %j', (Test, shell, args) =>
    expect(choose({}, { Test }, shell).spec?.args).toEqual(args),
  );
  test.each(PLANNED)('%j is planned', (flags, expected) =>
    expect(choose(flags, { Test: ['CMD', 'x'] }).spec).toMatchObject(expected),
  );
  test.each(REFUSED)('%j over %j is refused', (flags, image, message) =>
    expect(() => choose(flags, image)).toThrow(message),
  );

  test('what has no effect is said', () => {
    const none = /no health check these could apply to/;
    expect(choose({ 'health-retries': 2 }, undefined).notes).toEqual([expect.stringMatching(none)]);
    expect(choose({ 'health-retries': 2 }, { Test: ['NONE'] }).notes).toEqual([expect.stringMatching(none)]);
    expect(choose({}, { Test: ['ODD', 'x'] }).notes).toEqual([
      expect.stringMatching(/unknown kind \("ODD"\)/),
    ]);
    for (const quiet of [
      choose({}, IMAGE),
      choose({}, { Test: ['NONE'] }),
      choose({ 'no-healthcheck': true }, IMAGE),
    ])
      expect(quiet.notes).toEqual([]);
  });

  test('every row ran', () =>
    expect([MERGED, COMMANDS, PLANNED, REFUSED].map(({ length }) => length)).toEqual([21, 8, 3, 21]));
});
