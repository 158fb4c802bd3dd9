// The Dockerfile front end takes any bytes: it answers or refuses at a place of the file, in time that grows with the size.
// The long form is test/fuzz/dockerfile/fuzz.ts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandWord } from '../../src/builder/dockerfile/expand.ts';
import { replace, trimPrefix, trimSuffix } from '../../src/builder/dockerfile/glob.ts';
import { damagedDockerfile, dockerfileText, likelyDockerfile } from '../fuzz/dockerfile/arbitraries.ts';
import { judge, roundTrip } from '../fuzz/dockerfile/judge.ts';

describe('any input', () => {
  it.each([
    ['bytes', fc.uint8Array({ maxLength: 400 })],
    ['text of its pieces', dockerfileText.map((text) => Buffer.from(text))],
    ['damaged files', damagedDockerfile],
  ] as const)('%s', (_, arbitrary: fc.Arbitrary<Uint8Array>) => {
    fc.assert(
      fc.property(arbitrary, (bytes) => void judge(bytes)),
      { numRuns: 1500 },
    );
  });
});

it('what is read, written and read again is the same', () => {
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(likelyDockerfile, dockerfileText), (text) => {
      const trip = roundTrip(text);
      if (trip === undefined) return;
      read++;
      expect(trip.second).toEqual(trip.first);
      expect(trip.texts[1]).toBe(trip.texts[0]);
    }),
    { numRuns: 1500 },
  );
  // Else the property says nothing.
  expect(read).toBeGreaterThan(300);
});

/** Megabytes of what a careless reader takes the square of the time for: hours, where this takes moments. */
const HOSTILE: readonly (readonly [what: string, text: string])[] = [
  ['a heredoc of many lines', `FROM a\nRUN <<E\n${'x y z\n'.repeat(300_000)}E`],
  ['a heredoc without an end', `FROM a\nRUN <<E\n${'x\n'.repeat(500_000)}`],
  ['many heredocs on a line', `FROM a\nRUN ${'<<E '.repeat(100_000)}\n${'E\n'.repeat(100_000)}`],
  ['many continuations', `FROM a\nRUN a${' \\\n b'.repeat(300_000)}`],
  ['many empty continuations', `FROM a\nRUN a \\${'\n'.repeat(300_000)}`],
  ['many comments', `${'# c\n'.repeat(400_000)}FROM a`],
  ['many instructions', `FROM a\n${'ENV A=$A\n'.repeat(10_000)}`],
  ['many stages', 'FROM a AS b\n'.repeat(1_500)],
  ['many variables', `FROM a\n${Array.from({ length: 8_000 }, (_, i) => `ENV A${i}=$A${i}`).join('\n')}`],
  ['many flags', `FROM a\nCOPY ${'--exclude=x '.repeat(60_000)}a b`],
  ['many mounts', `FROM a\nRUN ${'--mount=target=/x '.repeat(15_000)}a`],
  ['many pairs', `FROM a\nENV ${'A=b '.repeat(100_000)}`],
  ['many words', `FROM a\nCOPY ${'a '.repeat(200_000)}b`],
  ['many blanks', `FROM${' '.repeat(1_000_000)}a\nRUN${'\t'.repeat(1_000_000)}b${' '.repeat(1_000_000)}\\`],
  ['many tabs of a heredoc', `FROM a\nCOPY <<-E /x\n${'\t'.repeat(2_000_000)}x\nE`],
  ['many backslashes', `FROM a\nENV A=${'\\'.repeat(1_000_000)}`],
  ['many quotes', `FROM a\nENV A=${'""'.repeat(500_000)}`],
  ['a long directive', `# check=skip=${'A,'.repeat(500_000)}\nFROM a`],
  ['a long name', `FROM a AS ${'b'.repeat(2_000_000)}`],
  ['a long unknown instruction', `${'F'.repeat(2_000_000)} a`],
  ['deep JSON', `FROM a\nRUN ${'['.repeat(500_000)}`],
  ['deep arguments', `FROM a\nENV A=${'${B:-'.repeat(200_000)}`],
  ['arguments that double', `FROM a\nARG A=xx\n${'ARG A=$A$A\n'.repeat(64)}`],
  ['a pattern to get lost in', `FROM a\nENV A=${'a'.repeat(5_000)}\nENV B=\${A//${'a*'.repeat(2_000)}b/}`],
  ['a wide range of ports', `FROM a\nEXPOSE ${'1-65535 '.repeat(10_000)}`],
];

it.each(HOSTILE)('%s', (_, text) => {
  judge(Buffer.from(text));
});

describe('expandWord', () => {
  it('gives back what was quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const single = `'${text.replaceAll("'", `'"'"'`)}'`;
        const double = `"${text.replace(/["$\\]/g, '\\$&')}"`;
        const escaped = text.replace(/["'$\\\s]/g, '\\$&');
        for (const word of [single, double, escaped]) expect(expandWord(word, new Map()).text).toBe(text);
      }),
    );
  });

  it('puts a value where its variable was', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, around) => {
        const plain = around.replace(/["'$\\]/g, '');
        const { text, used } = expandWord(`${plain}"\${V}"${plain}`, new Map([['V', value]]));
        expect(text).toBe(plain + value + plain);
        expect([...used]).toEqual(['V']);
      }),
    );
  });
});

describe('patterns', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '*', '\ud83d\ude80'), maxLength: 8 });
  const pattern = fc
    .array(fc.constantFrom('a', 'b', '*', '?', '\\*', '\\\\'), { maxLength: 5 })
    .map((units) => units.join(''));
  const model = (text: string, star: '.*' | '.*?') =>
    text
      .replace(/[a-z]|\\.|\*|\?/g, (unit) => (unit === '*' ? star : unit === '?' ? '.' : unit))
      .replaceAll('\\*', '\\*');

  it('cut off what a regular expression would', () => {
    fc.assert(
      fc.property(value, pattern, fc.boolean(), (text, glob, longest) => {
        const source = model(glob, '.*');
        const chars = [...text];
        const lengths = chars.map((_, i) => i + 1).concat(0);
        const fit = (part: (n: number) => string[]) =>
          lengths.filter((n) => new RegExp(`^(?:${source})$`, 'su').test(part(n).join('')));
        const pick = (fitting: number[]) =>
          fitting.length === 0 ? 0 : longest ? Math.max(...fitting) : Math.min(...fitting);
        const prefix = pick(fit((n) => chars.slice(0, n)));
        const suffix = pick(fit((n) => chars.slice(chars.length - n)));
        expect(trimPrefix(text, glob, longest)).toBe(chars.slice(prefix).join(''));
        expect(trimSuffix(text, glob, longest)).toBe(chars.slice(0, chars.length - suffix).join(''));
      }),
      { numRuns: 1500 },
    );
  });

  it('replace what a regular expression would', () => {
    fc.assert(
      fc.property(
        value,
        pattern.filter((glob) => glob !== ''),
        (text, glob) => {
          const source = model(glob, '.*');
          expect(replace(text, glob, '-', false)).toBe(text.replace(new RegExp(source, 'su'), '-'));
          if (!/^\**$/.test(glob)) {
            expect(replace(text, glob, '-', true)).toBe(text.replace(new RegExp(source, 'gsu'), '-'));
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});
