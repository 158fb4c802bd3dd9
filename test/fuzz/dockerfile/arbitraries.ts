// Dockerfiles nobody would write, for the property tests and the fuzzer.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

const FIXTURES = join(import.meta.dirname, '../../fixtures/dockerfile');
const GOLDEN = readdirSync(FIXTURES).map((folder) => readFileSync(join(FIXTURES, folder, 'Dockerfile')));

const KEYWORDS = [
  ...[
    'ADD',
    'ARG',
    'CMD',
    'COPY',
    'ENTRYPOINT',
    'ENV',
    'EXPOSE',
    'FROM',
    'HEALTHCHECK',
    'LABEL',
    'MAINTAINER',
  ],
  ...['ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR', 'run', 'Copy', 'FORM'],
];
const TOKENS = [
  ...[
    'a',
    'b=c',
    '/x',
    'A=1',
    '"a b"',
    "'c d'",
    '"',
    "'",
    '\\',
    '\\\\',
    '`',
    '\\ ',
    '$A',
    '${A}',
    '${A:-b}',
    '${',
    '}',
    '#',
  ],
  ...[
    '--from=a',
    '--chown=$A',
    '--link',
    '--mount=type=cache,target=/c',
    '--mount=target=/$A',
    '--network=none',
    '--x',
    '--',
  ],
  ...[
    '<<EOF',
    '<<-"E F"',
    "3<<'X'",
    '<<',
    '["a", "b"]',
    '[1]',
    '[',
    '80',
    '53/udp',
    'CMD',
    'NONE',
    'AS',
    'as',
    '=',
    '=v',
  ],
  ...[
    '--interval=5s',
    '--platform=linux/arm64',
    'TERM',
    'é',
    '\u00a0',
    '\t',
    '\ud83d\ude80',
    '${A#*b}',
    '${A//a/b}',
    '${A:?x}',
  ],
];
const blank = fc.constantFrom(' ', '  ', '\t', ' \\\n', ' \\\n\n', '\\\n  # c\n', '', ' `\n');
const word = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...TOKENS) }, fc.string({ maxLength: 6 }));
const instruction = fc
  .tuple(fc.constantFrom(...KEYWORDS), fc.array(fc.tuple(blank, word), { maxLength: 7 }))
  .map(([keyword, words]) => `${keyword} ${words.flat().join('')}`);
const line = fc.oneof(
  { weight: 8, arbitrary: instruction },
  fc.constantFrom(
    '',
    '# c',
    '# escape=`',
    '# check=skip=all',
    '# syntax=x',
    'EOF',
    'E F',
    '\tX',
    'X',
    '\\',
    ' ',
  ),
  fc.string({ maxLength: 12 }),
);

/** Made of the pieces that instructions are made of. */
export const dockerfileText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '# escape=`\n', '# escape=\\\n', '\ufeff', 'ARG A=1\n'),
    fc.constantFrom('FROM a\n', 'FROM a AS b\n', ''),
    fc.array(line, { maxLength: 10 }),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([head, from, lines, end]) => `${head}${from}${lines.join('\n')}`.replaceAll('\n', end));

/** One instruction each that is right more often than not, so that trees get large. */
const TEMPLATES: readonly ((word: string, other: string) => string)[] = [
  (a, b) => `RUN ${a} ${b}`,
  (a, b) => `RUN --mount=type=bind,target=/x --network=none ${a} ${b}`,
  (a, b) => `COPY ${a} ${b} /d/`,
  (a, b) => `ADD --chown=1 --unpack ${a} ${b}`,
  (a, b) => `ENV K=${a} L=${b}`,
  (a, b) => `ENV K ${a} ${b}`,
  (a, b) => `LABEL "x y"=${a} L=${b}`,
  (a) => `ARG N=${a} M`,
  (a, b) => `WORKDIR ${a}${b}`,
  (a, b) => `USER ${a}${b}`,
  (a) => `HEALTHCHECK --interval=5s --retries=2 CMD ${a} x`,
  (a) => `CMD ${a}`,
  (a) => `ENTRYPOINT [${JSON.stringify(a)}]`,
  (a, b) => `VOLUME ${a} ${b}`,
  (a, b) => `EXPOSE ${a} ${b}`,
  (a, b) => `ONBUILD RUN ${a} ${b}`,
  (a) => `RUN <<EOF && x\n${a}\nEOF`,
  (a) => `COPY <<-'E' <<F /d/\n\t${a}\n\tE\n${a}\nF`,
  (a) => `ONBUILD COPY <<EOF /x\n${a}\nEOF`,
  (a) => `FROM i AS s${a.length}`,
  (a) => `STOPSIGNAL ${a}`,
  (a) => `MAINTAINER ${a}`,
];
export const likelyDockerfile: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '# escape=`\n', '# syntax=x\n'),
    fc.array(
      fc.tuple(fc.constantFrom(...TEMPLATES), word, word).map(([template, a, b]) => template(a, b)),
      { minLength: 1, maxLength: 8 },
    ),
  )
  .map(([head, lines]) => `${head}FROM a\n${lines.join('\n')}\n`);

/** Golden files with some bytes replaced, pieces cut out, or doubled. */
export const damagedDockerfile: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(...GOLDEN),
    fc.array(fc.tuple(fc.nat(), fc.nat(60), fc.constantFrom('set', 'cut', 'double'), fc.nat(255)), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([bytes, changes]) => changes.reduce(damage, bytes));

function damage(bytes: Buffer, [place, length, how, byte]: [number, number, string, number]): Buffer {
  const at = place % (bytes.length + 1);
  const [before, piece, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + length),
    bytes.subarray(at + length),
  ];
  if (how === 'cut') return Buffer.concat([before, after]);
  if (how === 'double') return Buffer.concat([before, piece, piece, after]);
  return Buffer.concat([before, Buffer.of(byte), bytes.subarray(at + 1)]);
}
