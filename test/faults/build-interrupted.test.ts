// A build that is killed at any instant, or runs out of space, does no damage: the next one comes to the same digest, and
// nothing temporary is left. SKIFF_LONG=1 does 50 kills instead of 5; SKIFF_SEED repeats a run.

import { chownSync, existsSync, mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isRoot } from '../helpers/accounts.ts';
import { ANY, Engine, sandbox } from '../helpers/engine.ts';
import { exec } from '../helpers/exec.ts';
import { storeLeftovers } from '../helpers/leaks.ts';
import { removeTree } from '../helpers/remove-tree.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const KILLS = process.env['SKIFF_LONG'] === '1' ? 50 : 5;
const FILES = 200;

const { fixtures, missing } = world();
const skiff = sandbox();
/** What a build comes to that nobody disturbs, and how long it takes. */
let digest = '';
let durationMs = 0;

// Two stages side by side, steps that write much and little, a cache, removed files, and what is copied between them.
const DOCKERFILE = `FROM busybox AS a
RUN --mount=type=cache,target=/cache echo warm > /cache/x; yes | head -c 8000000 > /big
FROM busybox AS b
COPY tree /tree
RUN rm /etc/group && chown -R 5:6 /tree
FROM b
COPY --from=a /big /copied
RUN --network=none ls /tree | wc -l > /count; chmod 700 /etc
CMD ["cat", "/count"]
`;

beforeAll(async () => {
  if (missing['busybox-image'] !== undefined) return;
  writeFiles();
  await load(skiff);
  const start = Date.now();
  await build(skiff);
  durationMs = Date.now() - start;
  digest = await digestOfImage(skiff);
});

function writeFiles(): void {
  const dir = skiff.makeDir('context');
  mkdirSync(`${dir}/tree`);
  writeFileSync(`${dir}/Dockerfile`, DOCKERFILE);
  for (let i = 0; i < FILES; i++) writeFileSync(`${dir}/tree/${i}`, `${i} `.repeat(3000));
  if (!isRoot()) return;
  chownSync(`${dir}/tree`, skiff.user.uid, skiff.user.gid);
}

const command = ['build', '--network', 'none', '--progress', 'plain', '-t', 'built', `${skiff.dir}/context`];

async function load(engine: Engine): Promise<void> {
  await engine.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
}

async function build(engine: Engine): Promise<void> {
  await engine.run(command, { stderr: ANY });
}

async function digestOfImage(engine: Engine): Promise<string> {
  const { stdout } = await engine.run(['image', 'inspect', 'built']);
  return (JSON.parse(stdout) as [{ Descriptor: { digest: string } }])[0].Descriptor.digest;
}

/** As if nothing had been built yet. */
async function forget(engine: Engine): Promise<void> {
  await engine.run(['rmi', '-f', 'built'], { status: null, stdout: ANY, stderr: ANY });
  await engine.run(['builder', 'prune', '--force'], { stdout: ANY, stderr: ANY });
}

async function expectWhole(engine: Engine): Promise<void> {
  expect(await digestOfImage(engine)).toBe(digest);
  await engine.run(['run', '--rm', '--network', 'none', 'built'], { stdout: `${FILES}\n` });
  await engine.run(['system', 'check'], { stdout: ANY, stderr: ANY });
  expect(storeLeftovers(engine.store)).toEqual([]);
}

/** mulberry32: the same instants for the same seed. */
function instants(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test(`kill -9 at ${KILLS} random instants`, { timeout: 600_000 }, async (context) => {
  requires(context, 'busybox-image');
  const seed = Number(process.env['SKIFF_SEED'] ?? Date.now() % 1_000_000);
  console.log(`build-interrupted: SKIFF_SEED=${seed}`);
  const random = instants(seed);
  for (let i = 0; i < KILLS; i++) {
    await forget(skiff);
    const running = skiff.start(command);
    await sleep(random() * durationMs);
    running.child.kill('SIGKILL');
    await running.result;
    await build(skiff);
    await expectWhole(skiff);
  }
});

test('a full disk: it is said, nothing is damaged, and with more space the build goes on', async (context) => {
  requires(context, 'root', 'busybox-image');
  const engine = new Engine({});
  mkdirSync(engine.store);
  const options = `mode=0700,uid=${engine.user.uid},gid=${engine.user.gid}`;
  await exec('mount', ['-t', 'tmpfs', '-o', `size=8m,${options}`, 'none', engine.store]);
  try {
    await load(engine);
    let failures = 0;
    for (let megabytes = 8; megabytes <= 128; megabytes += 6) {
      await exec('mount', ['-o', `remount,size=${megabytes}m`, engine.store]);
      const { status, stderr } = await engine.run(command, { status: null, stderr: ANY });
      expect(storeLeftovers(engine.store)).toEqual([]);
      await engine.run(['system', 'check'], { stdout: ANY, stderr: ANY });
      if (status === 0) break;
      failures++;
      expect(stderr).toMatch(/space|ENOSPC|I\/O error/i); // the last: busybox of what it could not write
      const names = await engine.run(['images', '--format', '{{.Repository}}']);
      expect(names.stdout).not.toMatch(/built/);
    }
    expect(failures).toBeGreaterThan(1);
    await expectWhole(engine);
  } finally {
    await exec('umount', ['--lazy', engine.store]);
    await removeTree(engine.dir, engine.user);
  }
});

test('a disk with room for what a step makes, and none for its layer: named with the step and a way out', async (context) => {
  requires(context, 'root', 'busybox-image');
  const engine = new Engine({});
  mkdirSync(engine.store);
  const options = `mode=0700,uid=${engine.user.uid},gid=${engine.user.gid}`;
  await exec('mount', ['-t', 'tmpfs', '-o', `size=64m,${options}`, 'none', engine.store]);
  try {
    await load(engine);
    const dir = engine.makeDir('big');
    writeFileSync(`${dir}/Dockerfile`, 'FROM busybox\nRUN head -c 12000000 /dev/zero > /big\n');
    const used = statfsSync(engine.store);
    const usedBytes = (used.blocks - used.bavail) * used.bsize;
    await exec('mount', ['-o', `remount,size=${usedBytes + 18_000_000}`, engine.store]);
    const { stderr } = await engine.run(['build', '--network', 'none', '--progress', 'plain', dir], {
      status: 1,
      stderr: ANY,
    });
    expect(stderr).toMatch(/storing "\[2\/2\] RUN head .*ENOSPC.*: the disk of the store ".*" is full/);
    expect(stderr).toMatch(/skiff system prune.*SKIFF_ROOT/);
    expect(storeLeftovers(engine.store)).toEqual([]);
  } finally {
    await exec('umount', ['--lazy', engine.store]);
    await removeTree(engine.dir, engine.user);
  }
});

afterAll(async () => {
  if (missing['busybox-image'] !== undefined) return;
  await forget(skiff);
  const rest = existsSync(`${skiff.store}/build-cache/steps`)
    ? readdirSync(`${skiff.store}/build-cache/steps`)
    : [];
  expect(rest).toEqual([]);
});
