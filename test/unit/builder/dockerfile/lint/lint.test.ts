import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../../../../src/builder/dockerfile/parse.ts';
import { lintDockerfile, lintFailure } from '../../../../../src/builder/dockerfile/lint/lint.ts';
import type { BaseImage, LintOptions } from '../../../../../src/builder/dockerfile/lint/lint.ts';
import { renderLint, renderShort } from '../../../../../src/builder/dockerfile/lint/render.ts';
import { RULES } from '../../../../../src/builder/dockerfile/lint/rules.ts';
import { ROWS, SKIPS } from './lint.cases.ts';
import type { Row } from './lint.cases.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const IMAGES: Readonly<Record<string, BaseImage>> = {
  known: { env: ['PATH=/bin', 'BASE=1'], platform: AMD64, hasShell: false },
  foreign: { env: [], platform: { os: 'linux', architecture: 's390x' }, hasShell: false },
};

function options(buildArgs: Readonly<Record<string, string>> = {}): LintOptions {
  return {
    buildArgs: new Map(Object.entries(buildArgs)),
    buildPlatform: AMD64,
    targetPlatform: AMD64,
    targetStage: undefined,
    baseImage: ({ name }) => IMAGES[name],
    isIgnored: (path) => path.startsWith('ignored'),
  };
}

const parse = (text: string) => parseDockerfile(Buffer.from(text), 'Dockerfile');
const lint = (text: string, buildArgs?: Readonly<Record<string, string>>) =>
  lintDockerfile(parse(text), options(buildArgs));
const rulesOf = (text: string, buildArgs?: Readonly<Record<string, string>>) =>
  lint(text, buildArgs).warnings.map(({ rule }) => rule);

describe('rules', () => {
  it.each(ROWS)('%s: %j', (...row) => {
    const [rule, dockerfile, found, buildArgs] = row as unknown as Row;
    const { warnings, error } = lint(dockerfile, buildArgs);
    expect(error).toBeUndefined();
    const own = warnings.filter((warning) => warning.rule === rule);
    expect(own.map(({ range, detail }) => `${range.line}: ${detail}`)).toEqual(found);
    expect(own.every(({ description }) => description === RULES[rule].description)).toBe(true);
  });

  it('each has a row in which it speaks', () => {
    const spoken = ROWS.flatMap(([rule, , found]) => (found.length > 0 ? [rule] : []));
    expect(new Set(spoken)).toEqual(new Set(Object.keys(RULES)));
    expect(ROWS.length).toBe(54);
  });
});

describe('check=', () => {
  it.each(SKIPS)('%s', (directive, rules) => {
    expect(rulesOf(`${directive}\nFROM scratch as base\ncopy a .\n`)).toEqual(rules);
  });

  it('above an instruction, counts for that one', () => {
    expect(rulesOf('FROM a\n# check=skip=JSONArgsRecommended\nCMD b\nENTRYPOINT c')).toEqual([
      'JSONArgsRecommended',
    ]);
  });

  it('as a build argument, replaces the directive', () => {
    const text = '# check=skip=all\nFROM a as b';
    expect(rulesOf(text, { BUILDKIT_DOCKERFILE_CHECK: 'skip=Other' })).toContain('FromAsCasing');
    expect(rulesOf('FROM a as b', { BUILDKIT_DOCKERFILE_CHECK: 'skip=all' })).toEqual([]);
    expect(() => lint(text, { BUILDKIT_DOCKERFILE_CHECK: 'skip' })).toThrow(
      '--build-arg BUILDKIT_DOCKERFILE_CHECK: invalid check option "skip"',
    );
  });

  it('experimental rules run when asked for, whatever is skipped', () => {
    const text = 'FROM a as b\nCOPY ignored/x /';
    expect(rulesOf(`# check=experimental=CopyIgnoredFile\n${text}`)).toEqual([
      'FromAsCasing',
      'CopyIgnoredFile',
    ]);
    expect(rulesOf(`# check=skip=all;experimental=all\n${text}`)).toEqual(['CopyIgnoredFile']);
  });

  it('error=true makes warnings an error', () => {
    const dockerfile = parse('# check=error=true\nFROM a as b\nCMD c\nCMD d');
    const { warnings } = lintDockerfile(dockerfile, options());
    expect(lintFailure(dockerfile, new Map(), () => warnings)).toMatchObject({
      message:
        'lint violation found for rules: FromAsCasing, JSONArgsRecommended, MultipleInstructionsDisallowed',
      line: 2,
    });
    expect(lintFailure(dockerfile, new Map(), () => [])).toBeUndefined();
    expect(lintFailure(parse('FROM a as b'), new Map(), () => warnings)).toBeUndefined();
  });
});

describe('errors', () => {
  it.each([
    ['FROM a AS x\nCOPY --from=y a b\nFROM b AS y', 'cannot copy from stage "y"'],
    ['FROM a AS x\nRUN --mount=from=x,target=/y z', 'circular dependency detected on stage: x'],
    ['FROM a as b\nCOPY ${A:?no} c', 'A: no'],
    ['FROM $X', 'should not be blank'],
    ['ARG A=${B:?no}\nFROM a', 'B: no'],
  ])('%j ends the checks', (text, message) => {
    expect(lint(text).error?.message).toContain(message);
  });

  it('leaves what was found before', () => {
    expect(rulesOf('FROM a as b\nCOPY ${A:?no} c')).toEqual(['FromAsCasing']);
  });
});

describe('output', () => {
  it('is docker’s', () => {
    const dockerfile = parse('FROM node\nCOPY . .\nCMD node index.js\n');
    expect(renderLint(dockerfile, lintDockerfile(dockerfile, options()))).toBe(
      [
        'Check complete, 1 warning has been found!',
        '',
        `WARNING: JSONArgsRecommended - ${RULES.JSONArgsRecommended.description}`,
        'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
        'Dockerfile:3',
        '--------------------',
        '   1 |     FROM node',
        '   2 |     COPY . .',
        '   3 | >>> CMD node index.js',
        '--------------------',
      ].join('\n'),
    );
  });

  it('says that there is nothing to say', () => {
    const dockerfile = parse('FROM a');
    expect(renderLint(dockerfile, { warnings: [], error: undefined })).toBe(
      'Check complete, no warnings found.',
    );
  });

  it('ends with the error', () => {
    const dockerfile = parse('FROM a as b\nCOPY ${A:?no} c\nRUN \\\n\nx');
    const text = renderLint(dockerfile, lintDockerfile(dockerfile, options()));
    expect(text).toMatch(/^Check complete, 2 warnings have been found!\n/);
    expect(text).toMatch(/-{20}\nERROR: failed to process .*: A: no$/);
  });

  it('has a short form', () => {
    expect(renderShort(lint('FROM a as b').warnings)).toBe(
      "1 warning found (use --check to expand):\n - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)",
    );
    expect(renderShort([])).toBeUndefined();
  });
});
