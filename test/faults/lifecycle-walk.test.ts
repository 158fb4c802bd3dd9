// A random walk over the commands of a container's life, by several workers at once on the same few names, while random
// processes of ours (command lines, helpers, monitors) are killed at random instants. Afterwards everything must be true,
// and everything must be removable. Repeat a run with SKIFF_WALK_SEED; SKIFF_WALK=1000 is the long form.

import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { isRoot, ROOT } from '../helpers/accounts.ts';
import { sandbox, type Engine } from '../helpers/engine.ts';
import { processesOf, storeLeftovers } from '../helpers/leaks.ts';
import { requires, type Capability } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const ordinary = sandbox({ sharedStore: true });
const root = isRoot() ? sandbox({ user: ROOT }) : undefined;
const STEPS = Number(process.env['SKIFF_WALK'] ?? 120);
const SEED = Number(process.env['SKIFF_WALK_SEED'] ?? Date.now() % 1_000_000);
const WORKERS = 8;
/** Nothing here takes more than seconds, whatever the load. */
const STUCK_MS = 45_000;
const NAMES = ['walk0', 'walk1', 'walk2', 'walk3'];

/** Numerical Recipes' generator: good enough to choose, and the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const none = ['--network', 'none'];
const SLEEP = ['busybox', 'sleep', '1000'];
// Changes its ids, and so outlives a monitor that is killed.
const LOOSE = ['busybox', 'sh', '-c', 'exec su -s /bin/sh nobody -c "exec sleep 1000"'];

type Step = (name: string, other: string) => string[];
const COMMANDS: Step[] = [
  (name) => ['create', '--name', name, ...none, ...SLEEP],
  (name) => ['create', '--rm', '--name', name, ...none, ...SLEEP],
  (name) => ['run', '-d', '--name', name, ...none, ...SLEEP],
  (name) => ['run', '-d', '--name', name, ...none, ...LOOSE],
  (name) => ['run', '-d', '--rm', '--name', name, ...none, ...SLEEP],
  (name) => ['run', '--rm', '--name', name, ...none, 'busybox', 'echo', 'x'],
  (name) => ['run', '--name', name, ...none, 'busybox', 'sh', '-c', 'echo x; exit 1'],
  (name) => ['run', '-d', '--restart', 'always', '--name', name, ...none, 'busybox', 'sh', '-c', 'exit 1'],
  (name) => ['start', name],
  (name) => ['start', name],
  (name) => ['stop', '-t', '1', name],
  (name) => ['kill', name],
  (name) => ['restart', '-t', '1', name],
  (name) => ['rm', name],
  (name) => ['rm', name],
  (name) => ['rm', '-f', name],
  (name, other) => ['rename', name, other],
  (name) => ['logs', name],
  (name) => ['exec', name, 'true'],
  (name) => ['exec', '-d', name, 'sleep', '1000'],
  (name) => ['pause', name],
  (name) => ['pause', name],
  (name) => ['unpause', name],
  (name) => ['update', '--restart', 'on-failure:1', name],
  (name) => ['update', '--pids-limit', '20', name],
  () => ['stats', '--no-stream', '-a'],
  (name) => ['wait', '--condition', 'stopped,running,created', name],
  () => ['ps', '-a'],
];

/** Pids of our own programs: the binary and the helper, whatever its mode, but not init before its exec. */
function ours(skiff: Engine): number[] {
  return processesOf(skiff.user).flatMap(({ pid }) => {
    try {
      const executable = readlinkSync(`/proc/${pid}/exe`);
      if (executable === skiff.binary) return [pid];
      return executable.startsWith('/memfd:skiff-helper') && isOf(skiff, pid) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

/** root's other helpers are none of our business. */
function isOf({ user, store }: Engine, pid: number): boolean {
  if (user !== ROOT) return true;
  const fds = readdirSync(`/proc/${pid}/fd`);
  return fds.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(`${store}/`));
}

function killOne(skiff: Engine, random: (below: number) => number): void {
  const pids = ours(skiff);
  if (pids.length === 0) return;
  try {
    process.kill(pids[random(pids.length)] as number, 'SIGKILL');
  } catch {
    // ended meanwhile
  }
}

async function walk(skiff: Engine, worker: number, steps: number): Promise<string[]> {
  const random = generator(SEED * 31 + worker);
  const strange: string[] = [];
  const attacks: Promise<void>[] = [];
  for (let i = 0; i < steps; i++) {
    const step = COMMANDS[random(COMMANDS.length)] as Step;
    const args = step(NAMES[random(NAMES.length)] as string, NAMES[random(NAMES.length)] as string);
    const begunMs = Date.now();
    const running = skiff.start(args, { timeoutMs: STUCK_MS });
    if (random(3) === 0) attacks.push(sleep(random(60)).then(() => killOne(skiff, random)));
    const { status, stderr } = await running.result;
    if (Date.now() - begunMs >= STUCK_MS) strange.push(`${args.join(' ')}: stuck`);
    // What a bug looks like: a stack, or an errno that nobody has put into words.
    if (/internal error|\n {4}at |E(NOENT|EXIST|NOTEMPTY|BADF)\b/.test(stderr))
      strange.push(`${args.join(' ')}: ${status}: ${stderr}`);
  }
  // One that comes late must not hit what looks at the outcome.
  await Promise.all(attacks);
  return strange;
}

/** `ps -a` against the kernel. */
async function checkTruth(skiff: Engine): Promise<void> {
  const { stdout } = await skiff.run(
    ['ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.Names}} {{.State}}'],
    {
      stderr: /^/,
    },
  );
  const rows = stdout.split('\n').filter((line) => line !== '');
  const names = rows.map((row) => row.split(' ')[1]);
  expect(new Set(names).size, `names are unique:\n${rows.join('\n')}`).toBe(names.length);
  for (const row of rows) {
    const [id = '', , state] = row.split(' ');
    const file = `${skiff.store}/containers/${id}/pid`;
    const pid = existsSync(file) ? readFileSync(file, 'utf8').split(' ')[0] : undefined;
    if (state === 'running' || state === 'paused') expect(existsSync(`/proc/${pid}`), row).toBe(true);
    else expect(['created', 'exited', 'restarting'], row).toContain(state);
  }
}

/** Control groups of containers of this store, in every hierarchy. */
function groupsOf(ids: readonly string[]): string[] {
  return readdirSync('/sys/fs/cgroup', { recursive: true, encoding: 'utf8' }).filter((path) =>
    ids.some((id) => path.endsWith(`skiff-${id}`)),
  );
}

describe.each([
  ['ordinary user', 'busybox-image', ordinary],
  ['root, with control groups', 'root', root],
] as [string, Capability, Engine | undefined][])('%s', (_title, capability, maybe) => {
  const skiff = maybe as Engine;
  const name = `${STEPS} steps by ${WORKERS} workers, seed ${SEED}`;

  test(name, { timeout: 60_000 + STEPS * 2000 }, async (context) => {
    requires(context, 'busybox-image', capability);
    console.log(`random walk: SKIFF_WALK=${STEPS} SKIFF_WALK_SEED=${SEED}`);
    if (skiff !== ordinary)
      await skiff.run(['load', '-q', '-i', world().fixtures.busyboxDockerArchive ?? ''], { stdout: /./ });
    const walks = Array.from({ length: WORKERS }, (_, i) => walk(skiff, i, Math.ceil(STEPS / WORKERS)));
    const strange = (await Promise.all(walks)).flat();
    expect(strange).toEqual([]);
    await checkTruth(skiff);
    // A folder whose maker was killed before it had a lock counts as abandoned after two seconds.
    await sleep(2100);
    const { stdout } = await skiff.run(['ps', '-aq', '--no-trunc'], { stderr: /^/ });
    const ids = stdout.split('\n').filter((line) => line !== '');
    for (const id of ids) await skiff.run(['rm', '-f', id], { stdout: `${id}\n`, stderr: /^/ });
    await skiff.run(['system', 'prune', '-f'], { stdout: /./, stderr: /^/ });
    await skiff.run(['system', 'check'], { stdout: /^/, stderr: /^/ });
    expect(storeLeftovers(skiff.store)).toEqual([]);
    expect(readdirSync(`${skiff.store}/containers`)).toEqual([]);
    expect(groupsOf(ids)).toEqual([]);
  });
});
