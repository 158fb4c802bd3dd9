// The corpus: each row is built, and all of it must come out as the row says. podman builds some of them too (all with
// SKIFF_LONG=1): what differs there is said in the row, with the reason.

import { chownSync, mkdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { isRoot } from '../helpers/accounts.ts';
import { ANY, sandbox } from '../helpers/engine.ts';
import { execAny } from '../helpers/exec.ts';
import { readImage } from '../helpers/image-files.ts';
import { removeTree } from '../helpers/remove-tree.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';
import { writeContext } from './build/context.ts';
import { CORPUS } from './build/corpus.ts';
import { blobPath, differences, judge, manifestPath, type Base, type Outcome } from './build/judge.ts';
import type { Row } from './build/row.ts';

/** Together they are to be this fast on two cores, the machine being as slow as those of CI. */
const AT_ONCE = 2;
/** Without SKIFF_LONG every so many rows go to podman. */
const SAMPLE = process.env['SKIFF_LONG'] === '1' ? 1 : 25;

const { fixtures, missing } = world();
const skiff = sandbox();
const ROWS = Object.entries(CORPUS).flatMap(([topic, rows]) =>
  rows.map((row) => ({ title: `${topic}: ${row.name}`, row })),
);
let base: Base;
const outcomes = new Map<Row, Outcome>();

beforeAll(async () => {
  if (missing['busybox-image'] !== undefined) return;
  await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
  const busybox = readStored('busybox');
  base = { layers: busybox.layers, files: busybox.files, history: busybox.history.length };
  const todo = [...ROWS.entries()];
  const work = async (): Promise<void> => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift())
      outcomes.set(next[1].row, await build(next[1].row, next[0]));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}, 600_000);

function readStored(name: string) {
  const oci = `${skiff.store}/oci`;
  const path = manifestPath(oci, `docker.io/library/${name}:latest`);
  return readImage(path, (digest) => blobPath(oci, digest));
}

function rowDir(number: number): string {
  const dir = `${skiff.dir}/row-${number}`;
  mkdirSync(dir);
  if (isRoot()) chownSync(dir, skiff.user.uid, skiff.user.gid);
  return dir;
}

async function build(row: Row, number: number): Promise<Outcome> {
  const dir = rowDir(number);
  const context = writeContext(row, dir, skiff.user);
  const flags = (row.flags ?? []).map((word) => word.replaceAll('{dir}', dir));
  const { status, stderr } = await skiff.run(
    ['build', '--network', 'none', '--progress', 'plain', '-t', `row-${number}`, ...flags, context],
    { status: null, stderr: ANY },
  );
  return { status, stderr, image: status === 0 ? readStored(`row-${number}`) : undefined };
}

describe('the corpus', () => {
  test('has rows of every kind', () => {
    expect(ROWS.length).toBeGreaterThan(380);
    expect(new Set(ROWS.map(({ title }) => title)).size).toBe(ROWS.length);
    const positive = ROWS.filter(({ row }) => row.fails === undefined).length;
    expect(positive).toBeGreaterThan(250);
    expect(ROWS.length - positive).toBeGreaterThan(90);
    if (missing['busybox-image'] === undefined) expect(outcomes.size).toBe(ROWS.length);
  });

  test.for(ROWS)('$title', ({ row }, context) => {
    requires(context, 'busybox-image');
    expect(judge(row, outcomes.get(row) as Outcome, base).join('\n')).toBe('');
  });
});

// As root: podman's rootless containers do not start everywhere, and what is compared are files, not users.
describe('podman makes the same of it', () => {
  const compared = ROWS.filter(({ row }) => row.podman === undefined || 'differs' in row.podman);
  const chosen = compared.filter((_, i) => i % SAMPLE === 0);

  test(`${chosen.length} of ${compared.length} rows`, { timeout: 1_200_000 }, async (context) => {
    requires(context, 'podman', 'busybox-image', 'root');
    const dir = `${skiff.dir}/podman`;
    mkdirSync(dir);
    const { podman, env } = peerIn(dir);
    const loaded = await execAny(
      'podman',
      [...podman, 'load', '-q', '-i', fixtures.busyboxOciArchive ?? ''],
      { env },
    );
    expect(loaded.status, loaded.stderr).toBe(0);
    const wrong: string[] = [];
    const todo = [...chosen];
    const work = async (): Promise<void> => {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        const { title, row } = next;
        const number = ROWS.findIndex((one) => one.row === row);
        const theirs = await buildThere(podman, env, row, number);
        const found = differences(outcomes.get(row) as Outcome, theirs, base);
        const reason = row.podman;
        if (found.length > 0 && reason === undefined) wrong.push(`${title}\n  ${found.join('\n  ')}`);
        if (found.length === 0 && reason !== undefined) wrong.push(`${title}\n  does not differ any more`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    await removeTree(dir, skiff.user);
    expect(wrong.join('\n')).toBe('');
  });
});

function peerIn(dir: string): { podman: string[]; env: Record<string, string> } {
  return {
    podman: [
      '--storage-driver',
      'vfs',
      '--root',
      `${dir}/graph`,
      '--runroot',
      `${dir}/run`,
      '--cgroup-manager',
      'cgroupfs',
    ],
    env: { HOME: dir, XDG_RUNTIME_DIR: dir, TMPDIR: dir, PATH: skiff.env['PATH'] ?? '' },
  };
}

async function buildThere(
  podman: readonly string[],
  env: Record<string, string>,
  row: Row,
  number: number,
): Promise<Outcome> {
  const dir = `${skiff.dir}/row-${number}`;
  const flags = (row.flags ?? []).map((word) => word.replaceAll('{dir}', dir));
  const how = [
    '--format',
    'docker',
    '--layers=false',
    '--isolation',
    'chroot',
    '--network',
    'host',
    '--pull=never',
  ];
  const built = await execAny(
    'podman',
    [...podman, 'build', '-q', ...how, '-t', `row-${number}`, ...flags, `${dir}/ctx`],
    { env },
  );
  if (built.status !== 0) return { status: built.status, stderr: built.stderr, image: undefined };
  const saved = `${env['HOME']}/saved-${number}`;
  const { status, stderr } = await execAny(
    'podman',
    [...podman, 'save', '-q', '--format', 'docker-dir', '-o', saved, `row-${number}`],
    { env },
  );
  if (status !== 0) throw new Error(stderr);
  const image = readImage(`${saved}/manifest.json`, (digest) => `${saved}/${digest.slice('sha256:'.length)}`);
  return { status: 0, stderr: '', image };
}
