// --cache-from, --cache-to and --cache: what one machine has built, another one need not.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, hexOf } from '../../src/core/digest.ts';
import { startDockerRegistry, type RunningRegistry } from '../helpers/docker-registry.ts';
import { ANY, sandbox, type Engine } from '../helpers/engine.ts';
import { exec } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { tar } from '../helpers/tar-writer.ts';
import { world } from '../helpers/world.ts';

/** Two machines. */
const [here, there] = [sandbox(), sandbox()];
let registry: RunningRegistry | undefined;
const address = (): string => registry?.address ?? '';

/** Another run of any of its RUNs gives another image. */
const DOCKERFILE = `FROM busybox AS build
RUN --mount=type=cache,target=/cc cat /proc/sys/kernel/random/uuid >> /cc/log && cat /cc/log > /log
COPY a /a
RUN cat /a /proc/sys/kernel/random/uuid > /out
FROM busybox
WORKDIR /w
COPY --from=build /out /out
RUN cat /proc/sys/kernel/random/uuid > /last
`;

interface Vertex {
  work: string;
  name: string;
  cache?: string;
  cacheFrom?: string;
}

interface Outcome {
  id: string;
  stderr: string;
  /** Of steps: name → 'hit', 'miss' */
  steps: Map<string, string>;
  vertices: Vertex[];
}

