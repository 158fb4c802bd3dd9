// npm run bench: measures what users wait for, against the peers, in one hyperfine run a scenario, so that all commands
// meet the same machine. Writes bench/results/latest.json and prints a table of medians and ratios.
//
//   --smoke        few runs and a small image: that it works, not how fast it is
//   --only A,B     scenarios by name
//   --check        exit 1 when skiff is over a limit

import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { isRoot } from '../test/helpers/accounts.ts';
import { startDockerRegistry } from '../test/helpers/docker-registry.ts';
import { exec, execAny, shellQuote } from '../test/helpers/exec.ts';
import { REPOSITORY } from '../test/helpers/world.ts';
import { openWorld } from '../test/setup/global.ts';
import { hasProgram } from '../test/setup/probe.ts';
import { BUSYBOX } from '../test/setup/busybox.ts';
import { BUILD_SCENARIOS, buildScenarios } from './build.ts';
import { holdContainer } from './hold.ts';
import { benchRegistry, FULL, SMALL } from './image.ts';
import { waitingMemory } from './memory.ts';
import {
  asUser,
  podmanEnvironment,
  prepareFloor,
  preparePodman,
  stopPodman,
  writeParallelScript,
  type Bench,
} from './peers.ts';
import { formatTable, type Measured, type Report, type ScenarioResult } from './report.ts';
import type { Scenario } from './scenario.ts';

const PARALLEL = 20;
const HELD = 'bench-held';

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const smoke = args.includes('--smoke');
  const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '').split(',') : undefined;
  const isWanted = (name: string): boolean => only === undefined || only.includes(name);
  if (!hasProgram('hyperfine')) {
    console.error('bench: hyperfine is missing: apt-get install hyperfine');
    return 1;
  }
  const { world, close } = await openWorld({ images: 'busybox' });
  const data = await benchRegistry(smoke ? SMALL : FULL);
  const registry = await startDockerRegistry({ data, dir: `${world.dir}/bench-registry`, readOnly: true });
  let bench: Bench | undefined;
  try {
    if (world.storeError !== '') throw new Error(world.storeError);
    bench = makeBench(world.dir, world.user, world.store);
    const scenarios = await planScenarios(bench, world, registry.address, {
      smoke,
      withBuilds: BUILD_SCENARIOS.some(isWanted),
    });
    const results: ScenarioResult[] = [];
    for (const scenario of scenarios) {
      if (!isWanted(scenario.name)) continue;
      console.error(`bench: ${scenario.name}`);
      results.push(await measure(bench, scenario));
    }
    const memory = isWanted('memory') ? await waitingMemory(bench, world.binary) : undefined;
    const report: Report = {
      machine: await describeMachine(),
      smoke,
      results,
      ...(memory ? { memory } : {}),
    };
    mkdirSync(`${REPOSITORY}/bench/results`, { recursive: true });
    writeFileSync(`${REPOSITORY}/bench/results/latest.json`, `${JSON.stringify(report, null, 2)}\n`);
    const { text, overLimit } = formatTable(report);
    console.log(text);
    return args.includes('--check') && overLimit.length > 0 ? 1 : 0;
  } finally {
    if (bench !== undefined) await stopPodman(bench);
    await registry.stop();
    await close();
  }
}

function makeBench(dir: string, user: Bench['user'], store: string): Bench {
  for (const name of ['home', 'run', 'podman-store', 'bundle', 'pull']) {
    mkdirSync(`${dir}/${name}`, { mode: 0o700 });
    if (isRoot()) chownSync(`${dir}/${name}`, user.uid, user.gid);
  }
  const env = {
    HOME: `${dir}/home`,
    XDG_RUNTIME_DIR: `${dir}/run`,
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    SKIFF_ROOT: store,
    ...podmanEnvironment(dir),
  };
  return { dir, user, env };
}

