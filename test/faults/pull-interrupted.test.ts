// A pull that is killed, cut off, stalled, lied to, or out of space does no damage: the next one succeeds, fetches only
// what was missing, and leaves nothing temporary. SKIFF_LONG=1 does 50 kills instead of 8; SKIFF_SEED repeats a run.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { Engine, sandbox } from '../helpers/engine.ts';
import { exec, execAny } from '../helpers/exec.ts';
import { storeLeftovers } from '../helpers/leaks.ts';
import { startRegistry, type TestImage, type TestRegistry } from '../helpers/registry.ts';
import { removeTree } from '../helpers/remove-tree.ts';
import { requires } from '../helpers/requires.ts';
import { tar, type TarEntry } from '../helpers/tar-writer.ts';
import { world } from '../helpers/world.ts';

const KILLS = process.env['SKIFF_LONG'] === '1' ? 50 : 8;
const LAYERS = 4;
const FILES = 60;

const skiff = sandbox();
let registry: TestRegistry;
let image: TestImage;

beforeAll(async () => {
  registry = await startRegistry();
  const layers = Array.from({ length: LAYERS }, (_, i) => ({ blob: gzipSync(layerTar(i), { level: 1 }) }));
  image = registry.addImage('many', 'latest', {
    layers: layers.map(({ blob }, i) => ({ blob, diffId: diffIdOf(i) })),
  });
});
afterAll(() => registry.close());

/** 3 MB of files that do not compress, in some folders. */
function layerTar(layer: number): Buffer {
  const entries: TarEntry[] = [{ path: `l${layer}/`, type: 'dir' }];
  let block = Buffer.from(`layer ${layer}`);
  for (let file = 0; file < FILES; file++) {
    const parts: Buffer[] = [];
    for (let i = 0; i < 1600; i++) parts.push((block = createHash('sha256').update(block).digest()));
    entries.push({ path: `l${layer}/f${file}`, content: Buffer.concat(parts), uid: file % 3 });
  }
  return tar(entries);
}

function diffIdOf(layer: number): string {
  return `sha256:${createHash('sha256').update(layerTar(layer)).digest('hex')}`;
}

/** Every blob of the image that is whole in the store has the right bytes, and no tree is half made. */
function checkStore(store: string): void {
  const blobs = `${store}/oci/blobs/sha256`;
  for (const name of existsSync(blobs) ? readdirSync(blobs) : []) {
    expect(
      createHash('sha256')
        .update(readFileSync(`${blobs}/${name}`))
        .digest('hex'),
    ).toBe(name);
  }
}

/** What `many` must look like inside. */
async function checkImage(engine: Engine): Promise<void> {
  const count = [
    'run',
    '--rm',
    '--pull',
    'never',
    '--network',
    'none',
    '-v',
    `${world().fixtures.listTree ?? ''}:/list-tree:ro`,
  ];
  const { stdout } = await engine.run([
    ...count,
    `${registry.host}/many`,
    '/list-tree',
    '/',
    './proc',
    './sys',
    './dev',
    './etc',
  ]);
  const files = stdout.split('\n').filter((line) => /^\.\/l\d\/f\d+ file /.test(line));
  expect(files).toHaveLength(LAYERS * FILES);
}