function contextIn(engine: Engine, files: Record<string, string>): string {
  const dir = engine.makeDir(`context-${count++}`);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${dir}/${name}`, text);
  return dir;
}

let count = 0;

async function build(
  engine: Engine,
  args: readonly string[],
  files: Record<string, string> = {},
): Promise<Outcome> {
  const context = contextIn(engine, { Dockerfile: DOCKERFILE, a: 'a\n', ...files });
  const iid = `${engine.dir}/home/iid`;
  const { stderr } = await engine.run(
    ['build', '--progress', 'plain', '--pull=never', '--network', 'none', '--iidfile', iid, ...args, context],
    { stderr: ANY },
  );
  const timeline = /^timeline: (.*)$/m.exec(stderr)?.[1] ?? '';
  const report = readFileSync(timeline.replace(/timeline\.svg$/, 'build.json'), 'utf8');
  const { vertices } = JSON.parse(report) as { vertices: Vertex[] };
  const steps = vertices.filter(({ cache }) => cache !== undefined);
  return {
    ...{ id: readFileSync(iid, 'utf8'), stderr, vertices },
    steps: new Map(steps.map(({ name, cache }) => [name.replace(/^\[[^\]]*\] /, ''), cache ?? ''])),
  };
}

/** What is left of an earlier test goes: an empty machine, but for the base image. */
async function emptied(engine: Engine): Promise<void> {
  if (existsSync(engine.store)) {
    await engine.run(['builder', 'prune', '-f'], { stdout: ANY });
    await engine.run(['rmi', '-af'], { stdout: ANY });
  }
  await engine.run(['load', '-q', '-i', world().fixtures.busyboxOciArchive ?? ''], { stdout: ANY });
}

const hits = ({ steps }: Outcome): string[] =>
  [...steps].filter(([, cache]) => cache === 'hit').map(([name]) => name);
const misses = ({ steps }: Outcome): string[] =>
  [...steps].filter(([, cache]) => cache === 'miss').map(([name]) => name);
const warnings = ({ stderr }: Outcome): string[] =>
  stderr.split('\n').filter((line) => line.startsWith('Warning:'));

beforeAll(async () => {
  if (world().missing.registry !== undefined) return;
  mkdirSync(`${here.dir}-registry`);
  registry = await startDockerRegistry({
    data: `${here.dir}-registry/data`,
    dir: `${here.dir}-registry/run`,
  });
});

afterAll(async () => {
  await registry?.stop();
  rmSync(`${here.dir}-registry`, { recursive: true, force: true });
});

describe('through a registry', () => {
  test('another machine runs nothing, and has nothing to add', async (cx) => {
    requires(cx, 'registry', 'busybox-image');
    await emptied(here);
    await emptied(there);
    const ref = `${address()}/team/cache:all`;
    const first = await build(here, ['--cache', ref]);
    expect(first.stderr).toMatch(
      /^#\d+ importing cache manifest from .*\n\n?(?:.*\n)*#\d+ there is nothing yet$/m,
    );
    expect(first.stderr).toMatch(/^#\d+ exporting cache to registry$/m);
    expect(first.stderr).toMatch(/^#\d+ writing layer sha256:\S+ done$/m);
    expect(warnings(first)).toEqual([]);

    const before = readFileSync(registry?.logFile ?? '', 'utf8').length;
    const second = await build(there, ['--cache', ref]);
    expect(second.id).toBe(first.id);
    expect(misses(second)).toEqual([]);
    expect(second.stderr).toContain(`CACHED from ${ref}`);
    expect(second.vertices.find(({ cacheFrom }) => cacheFrom === ref)?.name).toMatch(/last$/);
    expect(second.stderr).toContain(`${ref} is up to date`);
    expect(readFileSync(registry?.logFile ?? '', 'utf8').slice(before)).not.toMatch(/"(PUT|POST|PATCH) /);
    // Only what the result has was fetched, and now it is here.
    expect(second.stderr.match(/ sha256:[0-9a-f]{64} \S+ done$/gm)).toHaveLength(3);
    const third = await build(there, []);
    expect([misses(third), third.id]).toEqual([[], first.id]);
  });

  test('a changed file costs what stands on it; mode=min knows the last stage alone', async (cx) => {
    requires(cx, 'registry', 'busybox-image');
    await emptied(here);
    const [max, min] = [`${address()}/team/cache:max`, `${address()}/team/cache:min`];
    const first = await build(here, [
      ...['--cache-to', `type=registry,ref=${max},mode=max`, '--cache-to', `type=registry,ref=${min}`],
    ]);
    await emptied(there);
    const same = await build(there, ['--cache-from', min]);
    expect([misses(same), same.id]).toEqual([[], first.id]);
    await emptied(there);
    const changed = await build(there, ['--cache-from', max], { a: 'b\n' });
    expect(hits(changed)).toEqual([
      'RUN --mount=type=cache,target=/cc cat /proc/sys/kernel/random/uuid >> /cc/log && cat /cc/log > /log',
      'WORKDIR /w',
    ]);
    await emptied(there);
    const alone = await build(there, ['--cache-from', min], { a: 'b\n' });
    expect(hits(alone)).toEqual(['WORKDIR /w']);
  });

  test('other tools read it and move it', async (cx) => {
    requires(cx, 'registry', 'skopeo', 'busybox-image');
    await emptied(here);
    const from = `${address()}/moved/from:1`;
    const { id } = await build(here, ['--cache-to', `type=registry,ref=${from},mode=max`]);
    const raw = await exec('skopeo', ['inspect', '--tls-verify=false', '--raw', `docker://${from}`]);
    expect(JSON.parse(raw)).toMatchObject({
      config: { mediaType: 'application/vnd.io.skiff.build-cache.v1+json' },
    });
    const to = `${address()}/moved/to:2`;
    await exec('skopeo', [
      ...['copy', '--src-tls-verify=false', '--dest-tls-verify=false', `docker://${from}`, `docker://${to}`],
    ]);
    await emptied(there);
    const second = await build(there, ['--cache-from', `type=registry,ref=${to}`]);
    expect([misses(second), second.id]).toEqual([[], id]);
  });

  test('layers that are not here go from one registry to another place', async (cx) => {
    requires(cx, 'registry', 'busybox-image');
    await emptied(here);
    const [one, other] = [`${address()}/near/one:1`, `${address()}/near/other:1`];
    const { id } = await build(here, ['--cache-to', `type=registry,ref=${one},mode=max`]);
    await emptied(there);
    const dir = there.makeDir('passed');
    const passed = await build(there, [
      ...['--cache-from', one, '--cache-to', `type=registry,ref=${other},mode=max`],
      ...['--cache-to', `type=local,dest=${dir},mode=max`],
    ]);
    expect(misses(passed)).toEqual([]);
    for (const source of [other, `type=local,src=${dir}`]) {
      await emptied(there);
      const { steps, id: again } = await build(there, ['--cache-from', source, '--target', 'build']);
      expect([...steps.values()], source).toEqual(['hit', 'hit', 'hit']);
      expect(again).not.toBe(id);
    }
  });

  test('an image carries its own with it', async (cx) => {
    requires(cx, 'registry', 'busybox-image');
    await emptied(here);
    await emptied(there);
    const name = `${address()}/inline/app:1`;
    const plain = await build(here, []);
    const first = await build(here, ['--cache-to', 'type=inline', '--push', '-t', name]);
    expect(first.id).toBe(plain.id);
    const second = await build(there, ['--cache-from', name]);
    expect([misses(second), second.id]).toEqual([[], first.id]);
  });
});

