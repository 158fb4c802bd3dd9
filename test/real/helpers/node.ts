// Node.js for images, as the npm registry has it: there is no other place to take it from.

import { chownSync, writeFileSync } from 'node:fs';
import { ANY, type Engine } from '../../helpers/engine.ts';
import { exec } from '../../helpers/exec.ts';
import { cached } from '../../setup/fixtures.ts';
import { copyFolder, importDebian, LONG } from './real.ts';
import type { TestContext } from 'vitest';

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64';
const PACKAGES = [`node-linux-${ARCHITECTURE}@20.20.2`, 'npm@10.9.9'];

/** Builds the image `node:20`, on Debian. */
export async function makeNodeImage(cx: TestContext, engine: Engine): Promise<void> {
  const base = await importDebian(cx, engine);
  const fixture = await cached('node', PACKAGES, async (dir) => {
    await exec('npm', ['install', '--no-save', '--ignore-scripts', '--prefix', dir, ...PACKAGES]);
  });
  const dir = await copyFolder(engine, 'node-base');
  await exec('cp', ['-r', `${fixture}/node_modules`, dir]);
  const flags = ['--build-arg', `BASE=${base}`, '--build-arg', `NODE=node-linux-${ARCHITECTURE}`];
  await engine.run(['build', '-q', '--network', 'none', '-t', 'node:20', ...flags, dir], {
    stdout: ANY,
    stderr: ANY,
    timeoutMs: LONG,
  });
}

/** This machine's way to the npm registry, as the secrets `npmrc` and `certificates` of a build. */
export async function npmSecrets(engine: Engine): Promise<string[]> {
  const setting = async (name: string): Promise<string> =>
    (await exec('npm', ['config', 'get', name])).trim();
  const cafile = await setting('cafile');
  const lines = [`registry=${await setting('registry')}`];
  const path = `${engine.dir}/npmrc`;
  const flags = ['--secret', `id=npmrc,src=${path}`];
  if (cafile !== 'null' && cafile !== '') {
    lines.push('cafile=/run/secrets/certificates');
    flags.push('--secret', `id=certificates,src=${cafile}`);
  }
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  if (process.getuid?.() === 0) chownSync(path, engine.user.uid, engine.user.gid);
  return flags;
}
