// Global set-up of the integration project: makes the world (test/helpers/world.ts) before the first test, removes it
// after the last, and ends with the list of skipped tests. Also used by the bench and scripts.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { findAccount, isRoot, ordinaryAccount, ROOT } from '../helpers/accounts.ts';
import { startDockerRegistry, type RunningRegistry } from '../helpers/docker-registry.ts';
import { exec, execAny } from '../helpers/exec.ts';
import { removeTree } from '../helpers/remove-tree.ts';
import { skipsFile, type Capability, type Skip } from '../helpers/requires.ts';
import { REPOSITORY, WORLD_PARENT, type Fixtures, type Registries, type World } from '../helpers/world.ts';
import { probeMachine } from './probe.ts';
import {
  busyboxFixture,
  debianFixture,
  devcontainersFixture,
  oddFixture,
  registryFixture,
} from './fixtures.ts';
import { buildTool } from './tools.ts';

export interface OpenWorld {
  world: World;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** Make the Debian image and the registries too; the short bench needs neither. */
  images?: 'all' | 'busybox';
}

/** Makes everything; what cannot be made is a missing capability with its reason, never an error. */
export async function openWorld({ images = 'all' }: WorldOptions = {}): Promise<OpenWorld> {
  const source = process.env['SKIFF_BINARY'] ?? `${REPOSITORY}/dist/skiff`;
  if (!existsSync(source)) throw new Error(`${source} is missing: npm run build`);
  const release = await onlyOneRun();
  const dir = mkdtempSync(`${WORLD_PARENT}/`);
  chmodSync(dir, 0o755);
  const user = ordinaryAccount() ?? ROOT;
  const missing: World['missing'] = await probeMachine(user);
  const registries: RunningRegistry[] = [];
  const world: World = {
    dir,
    binary: `${dir}/bin/skiff`,
    user,
    store: `${dir}/store`,
    storeError: '',
    missing,
    fixtures: {},
  };
  const userWithoutRanges = findAccount('skiff-nosub');
  if (isRoot() && userWithoutRanges) world.userWithoutRanges = userWithoutRanges;

  const attempt = async <T>(capability: Capability, make: () => Promise<T>): Promise<T | undefined> => {
    if (missing[capability] !== undefined) return undefined;
    try {
      return await make();
    } catch (error) {
      missing[capability] = (error as Error).message.trim();
      return undefined;
    }
  };

  mkdirSync(`${dir}/bin`);
  copyFileSync(source, world.binary);
  chmodSync(world.binary, 0o755);
  mkdirSync(world.store, { mode: 0o700 });
  if (isRoot()) chownSync(world.store, user.uid, user.gid);

  const listTree = await attempt('static-tools', () => buildTool('list-tree'));
  if (listTree !== undefined) world.fixtures.listTree = share(listTree, dir, 0o755);
  const udpOnce = await attempt('static-tools', () => buildTool('udp-once'));
  if (udpOnce !== undefined) world.fixtures.udpOnce = share(udpOnce, dir, 0o755);
  const busybox = await attempt('busybox-image', busyboxFixture);
  if (busybox !== undefined) await shareBusybox(busybox, dir, world.fixtures);
  if (images === 'all') {
    const odd = await attempt('busybox-image', oddFixture);
    const debian = await attempt('debian-image', debianFixture);
    if (odd !== undefined) world.fixtures.oddLayout = `${odd}/layout`;
    if (debian !== undefined) world.fixtures.debianTar = `${debian}/debian.tar`;
    const devcontainers = await attempt('devcontainers-cli', devcontainersFixture);
    if (devcontainers !== undefined)
      world.fixtures.devcontainers = await shareDevcontainers(devcontainers, dir);
    if (busybox !== undefined && odd !== undefined) {
      const started = await attempt('registry', () =>
        startRegistries({ busybox, odd, ...(debian ? { debian } : {}) }, dir, missing),
      );
      if (started !== undefined) {
        world.registries = started.addresses;
        registries.push(...started.running);
      }
    }
  }
  if (busybox !== undefined) world.storeError = await fillStore(world);
  writeFileSync(`${dir}/world.json`, JSON.stringify(world, null, 2));
  return {
    world,
    async close() {
      await Promise.all(registries.map((registry) => registry.stop()));
      await removeTree(dir, user);
      release();
    },
  };
}

/**
 * Waits until no other run of these tests is under way on this machine: they share users, whose processes and files
 * each run counts. Returns what lets the next one go on; the kernel does it when this process dies.
 */
function onlyOneRun(): Promise<() => void> {
  mkdirSync(WORLD_PARENT, { recursive: true, mode: 0o755 });
  const holder = spawn('flock', [`${WORLD_PARENT}/lock`, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => console.log('waiting for another run of the integration tests …'), 2000);
    holder.on('error', reject);
    holder.stdout.once('data', () => {
      clearTimeout(timer);
      resolve(() => holder.stdin.end());
    });
  });
}

