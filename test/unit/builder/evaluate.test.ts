import { describe, expect, test } from 'vitest';
import { parseDockerfile } from '../../../src/builder/dockerfile/parse.ts';
import { globalScope } from '../../../src/builder/dockerfile/scope.ts';
import { findTarget } from '../../../src/builder/dockerfile/stages.ts';
import { Evaluator, type EvaluatedStage } from '../../../src/builder/evaluate.ts';
import { inputsOf, type RunVertex, type Vertex } from '../../../src/builder/graph.ts';
import type { Digest } from '../../../src/core/digest.ts';
import type { ImageConfigSection } from '../../../src/oci/image.ts';
import type { ResolvedImage } from '../../../src/store/images.ts';
import { ROWS } from './image-config.cases.ts';

const platform = { os: 'linux', architecture: 'amd64' };

function image(name: string, config: ImageConfigSection): ResolvedImage {
  const digest = `sha256:${'0'.repeat(64)}` as Digest;
  return {
    reference: name,
    imageId: digest,
    manifestDigest: digest,
    platform,
    config,
    layers: [],
    sizeBytes: 0,
  };
}

async function evaluate(
  text: string,
  {
    base = {},
    target,
    buildArgs = {},
    contexts = {},
  }: {
    base?: ImageConfigSection;
    target?: string;
    buildArgs?: Record<string, string>;
    contexts?: Record<string, { kind: 'directory' } | { kind: 'image'; reference: string }>;
  } = {},
): Promise<EvaluatedStage & { looked: string[] }> {
  const dockerfile = parseDockerfile(Buffer.from(text), 'Dockerfile');
  const looked: string[] = [];
  const evaluator = new Evaluator({
    scope: globalScope(dockerfile, {
      buildArgs: new Map(Object.entries(buildArgs)),
      buildPlatform: platform,
      targetPlatform: platform,
      targetStage: undefined,
    }),
    findImage: (name) => {
      looked.push(name);
      return Promise.resolve(image(name, base));
    },
    context: (name) => Promise.resolve(contexts[name]),
    ignoreCache: () => false,
    hiddenEnv: [],
    platform: undefined,
  });
  return { ...(await evaluator.stage(findTarget(dockerfile, target))), looked };
}

/** Names of the steps from the base upwards. */
function chain(vertex: Vertex): string[] {
  return vertex.kind === 'base' ? [vertex.name] : [...chain(vertex.parent), vertex.name];
}

describe('configuration and history', () => {
  test.each(ROWS)('$lines', async ({ lines, base, config, history }) => {
    const stage = await evaluate(`FROM image\n${lines}\n`, base === undefined ? {} : { base });
    expect(stage.config).toMatchObject(config);
    if (history !== undefined) expect(stage.lines.map(({ createdBy }) => createdBy)).toEqual(history);
  });
  expect(ROWS).toHaveLength(25);
});

test('FROM scratch has a PATH and a directory', async () => {
  const { config, image: bottom } = await evaluate('FROM scratch\nCOPY a /\n');
  expect(config).toEqual({
    WorkingDir: '/',
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  });
  expect(bottom).toBeUndefined();
});

test('steps are counted and named as BuildKit does', async () => {
  const { top } = await evaluate('FROM a\nENV X=1\nRUN one\nWORKDIR /w\nCOPY f .\n');
  expect(chain(top)).toEqual(['[1/4] FROM a', '[2/4] RUN one', '[3/4] WORKDIR /w', '[4/4] COPY f .']);
  const two = await evaluate('FROM a AS first\nRUN x\nFROM first\nRUN y\n');
  expect(chain(two.top)).toEqual(['[first 1/2] FROM a', '[first 2/2] RUN x', '[stage-1 2/2] RUN y']);
});

test('what the target does not need is not looked at', async () => {
  const text =
    'FROM a AS x\nRUN x\nFROM b AS y\nRUN y\nFROM c\nCOPY --from=x /f /\nRUN --mount=type=bind,from=d,target=/d z\n';
  const { looked, top } = await evaluate(text);
  expect(looked.sort()).toEqual(['a', 'c', 'd']);
  expect(inputsOf((top as RunVertex).parent).map(({ name }) => name)).toEqual([
    '[stage-2 1/3] FROM c',
    '[x 2/2] RUN x',
  ]);
  expect((await evaluate(text, { target: 'Y' })).looked).toEqual(['b']);
});

test('a stage on another goes on with its configuration and history', async () => {
  const { config, lines } = await evaluate(
    'FROM a AS x\nENV A=1\nCMD ["c"]\nRUN x\nFROM x\nENTRYPOINT ["e"]\n',
  );
  expect(config).toMatchObject({ Entrypoint: ['e'], Cmd: null });
  expect(config.Env).toContain('A=1');
  expect(lines.map(({ makesStep }) => makesStep)).toEqual([false, false, true, false]);
});

test('a RUN sees ENV and ARG, the later one of a name; and not what its stage did not ask for', async () => {
  const text = 'ARG G=g\nFROM a\nARG A=1\nENV B=2\nARG B=3\nARG C\nRUN x\n';
  const { top } = await evaluate(text, { buildArgs: { G: 'no', C: 'c' } });
  const run = top as RunVertex;
  expect(run.env).toEqual(expect.arrayContaining(['A=1', 'B=3', 'C=c']));
  expect(run.env.some((entry) => entry.startsWith('G='))).toBe(false);
  expect([...run.buildArgs]).toEqual(['A', 'B', 'C']);
});

test('named contexts stand in for images and stages', async () => {
  const text = 'FROM base\nCOPY --from=assets a /\nCOPY --from=tool t /\n';
  const contexts = {
    base: { kind: 'image', reference: 'other:1' },
    assets: { kind: 'directory' },
    tool: { kind: 'image', reference: 'tool:2' },
  } as const;
  const { looked, top } = await evaluate(text, { contexts });
  expect(looked).toEqual(['other:1', 'tool:2']);
  expect(top.kind === 'files' && top.parent.kind === 'files' && top.parent.origin).toEqual({
    kind: 'context',
    name: 'assets',
  });
  await expect(evaluate('FROM assets\n', { contexts })).rejects.toThrow(/is a directory, not an image/);
});

test('destinations are absolute, and say whether they are directories', async () => {
  const rows: [string, string][] = [
    ['COPY a b', '/w/b'],
    ['COPY a .', '/w/'],
    ['COPY a ./', '/w/'],
    ['COPY a /x/../y', '/y'],
    ['COPY a ..', '/'],
    ['COPY a /', '/'],
    ['COPY a d/', '/w/d/'],
  ];
  for (const [line, destination] of rows) {
    const { top } = await evaluate(`FROM a\nWORKDIR /w\n${line}\n`);
    expect(top.kind === 'files' && top.destination, line).toBe(destination);
  }
});
