import { expect, test } from 'vitest';
import { checkEmulators } from '../../../src/builder/emulators.ts';
import type { BaseVertex, FilesVertex, RunVertex, StepVertex, Vertex } from '../../../src/builder/graph.ts';
import { keyOf } from '../../../src/builder/step-key.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { ResolvedImage } from '../../../src/store/images.ts';

const FOREIGN = 's390x';

function base(architecture: string): BaseVertex {
  const image = { platform: { os: 'linux', architecture }, layers: [] } as unknown as ResolvedImage;
  return { kind: 'base', name: 'FROM a', stage: 's', image };
}

const common = { stage: 's', position: 0, range: { line: 1, column: 1, endLine: 1 }, ignoreCache: false };

function run(name: string, parent: Vertex, ignoreCache = false): RunVertex {
  return {
    ...{ ...common, ignoreCache, kind: 'run', name, parent, args: [name], env: [], buildArgs: new Set() },
    ...{ hiddenEnv: [], user: '', cwd: '/', script: undefined, network: 'default', insecure: false },
    ...{ mounts: [], shell: undefined },
  };
}

function copy(name: string, parent: Vertex, from: Vertex): FilesVertex {
  return {
    ...{ ...common, kind: 'files', name, parent, isAdd: false, origin: { kind: 'vertex', vertex: from } },
    ...{ sources: ['/'], heredocs: [], destination: '/', chown: undefined, chmod: undefined, parents: false },
    ...{ exclude: [], checksum: undefined, keepGitDir: false, unpack: undefined },
  };
}

/** Keys of copies need what they copy to be there. */
async function check(
  targets: Vertex[],
  cached: readonly string[] = [],
  elsewhere: readonly string[] = [],
): Promise<void> {
  const partsOf = async (vertex: StepVertex, of: { snapshot(other: Vertex): Promise<unknown> }) => {
    if (vertex.kind === 'files' && vertex.origin.kind === 'vertex') await of.snapshot(vertex.origin.vertex);
    return [{ name: 'instruction', value: vertex.name }];
  };
  const names = new Map<string, string>();
  const note = (vertex: Vertex): string => {
    if (vertex.kind === 'base') return 'base';
    const parts = [
      { name: 'parent', value: note(vertex.parent) },
      { name: 'instruction', value: vertex.name },
    ];
    names.set(keyOf(parts), vertex.name);
    return keyOf(parts);
  };
  targets.forEach(note);
  const world = {
    baseKey: () => 'base',
    partsOf,
    findCached: (key: string) =>
      cached.includes(names.get(key) ?? '')
        ? { layers: [], made: [], sizeBytes: 0, description: '', createdAt: '' }
        : undefined,
    isElsewhere: (key: string) => elsewhere.includes(names.get(key) ?? ''),
    located: (_: Vertex, error: unknown) => error,
  };
  await checkEmulators(targets, world, {
    log: silentLog,
    emulationOf: ({ architecture }) => Promise.resolve(architecture === FOREIGN ? 'missing' : 'none'),
  });
}

const host = base('amd64');

test('a step of this machine, and copies of any', async () => {
  await check([run('one', host), copy('two', base(FOREIGN), run('one', host))]);
});

test('what is cached, or stands below what is, need not run', async () => {
  const one = run('one', base(FOREIGN));
  await check([run('two', one)], ['two']);
  await check([one], ['one']);
  await check([run('two', one)], [], ['two']);
});

test('what has to run is named, with its platform', async () => {
  const one = run('one', base(FOREIGN));
  const wanted = new RegExp(`RUN for linux/${FOREIGN} needs a binfmt handler`);
  for (const [targets, cached] of [
    [[one], []],
    [[host, run('two', one)], ['one']],
    [[run('one', base(FOREIGN), true)], ['one']],
    // The key of the copy cannot be told before what it copies was made.
    [[copy('two', host, one)], ['two']],
  ] as [Vertex[], string[]][])
    await expect(check(targets, cached)).rejects.toThrow(wanted);
});