async function startRegistries(
  fixtures: { busybox: string; odd: string; debian?: string },
  dir: string,
  missing: World['missing'],
): Promise<{ addresses: Registries; running: RunningRegistry[] }> {
  const data = `${await registryFixture(fixtures)}/data`;
  const plain = await startDockerRegistry({ data, dir: `${dir}/registry-plain`, readOnly: true });
  const addresses: Registries = {
    plain: plain.address,
    password: '',
    tls: '',
    caFile: '',
    plainLog: plain.logFile,
  };
  const running = [plain];
  if (missing['registry-password'] === undefined) {
    const registry = await startDockerRegistry({
      data,
      dir: `${dir}/registry-password`,
      readOnly: true,
      password: true,
    });
    addresses.password = registry.address;
    running.push(registry);
  }
  if (missing['registry-tls'] === undefined) {
    const tls = await makeCertificates(`${dir}/tls`);
    const registry = await startDockerRegistry({ data, dir: `${dir}/registry-tls`, readOnly: true, tls });
    addresses.tls = registry.address;
    addresses.caFile = tls.caFile;
    running.push(registry);
  }
  return { addresses, running };
}

/** Loads busybox into the shared store; the error is thrown where a test wants to use it. */
async function fillStore({ binary, dir, user, store, fixtures }: World): Promise<string> {
  mkdirSync(`${dir}/fill`, { mode: 0o700 });
  if (isRoot()) chownSync(`${dir}/fill`, user.uid, user.gid);
  const env = {
    PATH: process.env['PATH'],
    HOME: `${dir}/fill`,
    XDG_RUNTIME_DIR: `${dir}/fill`,
    SKIFF_ROOT: store,
  };
  const ids = isRoot() ? { uid: user.uid, gid: user.gid } : {};
  const { status, stderr } = await execAny(
    binary,
    ['load', '--quiet', '--input', fixtures.busyboxOciArchive ?? ''],
    {
      env,
      cwd: '/',
      timeoutMs: 60_000,
      ...ids,
    },
  );
  return status === 0 ? '' : `skiff load of the busybox image ended with ${status}: ${stderr}`;
}

/** A certificate authority of our own and a certificate of it for 127.0.0.1. */
async function makeCertificates(dir: string): Promise<{ certificate: string; key: string; caFile: string }> {
  mkdirSync(dir);
  const at = (name: string): string => `${dir}/${name}`;
  const newKey = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ];
  await exec('openssl', [
    ...newKey,
    '-subj',
    '/CN=skiff tests CA',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
  ]);
  const signed = [
    '-CA',
    at('ca.crt'),
    '-CAkey',
    at('ca.key'),
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
  ];
  const leaf = ['-addext', 'basicConstraints=critical,CA:false', '-subj', '/CN=127.0.0.1'];
  await exec('openssl', [
    ...newKey,
    ...signed,
    ...leaf,
    '-keyout',
    at('server.key'),
    '-out',
    at('server.crt'),
  ]);
  return { certificate: at('server.crt'), key: at('server.key'), caFile: at('ca.crt') };
}

async function shareBusybox(busybox: string, dir: string, fixtures: Fixtures): Promise<void> {
  fixtures.busyboxOciArchive = share(`${busybox}/busybox.oci.tar`, dir);
  fixtures.busyboxDockerArchive = share(`${busybox}/busybox.docker.tar`, dir);
  fixtures.busyboxLayout = `${dir}/fixtures/busybox-layout`;
  await exec('cp', ['-r', `${busybox}/layout`, fixtures.busyboxLayout]);
  await exec('chmod', ['-R', 'a+rX', `${dir}/fixtures`]);
}

async function shareDevcontainers(fixture: string, dir: string): Promise<string> {
  const copy = `${dir}/fixtures/devcontainers`;
  mkdirSync(`${dir}/fixtures`, { recursive: true });
  await exec('cp', ['-r', `${fixture}/node_modules/@devcontainers/cli`, copy]);
  await exec('chmod', ['-R', 'a+rX', `${dir}/fixtures`]);
  return `${copy}/devcontainer.js`;
}

/** Copies a fixture to where the ordinary user can read it: a clone below /root cannot be entered. */
function share(file: string, dir: string, mode = 0o644): string {
  mkdirSync(`${dir}/fixtures`, { recursive: true });
  const copy = `${dir}/fixtures/${file.slice(file.lastIndexOf('/') + 1)}`;
  copyFileSync(file, copy);
  chmodSync(copy, mode);
  return copy;
}

/** vitest's globalSetup; several projects of one run share the first one's world. */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env['SKIFF_TEST_WORLD'] !== undefined) return () => Promise.resolve();
  const { world, close } = await openWorld();
  process.env['SKIFF_TEST_WORLD'] = `${world.dir}/world.json`;
  return async () => {
    const broken = reportSkips(world);
    await close();
    if (broken.length > 0) {
      process.exitCode = 1;
      throw new Error(`promised by SKIFF_PROMISED, but missing here: ${broken.join(', ')}`);
    }
  };
}

/** Prints what was skipped and why; returns the promised capabilities among them. */
function reportSkips(world: World): string[] {
  const file = skipsFile(world.dir);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const skips = lines.map((line) => JSON.parse(line) as Skip);
  for (const capability of new Set(skips.map((skip) => skip.capability))) {
    const tests = skips.filter((skip) => skip.capability === capability);
    console.log(`\nskipped, needs ${capability}: ${tests[0]?.reason ?? ''}`);
    for (const { file: name, test } of tests) console.log(`  ${name}: ${test}`);
  }
  const promised = (process.env['SKIFF_PROMISED'] ?? '').split(',');
  const skipped = [...new Set(skips.map((skip) => skip.capability))];
  return promised.includes('all') ? skipped : skipped.filter((capability) => promised.includes(capability));
}
