// The table of commands as a whole: docker's verbs answer below their nouns, and what help shows is true.

import { describe, expect, test } from 'vitest';
import { ALIASES, COMMANDS } from '../../../src/commands/index.ts';
import { parseCommand } from '../../../src/cli/parse.ts';
import { DOCKER_VERBS, OF_DOCKER_AND_PODMAN } from './commands.cases.ts';

/** The command that `words` mean; undefined when there is none. */
function commandOf(words: string): string | undefined {
  const name = ALIASES[words] ?? words;
  return Object.hasOwn(COMMANDS, name) ? name : undefined;
}

describe("docker's verbs", () => {
  test.each(OF_DOCKER_AND_PODMAN)('%s', (words) => expect(commandOf(words)).toBeDefined());

  const pairs = Object.entries(DOCKER_VERBS).flatMap(([noun, verbs]) =>
    verbs.map(([verb, alone]) => [`${noun} ${verb}`, alone] as const),
  );
  test.each(pairs)('%s is the same as %s', (words, alone) => {
    if (alone !== undefined) expect(commandOf(words)).toBe(commandOf(alone));
  });
});

describe.each(Object.entries(COMMANDS).filter(([, entry]) => entry.hidden !== true))('%s', (name, entry) => {
  test('its flags say what they are for, in one phrase', async () => {
    const { default: spec } = await entry.load();
    expect(spec.name).toBe(name);
    const shorts = Object.values(spec.flags).flatMap(({ short }) => short ?? []);
    expect(new Set(shorts).size).toBe(shorts.length);
    for (const [flag, { help }] of Object.entries(spec.flags))
      expect(help, `--${flag}`).toMatch(/^[^A-Z\s](?!.*\.$)|^[A-Z]{2,}/);
  });

  test('its examples are accepted', async () => {
    const { default: spec } = await entry.load();
    for (const example of spec.examples ?? []) {
      const words = shellWords(example);
      const own = name.split(' ');
      expect(words.slice(0, own.length), example).toEqual(own);
      expect(() => parseCommand(spec, words.slice(own.length)), example).not.toThrow();
    }
  });
});

/** The words of a command line up to its first pipe or redirection, by the quoting that our examples use. */
function shellWords(line: string): string[] {
  const words: string[] = [];
  for (const [, single, double, plain] of line.matchAll(/'([^']*)'|"([^"]*)"|(\$\([^)]*\)|[^\s'"]+)/g)) {
    if (plain !== undefined && /^[|<>]/.test(plain)) break;
    words.push(single ?? double ?? plain ?? '');
  }
  return words;
}