describe('through a directory', () => {
  test('that another user reads, and that does not grow', async (cx) => {
    requires(cx, 'busybox-image');
    await emptied(here);
    await emptied(there);
    const dir = `${here.makeDir('shared')}/cache`;
    const first = await build(here, ['--cache', dir]);
    const layout = readdirSync(dir).sort();
    expect(layout).toEqual(['blobs', 'index.json', 'index.lock', 'oci-layout']);
    const copy = there.makeDir('copied');
    cpSync(dir, copy, { recursive: true });
    const second = await build(there, ['--cache-from', `type=local,src=${copy}`]);
    expect([misses(second), second.id]).toEqual([[], first.id]);
    const blobs = (): number => readdirSync(`${dir}/blobs/sha256`).length;
    const before = blobs();
    await build(here, ['--cache', dir], { a: 'other\n' });
    expect(blobs()).toBe(before);
  });

  test('compressed as asked for', async (cx) => {
    requires(cx, 'busybox-image');
    await emptied(here);
    const dir = `${here.makeDir('zstd')}/cache`;
    const { id } = await build(here, ['--cache-to', `type=local,dest=${dir},mode=max,compression=zstd`]);
    const starts = readdirSync(`${dir}/blobs/sha256`).map((name) =>
      readFileSync(`${dir}/blobs/sha256/${name}`).subarray(0, 4).toString('hex'),
    );
    expect(starts.filter((start) => start === '28b52ffd').length).toBeGreaterThanOrEqual(5);
    await here.run(['builder', 'prune', '-f'], { stdout: ANY });
    const again = await build(here, ['--cache-from', `type=local,src=${dir}`]);
    expect([misses(again), again.id]).toEqual([[], id]);
  });

  test('--no-cache reads none of it, and a stage that is to be run anew is', async (cx) => {
    requires(cx, 'busybox-image');
    await emptied(here);
    const dir = `${here.makeDir('unread')}/cache`;
    await build(here, ['--cache', dir]);
    await emptied(there);
    const none = await build(there, ['--cache-from', `type=local,src=${dir}`, '--no-cache']);
    expect(hits(none)).toEqual([]);
    expect(none.stderr).not.toContain('importing');
    await emptied(there);
    const some = await build(there, ['--cache-from', `type=local,src=${dir}`, '--no-cache-filter', 'build']);
    expect(hits(some)).toEqual(['WORKDIR /w']);
  });
});

describe('cache mounts', () => {
  const MOUNTS = `FROM busybox
RUN --mount=type=cache,target=/a,uid=1000,mode=0750 --mount=type=cache,id=b,target=/b,sharing=locked \\
  --mount=type=secret,id=s,required=false ls -lan --full-time /a /b > /dev/null; \\
  cat /a/x /b/y 2>&1; echo from-WHO > /a/x; chown 1000 /a/x; touch -d '2001-02-03 04:05:06' /a/x; ln -s /a/x /b/y; stat -c '%a %u %Y' /a /a/x
`;
  const files = (who: string) => ({ Dockerfile: MOUNTS.replace('WHO', who) });

  test('are there on a machine that has none, and stay as they are where there are some', async (cx) => {
    requires(cx, 'busybox-image');
    await emptied(here);
    const dir = `${here.makeDir('mounts')}/cache`;
    await build(here, ['--cache', dir], files('here'));
    await emptied(there);
    const taken = await build(there, ['--cache-from', `type=local,src=${dir}`], files('there'));
    expect(taken.stderr).toMatch(/ from-here\n(?:.*\n)*.* from-here$/m);
    expect(taken.stderr).toMatch(/ 750 1000 \d+\n.* 644 1000 981173106$/m);
    const kept = await build(there, ['--cache-from', `type=local,src=${dir}`], files('third'));
    expect(kept.stderr).toMatch(/ from-there$/m);
    expect(kept.stderr).not.toMatch(/ from-here$/m);
  });

  test('are left out where that is said', async (cx) => {
    requires(cx, 'busybox-image');
    await emptied(here);
    const [without, all] = ['without', 'all'].map((name) => `${here.makeDir(name)}/cache`) as [
      string,
      string,
    ];
    await build(
      here,
      [
        ...['--cache-to', `type=local,dest=${without},mode=max,mounts=false`],
        ...['--cache-to', `type=local,dest=${all},mode=max`],
      ],
      files('here'),
    );
    for (const source of [`type=local,src=${without}`, `type=local,src=${all},mounts=false`]) {
      await emptied(there);
      const { stderr } = await build(there, ['--cache-from', source], files('there'));
      expect(stderr).not.toMatch(/ from-here$/m);
    }
  });
});

