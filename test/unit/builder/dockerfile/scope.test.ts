import { describe, expect, it } from 'vitest';
import type { ExpandedInstruction } from '../../../../src/builder/dockerfile/ast.ts';
import { DockerfileError } from '../../../../src/builder/dockerfile/errors.ts';
import { parseDockerfile } from '../../../../src/builder/dockerfile/parse.ts';
import { proxyEnv } from '../../../../src/builder/dockerfile/predefined-args.ts';
import {
  globalScope,
  resolveFrom,
  startState,
  unconsumedBuildArgs,
  unconsumedWarning,
  walkStage,
} from '../../../../src/builder/dockerfile/scope.ts';
import type { Step, StageState } from '../../../../src/builder/dockerfile/scope.ts';
import { formatPlatform } from '../../../../src/core/platform.ts';
import { BAD, GOOD } from './scope.cases.ts';

const parse = (text: string) => parseDockerfile(Buffer.from(text), 'Dockerfile');
const scopeOf = (text: string, buildArgs: Readonly<Record<string, string>> = {}) =>
  globalScope(parse(text), {
    buildArgs: new Map(Object.entries(buildArgs)),
    buildPlatform: { os: 'linux', architecture: 'amd64' },
    targetPlatform: { os: 'linux', architecture: 'arm64' },
    targetStage: undefined,
  });

/** All stages, walked to their ends. */
function walk(text: string, buildArgs: Readonly<Record<string, string>> = {}) {
  const scope = scopeOf(text, buildArgs);
  const lines: string[] = [];
  const ends: StageState[] = [];
  for (const stage of scope.dockerfile.stages) {
    const from = resolveFrom(scope, stage);
    const { base, platform } = from;
    const name = base.kind === 'stage' ? `stage ${base.stage.index}` : from.name;
    lines.push(`FROM ${name}${platform === undefined ? '' : ` on ${formatPlatform(platform)}`}`);
    const start = base.kind === 'stage' ? ends[base.stage.index]! : startState(['PATH=/bin']);
    const steps = walkStage(scope, stage.instructions, start);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) {
        ends.push(step.value);
        break;
      }
      lines.push(print(step.value));
    }
  }
  return { lines, ends };
}

function print({ instruction, used, missing }: Step): string {
  const words = [instruction.kind.toUpperCase(), ...wordsOf(instruction)];
  if (used.size > 0) words.push(`<${[...used].join(',')}`);
  if (missing.size > 0) words.push(`?${[...missing].join(',')}`);
  return words.join(' ');
}

function wordsOf(instruction: ExpandedInstruction): string[] {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return instruction.pairs.map(({ name, value }) => `${name}=${value}`);
    case 'arg':
      return instruction.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`));
    case 'copy':
    case 'add': {
      const flags = [
        ['chown', instruction.chown],
        ['chmod', instruction.chmod],
        ['checksum', instruction.kind === 'add' ? instruction.checksum : undefined],
        ...instruction.exclude.map((pattern) => ['exclude', pattern]),
      ].flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
      const bodies = instruction.heredocs.map(({ content }) => `<<${content.replaceAll('\n', '\\n')}`);
      return [...flags, ...instruction.sources, ...bodies, instruction.destination];
    }
    case 'run':
      return [
        ...instruction.mounts.map((mount) => `${mount.type}:${mount.target}`),
        instruction.command.form === 'shell' ? instruction.command.line : '',
      ];
    case 'expose':
      return [...instruction.ports];
    case 'volume':
      return [...instruction.paths];
    case 'user':
      return [instruction.user];
    case 'workdir':
      return [instruction.path];
    case 'stopsignal':
      return [instruction.signal];
    case 'cmd':
    case 'entrypoint':
      return [
        instruction.command.form === 'shell'
          ? instruction.command.line
          : JSON.stringify(instruction.command.argv),
      ];
    case 'shell':
      return [JSON.stringify(instruction.argv)];
    case 'healthcheck':
      return instruction.health.Test ?? [];
    case 'onbuild':
      return [instruction.expression];
    case 'maintainer':
      return [instruction.maintainer];
  }
}

describe('what an instruction sees', () => {
  it.each(GOOD)('%s', (_, dockerfile, buildArgs, steps) => {
    expect(walk(dockerfile, buildArgs).lines).toEqual(steps);
  });

  it.each(BAD.map(([dockerfile, ...rest]) => [dockerfile.slice(0, 80), dockerfile, ...rest] as const))(
    'refuses %j',
    (_, dockerfile, message, line) => {
      const body = () => walk(dockerfile);
      expect(body).toThrow(DockerfileError);
      expect(body).toThrow(message);
      expect(body).toThrow(expect.objectContaining({ line }));
    },
  );

  it('has all rows', () => expect([GOOD.length, BAD.length]).toEqual([28, 18]));

  it('ARGs have the values that a RUN sees', () => {
    const { ends } = walk('FROM a\nENV E=env\nARG E\nARG A=1 N\nENV A=2\nARG A\nARG Z=3', { Z: 'z' });
    expect([...ends[0]!.args]).toEqual([
      ['E', 'env'],
      ['A', '2'],
      ['N', undefined],
      ['Z', 'z'],
    ]);
  });

  it('a walk leaves the state it started from as it was', () => {
    const start = startState(['A=1', 'B']);
    const scope = scopeOf('FROM a\nENV A=2\nARG C=3');
    expect([...walkStage(scope, scope.dockerfile.stages[0]!.instructions, start)].length).toBe(2);
    expect([[...start.env], [...start.args]]).toEqual([
      [
        ['A', '1'],
        ['B', ''],
      ],
      [],
    ]);
  });

  it('thousands of ENVs take no square of time', () => {
    const { ends } = walk(
      `FROM a\n${Array.from({ length: 20_000 }, (_, i) => `ENV A${i}=$A${i - 1}`).join('\n')}`,
    );
    expect(ends[0]!.env.size).toBe(20_001);
  });
});

describe('build arguments', () => {
  it('that nobody declares are told', () => {
    const dockerfile = parse('ARG G\nFROM a\nARG S=1\nONBUILD ARG O');
    const given = [
      'G',
      'S',
      'O',
      'X',
      'Y',
      'http_proxy',
      'BUILDKIT_INLINE_CACHE',
      'SOURCE_DATE_EPOCH',
      'TARGETARCH',
    ];
    const names = unconsumedBuildArgs(dockerfile, new Map(given.map((name) => [name, ''])), ['Y']);
    expect(names).toEqual(['O', 'X']);
    expect(unconsumedWarning(names)).toBe('one or more build-args [O X] were not consumed');
  });

  it('that are proxies reach every RUN, in both cases', () => {
    const given = new Map([
      ['HTTP_PROXY', 'http://p'],
      ['no_proxy', 'x'],
      ['OTHER', 'y'],
    ]);
    expect(proxyEnv(given)).toEqual([
      'HTTP_PROXY=http://p',
      'http_proxy=http://p',
      'NO_PROXY=x',
      'no_proxy=x',
    ]);
  });
});