async function planScenarios(
  bench: Bench,
  world: { binary: string; fixtures: { busyboxOciArchive?: string } },
  registry: string,
  { smoke, withBuilds }: { smoke: boolean; withBuilds: boolean },
): Promise<Scenario[]> {
  const skiff = [world.binary];
  const podman = await preparePodman(bench, world.fixtures.busyboxOciArchive ?? '');
  const floor = BUSYBOX === undefined ? [] : await prepareFloor(bench, BUSYBOX);
  const parallel = writeParallelScript(bench.dir);
  const pullStore = `${bench.dir}/pull/skiff`;
  const runs = (full: number): number => (smoke ? 2 : full);
  const both = (
    make: (words: string[], isPodman: boolean) => Scenario['commands'][number],
  ): Scenario['commands'] => [
    { ...make(skiff, false), name: 'skiff' },
    ...(podman ? [{ ...make(podman, true), name: 'podman' }] : []),
  ];
  const command = (...args: string[]) => both((words) => ({ name: '', words: [...words, ...args] }));
  const none = ['run', '--rm', '--network', 'none', 'busybox', 'true'];
  return [
    { name: 'version', runs: runs(50), warmup: 3, commands: command('--version') },
    { name: 'run-none', limit: 0.2, runs: runs(40), warmup: 3, commands: [...command(...none), ...floor] },
    { name: 'run-default', runs: runs(20), warmup: 2, commands: command('run', '--rm', 'busybox', 'true') },
    {
      name: 'parallel-20',
      limit: 0.25,
      runs: runs(8),
      warmup: 1,
      commands: both((words) => ({ name: '', words: [parallel, String(PARALLEL), ...words, ...none] })),
    },
    {
      name: 'exec',
      limit: 0.2,
      runs: runs(40),
      warmup: 3,
      commands: command('exec', HELD, 'true'),
      held: { name: HELD, by: (podman ? [skiff, podman] : [skiff]).map((words) => ({ words, count: 1 })) },
    },
    {
      // Ours among 200 containers, podman's beside one.
      name: 'ps-200',
      limit: 0.35,
      runs: runs(30),
      warmup: 2,
      commands: command('ps'),
      held: {
        name: HELD,
        // podman first: its runtime needs a key of its own, of which a user has 200.
        by: [...(podman ? [{ words: podman, count: 1 }] : []), { words: skiff, count: smoke ? 10 : 200 }],
      },
    },
    {
      name: 'pull',
      limit: 0.6,
      runs: runs(5),
      warmup: 0,
      commands: both((words, isPodman) => {
        const store = isPodman ? `${bench.dir}/pull/podman` : pullStore;
        return {
          name: '',
          words: isPodman
            ? [
                ...words,
                '--root',
                store,
                '--runroot',
                `${bench.dir}/run/podman-pull`,
                'pull',
                '--quiet',
                '--tls-verify=false',
                `${registry}/bench:latest`,
              ]
            : ['env', `SKIFF_ROOT=${store}`, ...words, 'pull', '--quiet', `${registry}/bench:latest`],
          prepare: shellQuote([
            'sh',
            '-c',
            `unshare --user --map-root-user --map-auto rm -rf ${store} && sync`,
          ]),
        };
      }),
    },
    ...(withBuilds ? await buildScenarios(bench, skiff, podman, smoke) : []),
  ];
}

/** One hyperfine run over all commands of a scenario. */
async function measure(bench: Bench, scenario: Scenario): Promise<ScenarioResult> {
  const file = `${bench.dir}/home/${scenario.name}.json`;
  const args = ['--shell=none', '--warmup', String(scenario.warmup), '--runs', String(scenario.runs)];
  args.push('--style', 'none', '--export-json', file);
  for (const { words, prepare } of scenario.commands) {
    if (scenario.commands.some((command) => command.prepare !== undefined))
      args.push('--prepare', prepare ?? 'true');
    args.push(shellQuote(words));
  }
  const { held } = scenario;
  const ends: (() => Promise<void>)[] = [];
  try {
    for (const { words, count } of held?.by ?? []) {
      const names = Array.from({ length: count }, (_, i) => `${held?.name ?? ''}${i === 0 ? '' : `-${i}`}`);
      ends.push(...(await Promise.all(names.map((name) => holdContainer(bench, words, name)))));
    }
    await asUser(bench, 'hyperfine', args);
  } finally {
    await Promise.all(ends.map((end) => end()));
  }
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as {
    results: (Record<'median' | 'min' | 'max' | 'stddev' | 'user' | 'system', number> & {
      times: number[];
    })[];
  };
  const commands = scenario.commands.map(({ name, words }, i): Measured => {
    const seconds = results[i];
    if (seconds === undefined) throw new Error(`hyperfine gave no result for ${words.join(' ')}`);
    const { median, min, max, stddev, user, system, times } = seconds;
    return {
      name,
      command: shellQuote(words),
      medianMs: median * 1e3,
      minMs: min * 1e3,
      maxMs: max * 1e3,
      stddevMs: stddev * 1e3,
      cpuMs: (user + system) * 1e3,
      runs: times.length,
    };
  });
  return {
    name: scenario.name,
    commands,
    ...(scenario.limit === undefined ? {} : { limit: scenario.limit }),
    ...(scenario.against === undefined ? {} : { against: scenario.against }),
  };
}

async function describeMachine(): Promise<Report['machine']> {
  const version = async (program: string): Promise<string> => {
    if (!hasProgram(program)) return 'not installed';
    return (await execAny(program, ['--version'])).stdout.split('\n')[0] ?? '';
  };
  const commit = (await execAny('git', ['-C', REPOSITORY, 'rev-parse', '--short', 'HEAD'])).stdout.trim();
  return {
    cpu: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    date: new Date().toISOString(),
    commit,
    podman: await version('podman'),
    crun: await version('crun'),
    bwrap: await version('bwrap'),
    load: (await exec('cat', ['/proc/loadavg'])).split(' ')[0] ?? '',
  };
}

process.exitCode = await main();