describe('a cache that is no good', () => {
  test.each(['registry', 'directory'])('a %s that is not there is one warning', async (kind) => {
    await emptied(there);
    const source = kind === 'registry' ? '127.0.0.1:1/no/cache' : `type=local,src=${there.dir}/nowhere`;
    const outcome = await build(there, ['--cache-from', source], {
      Dockerfile: 'FROM busybox\nWORKDIR /x\n',
    });
    expect(warnings(outcome)).toEqual([
      expect.stringMatching(/^Warning: importing the cache from ".*the build goes on without it$/),
    ]);
  });

  test('an export that fails fails the build, unless it need not', async () => {
    await emptied(here);
    const flags = ['--cache-to', 'type=registry,ref=127.0.0.1:1/no/cache'];
    const context = contextIn(here, { Dockerfile: 'FROM busybox\nWORKDIR /x\n' });
    const { stderr } = await here.run(['build', '--progress', 'plain', '-t', 'kept', ...flags, context], {
      status: 1,
      stderr: ANY,
    });
    expect(stderr).toMatch(/^Error: exporting the cache to "127\.0\.0\.1:1\/no\/cache:latest": /m);
    await here.run(['image', 'exists', 'kept']);
    const ignored = await build(
      here,
      ['--cache-to', 'type=registry,ref=127.0.0.1:1/no/cache,ignore-error=true'],
      { Dockerfile: 'FROM busybox\nWORKDIR /x\n' },
    );
    expect(warnings(ignored)).toHaveLength(1);
  });

  test('what is not supported is said, with what is', async () => {
    await here.run(['build', '--cache-to', 'type=gha,mode=max', '.'], {
      status: 125,
      stderr:
        /caches of type "gha" are not supported\nHint: use type=registry,ref=.* or type=local .* or type=inline\n/,
    });
  });

  interface Layout {
    dir: string;
    manifest: { config: Blob; layers: Blob[] };
    document: { steps: Record<string, { layers: number[]; made: boolean[] }>; diffIds: string[] };
  }
  interface Blob {
    digest: string;
    size: number;
  }
  const blobFile = (dir: string, digest: string): string => `${dir}/blobs/sha256/${digest.slice(7)}`;
  const put = (dir: string, bytes: Uint8Array): Blob => {
    const digest = digestOf(bytes);
    writeFileSync(`${dir}/blobs/sha256/${hexOf(digest)}`, bytes);
    return { digest, size: bytes.length };
  };
  const save = ({ dir, manifest, document }: Layout): void => {
    Object.assign(manifest.config, put(dir, Buffer.from(JSON.stringify(document))));
    const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json' };
    const manifests = [{ ...entry, ...put(dir, Buffer.from(JSON.stringify(manifest))) }];
    writeFileSync(`${dir}/index.json`, JSON.stringify({ schemaVersion: 2, manifests }));
  };
  const replaceLayer = (cache: Layout, i: number, bytes: Uint8Array, diffId?: string): void => {
    Object.assign(cache.manifest.layers[i] as Blob, put(cache.dir, bytes));
    if (diffId !== undefined) cache.document.diffIds[i] = diffId;
  };
  const escape = tar([{ path: '../../../../escaped', content: 'x' }]);

  const ROWS: [name: string, spoil: (cache: Layout) => void][] = [
    [
      'other bytes under a digest',
      ({ dir, manifest }) =>
        writeFileSync(
          blobFile(dir, manifest.layers[0]?.digest ?? ''),
          Buffer.alloc(manifest.layers[0]?.size ?? 0),
        ),
    ],
    [
      'a blob that is missing',
      ({ dir, manifest }) => rmSync(blobFile(dir, manifest.layers[0]?.digest ?? '')),
    ],
    ['a size that is a lie', (cache) => ((cache.manifest.layers[0] as Blob).size = 2 ** 52)],
    ['a smaller size', (cache) => ((cache.manifest.layers[0] as Blob).size = 1)],
    ['a layer of another diff id', (cache) => replaceLayer(cache, 0, gzipSync(tar([{ path: 'x' }])))],
    [
      'a layer that leaves its directory',
      (cache) => replaceLayer(cache, 0, gzipSync(escape), digestOf(escape)),
    ],
    [
      'a layer that is no tar',
      (cache) => replaceLayer(cache, 0, Buffer.from('nonsense'), digestOf('nonsense')),
    ],
    [
      'fewer steps than there are',
      ({ document }) => {
        for (const step of Object.values(document.steps)) Object.assign(step, { layers: [], made: [] });
      },
    ],
    [
      'keys that are paths',
      ({ document }) => Object.assign(document.steps, { '../../../../x': { layers: [], made: [] } }),
    ],
    ['a document of 20 MiB', ({ document }) => Object.assign(document, { more: 'x'.repeat(20 * 2 ** 20) })],
  ];
  let good: string;
  test('(the good one)', async (cx) => {
    requires(cx, 'busybox-image');
    await emptied(here);
    good = `${here.makeDir('good')}/cache`;
    await build(here, ['--cache-to', `type=local,dest=${good}`], { Dockerfile: SMALL });
  });
  const SMALL = 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /x\nWORKDIR /w\n';

  test('one that is not true is told by --verify-repro', async (cx) => {
    requires(cx, 'busybox-image');
    await emptied(there);
    const context = contextIn(there, { Dockerfile: SMALL });
    const source = `type=local,src=${good}`;
    const { stderr } = await there.run(
      [
        'build',
        '--progress',
        'plain',
        '--network',
        'none',
        '--verify-repro',
        '--cache-from',
        source,
        context,
      ],
      { status: 1, stderr: ANY },
    );
    expect(stderr).toContain(`CACHED from ${good}`);
    expect(stderr).toMatch(/^Error: verifying the build: Dockerfile:2: .* is not reproducible: .*\bx\b/m);
  });

  test.each(ROWS)('%s', async (name, spoil) => {
    const dir = there.makeDir(name.replace(/\W/g, '-'));
    cpSync(good, dir, { recursive: true });
    const read = (digest: string): unknown => JSON.parse(readFileSync(blobFile(dir, digest), 'utf8'));
    const index = JSON.parse(readFileSync(`${dir}/index.json`, 'utf8')) as { manifests: Blob[] };
    const manifest = read(index.manifests[0]?.digest ?? '') as Layout['manifest'];
    const cache = { dir, manifest, document: read(manifest.config.digest) as Layout['document'] };
    spoil(cache);
    save(cache);
    await emptied(there);
    const outcome = await build(there, ['--cache-from', `type=local,src=${dir}`], { Dockerfile: SMALL });
    expect(warnings(outcome)).toHaveLength(1);
    expect(hits(outcome)).toEqual([]);
    expect(existsSync(`${there.dir}/escaped`)).toBe(false);
    await there.run(['run', '--rm', '--network', 'none', outcome.id, 'cat', '/x'], {
      stdout: /^[0-9a-f-]{36}\n$/,
    });
    await there.run(['system', 'check'], { stdout: ANY, stderr: ANY });
  });

  test('a fifo in its place holds nobody up', async () => {
    const dir = there.makeDir('fifo');
    spawnSync('mkfifo', [`${dir}/index.json`]);
    chmodSync(`${dir}/index.json`, 0o666);
    const outcome = await build(there, ['--cache-from', `type=local,src=${dir}`], { Dockerfile: SMALL });
    expect(warnings(outcome)).toEqual([expect.stringContaining('it is not a file')]);
  });
});