function fetches(): string[] {
  return registry.log().filter((line) => /^GET .*\/blobs\//.test(line));
}

test(`kill -9 at ${KILLS} random instants`, { timeout: KILLS * 15_000 }, async (context) => {
  requires(context, 'static-tools');
  const seed = process.env['SKIFF_SEED'] ?? String(Date.now() % 1_000_000);
  console.log(`seed ${seed}: repeat with SKIFF_SEED=${seed}`);
  const random = randomOf(seed);
  const name = `${registry.host}/many`;
  // How long a whole pull takes here.
  const whole = await timed(() => skiff.run(['pull', '--quiet', name]));
  await skiff.run(['rmi', name], { stdout: /./ });
  let lost = 0;
  for (let i = 0; i < KILLS; i++) {
    const running = skiff.start(['pull', '--quiet', name]);
    await new Promise((resolve) => setTimeout(resolve, random() * whole * 1.1));
    running.child.kill('SIGKILL');
    if ((await running.result).status === 'SIGKILL') lost++;
    checkStore(skiff.store);
    if (i % 4 === 3) {
      // A normal pull succeeds at any of these points; then it starts over.
      await skiff.run(['pull', '--quiet', name], { timeoutMs: 30_000 });
      await checkImage(skiff);
      await skiff.run(['rmi', name], { stdout: /./ });
    }
  }
  expect(lost).toBeGreaterThan(0);
  await skiff.run(['pull', '--quiet', name], { timeoutMs: 30_000 });
  await checkImage(skiff);
  await skiff.run(['system', 'prune', '--force'], { stdout: /^/, stderr: /^/ });
  expect(storeLeftovers(skiff.store)).toEqual([]);
  await checkImage(skiff);
});

test('what was downloaded before a kill is not downloaded again', async () => {
  const engine = new Engine({});
  try {
    const last = image.layers.at(-1);
    const name = `${registry.host}/many`;
    registry.fault({
      path: new RegExp(last?.digest ?? ''),
      times: 1,
      fault: { kind: 'stall', afterBytes: 1_000_000 },
    });
    const running = engine.start(['pull', '--quiet', name]);
    const blobs = `${engine.store}/oci/blobs/sha256`;
    await expect
      .poll(() => (existsSync(blobs) ? readdirSync(blobs).length : 0), { timeout: 20_000 })
      .toBeGreaterThan(LAYERS - 1);
    await expect.poll(() => partBytes(engine.store), { timeout: 20_000 }).toBeGreaterThan(500_000);
    running.child.kill('SIGKILL');
    await running.result;
    const before = fetches().length;
    await engine.run(['pull', '--quiet', name]);
    const after = fetches().slice(before);
    expect(after).toHaveLength(1);
    expect(after[0]).toContain(last?.digest ?? '');
    const request = registry.requests.filter(({ path }) => path.includes(last?.digest ?? '')).at(-1);
    expect(request?.headers.range).toMatch(/^bytes=[1-9]\d+-$/);
    expect(storeLeftovers(engine.store)).toEqual([]);
  } finally {
    await removeTree(engine.dir, engine.user);
  }
});

describe('a registry that', () => {
  /** One pull with a fault for the first layer, then one without. */
  async function faulty(
    rule: Parameters<TestRegistry['fault']>[0],
    outcome: { status: number; stderr: string | RegExp },
  ): Promise<void> {
    const engine = new Engine({});
    try {
      registry.fault(rule);
      const name = `${registry.host}/many`;
      await engine.run(['pull', '--quiet', name], { ...outcome, timeoutMs: 100_000 });
      registry.clearFaults();
      checkStore(engine.store);
      if (outcome.status !== 0) await engine.run(['images', '-q'], { stdout: '' });
      await engine.run(['pull', '--quiet', name]);
      await checkImage(engine);
      expect(storeLeftovers(engine.store)).toEqual([]);
    } finally {
      await removeTree(engine.dir, engine.user);
    }
  }
  const layer = (): RegExp => new RegExp(`/blobs/${image.layers[0]?.digest ?? ''}`);

  test('cuts the connection midway once: the pull goes on', async (context) => {
    requires(context, 'static-tools');
    await faulty(
      { path: layer(), times: 1, fault: { kind: 'reset', afterBytes: 1_000_000 } },
      { status: 0, stderr: /^/ },
    );
  });

  test('ends the body early once: the pull goes on', async (context) => {
    requires(context, 'static-tools');
    await faulty(
      { path: layer(), times: 1, fault: { kind: 'truncate', afterBytes: 70_000 } },
      { status: 0, stderr: /^/ },
    );
  });

  test('stalls once: the pull notices, and goes on', { timeout: 120_000 }, async (context) => {
    requires(context, 'static-tools');
    await faulty(
      { path: layer(), times: 1, fault: { kind: 'stall', afterBytes: 500_000 } },
      { status: 0, stderr: /^/ },
    );
  });

  test('answers 503 twice: the pull goes on', async (context) => {
    requires(context, 'static-tools');
    const fault = { kind: 'status', status: 503, headers: { 'retry-after': '0' } } as const;
    await faulty({ path: layer(), times: 2, fault }, { status: 0, stderr: /^/ });
  });

  test('lies about a digest: 125, both digests are named, nothing is kept', async (context) => {
    requires(context, 'static-tools');
    const body = Buffer.alloc(image.layers[0]?.size ?? 0, 'x');
    // Again and again: the unpacker notices too, at another instant each time, and must not hide the reason.
    for (let i = 0; i < 5; i++) {
      await faulty(
        { path: layer(), fault: { kind: 'replace', body } },
        {
          status: 125,
          stderr: new RegExp(`${image.layers[0]?.digest ?? ''}.*its content has digest ${digestOf(body)}`),
        },
      );
    }
  });

  test('sends more than it announced: 125', async (context) => {
    requires(context, 'static-tools');
    const body = Buffer.alloc((image.layers[0]?.size ?? 0) + 1_000_000, 'x');
    await faulty(
      { path: layer(), fault: { kind: 'replace', body } },
      { status: 125, stderr: /the registry holds \d+ bytes, the manifest says \d+/ },
    );
  });

  test('is gone: 125, the address is named', async () => {
    await skiff.run(['pull', '127.0.0.1:1/none'], {
      status: 125,
      stdout: '',
      stderr: /127\.0\.0\.1:1/,
      timeoutMs: 90_000,
    });
  });
});

test('a full disk: NO_SPACE is said, nothing is damaged, and deleting works', async (context) => {
  requires(context, 'root', 'static-tools');
  const engine = new Engine({});
  mkdirSync(engine.store);
  const name = `${registry.host}/many`;
  await exec('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=16m,mode=0700,uid=${engine.user.uid},gid=${engine.user.gid}`,
    'none',
    engine.store,
  ]);
  try {
    await engine.run(['pull', '--quiet', name], { status: 125, stdout: '', stderr: /space/i });
    checkStore(engine.store);
    await engine.run(['images', '-q'], { stdout: '' });
    await engine.run(['system', 'prune', '--force'], { stdout: /^/, stderr: /^/ });
    expect(storeLeftovers(engine.store)).toEqual([]);
    await exec('mount', ['-o', 'remount,size=200m', engine.store]);
    await engine.run(['pull', '--quiet', name]);
    await checkImage(engine);
    // Full to the last byte: removing must need none.
    await execAny('dd', ['if=/dev/zero', `of=${engine.store}/filler`, 'bs=1M']);
    await engine.run(['rmi', name], { stdout: /./ });
    expect(existsSync(`${engine.store}/oci/blobs/sha256/${image.layers[0]?.digest.slice(7) ?? ''}`)).toBe(
      false,
    );
  } finally {
    await exec('umount', ['--lazy', engine.store]);
    await removeTree(engine.dir, engine.user);
  }
});

/** Bytes in part files. */
function partBytes(store: string): number {
  const dir = `${store}/tmp/blobs`;
  if (!existsSync(dir)) return 0;
  return readdirSync(dir).reduce((sum, name) => sum + statSync(`${dir}/${name}`).size, 0);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Numbers in [0, 1) that a seed repeats. */
function randomOf(seed: string): () => number {
  let count = 0;
  return () => createHash('sha256').update(`${seed} ${count++}`).digest().readUInt32LE() / 2 ** 32;
}
