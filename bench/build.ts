// The scenarios of `build`: a Debian root, a tree of many files and five short commands on top, built by skiff and by podman
// from nothing, again, and after a change of one file; and ten stages that do not need each other.

import { chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { isRoot } from '../test/helpers/accounts.ts';
import { shellQuote } from '../test/helpers/exec.ts';
import { tar } from '../test/helpers/tar-writer.ts';
import { busyboxEntries } from '../test/setup/busybox.ts';
import { debianFixture } from '../test/setup/fixtures.ts';
import { layerEntries, type ImageSize } from './image.ts';
import type { Bench } from './peers.ts';
import type { Scenario } from './scenario.ts';

const FULL_TREE: ImageSize = { layers: 1, files: 30_000, bytes: 350_000_000 };
const SMALL_TREE: ImageSize = { layers: 1, files: 500, bytes: 5_000_000 };

const STEPS = `FROM scratch
ADD rootfs.tar /
COPY tree /srv/tree
RUN echo one >/one
RUN echo two >/two
RUN ls -R /srv/tree | wc -l >/count
RUN mkdir /data && cp -a /srv/tree/data0/dir0 /data/
RUN rm -rf /data/dir0 && echo five >/five
`;

const STAGES = 10;

export const BUILD_SCENARIOS = ['build-cold', 'build-cached', 'build-one-file', 'build-parallel'];

export async function buildScenarios(
  bench: Bench,
  skiff: readonly string[],
  podman: readonly string[] | undefined,
  smoke: boolean,
): Promise<Scenario[]> {
  const dir = `${bench.dir}/context`;
  const stores = `${bench.dir}/build`;
  mkdirSync(`${dir}/tree`, { recursive: true });
  await writeContext(dir, smoke);
  // The context stays root's: a build only reads it, but for the one file that changes.
  for (const path of [stores, `${dir}/tree/changing`]) {
    mkdirSync(path, { mode: 0o755 });
    if (isRoot()) chownSync(path, bench.user.uid, bench.user.gid);
  }
  const work = smoke ? 1_000 : 300_000;
  writeFileSync(
    `${dir}/Dockerfile.parallel`,
    stages(work, () => 'busybox'),
  );
  writeFileSync(
    `${dir}/Dockerfile.sequence`,
    stages(work, (i) => (i === 0 ? 'busybox' : `stage${i - 1}`)),
  );

  const wipe = (store: string): string => `unshare --user --map-root-user --map-auto rm -rf ${store}`;
  const runs = (full: number): number => (smoke ? 2 : full);
  /** The same build by each engine, in a store of the scenario's own. */
  const both = (store: string, prepare: (path: string) => string): Scenario['commands'] => {
    const build = ['build', '--quiet', '--tag', 'bench', dir];
    const [ours, theirs] = [`${stores}/skiff-${store}`, `${stores}/podman-${store}`];
    const root = ['--root', theirs, '--runroot', `${bench.dir}/run/podman-${store}`];
    return [
      { name: 'skiff', words: ['env', `SKIFF_ROOT=${ours}`, ...skiff, ...build], prepare: prepare(ours) },
      ...(podman === undefined
        ? []
        : [{ name: 'podman', words: [...podman, ...root, ...build], prepare: prepare(theirs) }]),
    ];
  };
  const shell = (script: string): string => shellQuote(['sh', '-c', script]);
  const changed = shell(`date +%s%N >${dir}/tree/changing/file`);
  const parallel = (file: string, ...more: string[]): string[] => [
    ...['build', '--quiet', '--no-cache', '--tag', 'bench-parallel', ...more],
    ...['--file', `${dir}/Dockerfile.${file}`, `${dir}/tree/changing`],
  ];
  return [
    {
      ...{ name: 'build-cold', limit: 0.5, runs: runs(2), warmup: 0 },
      commands: both('cold', (store) => shell(`${wipe(store)} && sync`)),
    },
    {
      ...{ name: 'build-cached', limit: 0.1, runs: runs(3), warmup: 1 },
      commands: both('warm', () => 'true'),
    },
    {
      ...{ name: 'build-one-file', limit: 0.4, runs: runs(2), warmup: 1 },
      commands: both('warm', () => changed),
    },
    {
      ...{ name: 'build-parallel', limit: 0.75, against: 'skiff in sequence', runs: runs(3), warmup: 0 },
      commands: [
        { name: 'skiff', words: [...skiff, ...parallel('parallel')] },
        { name: 'skiff in sequence', words: [...skiff, ...parallel('sequence')] },
        ...(podman === undefined
          ? []
          : [{ name: 'podman', words: [...podman, ...parallel('parallel', '--jobs', '2')] }]),
      ],
    },
  ];
}

async function writeContext(dir: string, smoke: boolean): Promise<void> {
  writeFileSync(`${dir}/Dockerfile`, STEPS);
  if (smoke) writeFileSync(`${dir}/rootfs.tar`, tar(busyboxEntries()));
  else copyFileSync(`${await debianFixture()}/debian.tar`, `${dir}/rootfs.tar`);
  for (const { path, type, content } of layerEntries(smoke ? SMALL_TREE : FULL_TREE, 0)) {
    const place = `${dir}/tree/${String(path)}`;
    if (type === 'dir') mkdirSync(place);
    else if (type === undefined) writeFileSync(place, content as Uint8Array);
  }
}

/** Stages of `work` rounds of a shell's loop each, and one that takes what they made. */
function stages(work: number, base: (i: number) => string): string {
  const numbers = Array.from({ length: STAGES }, (_, i) => i);
  const loop = `i=0; while [ $i -lt ${work} ]; do i=$((i+1)); done; echo $i`;
  return [
    ...numbers.map((i) => `FROM ${base(i)} AS stage${i}\nRUN ${loop} >/result${i}`),
    'FROM busybox',
    ...numbers.map((i) => `COPY --from=stage${i} /result${i} /`),
    '',
  ].join('\n');
}
