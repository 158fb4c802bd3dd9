// commit, export, cp and import are killed at many instants. Afterwards nothing of them runs, what was there before is as it
// was, and prune clears what the kill left.

import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
/** Milliseconds after the start. */
const INSTANTS = [5, 30, 60, 90, 120, 160, 220, 300, 400, 550];

test('kill -9 at any instant', async (context) => {
  requires(context, 'busybox-image');
  await skiff.run(['load', '-q', '-i', world().fixtures.busyboxOciArchive ?? ''], { stdout: /^/ });
  const fill =
    'mkdir /d; for i in $(seq 300); do echo $i > /d/$i; done; head -c 30000000 /dev/urandom > /big';
  await skiff.run(['run', '--network', 'none', '--name', 'big', 'busybox', 'sh', '-c', fill]);
  const dir = skiff.makeDir('out');
  await skiff.run(['export', '-o', `${dir}/good.tar`, 'big']);
  const good = readFileSync(`${dir}/good.tar`);
  const commands = [
    ['export', '-o', `${dir}/good.tar`, 'big'],
    ['commit', 'big', 'half'],
    ['cp', 'big:/d', `${dir}/d`],
    ['cp', `${dir}/good.tar`, 'big:/copied'],
    ['import', `${dir}/good.tar`, 'half'],
  ];
  for (const args of commands) {
    for (const ms of INSTANTS) {
      const running = skiff.start(args, { status: null });
      await sleep(ms);
      running.child.kill('SIGKILL');
      await running.result;
      // Either the old file or a whole new one; the container did not change in between.
      if (args[0] === 'export') expect(readFileSync(`${dir}/good.tar`).equals(good)).toBe(true);
      rmSync(`${dir}/d`, { recursive: true, force: true });
    }
  }
  for (const name of readdirSync(dir))
    if (name !== 'good.tar') expect(name).toMatch(/^\.good\.tar\.\d+\.tmp$/);
  // The container is whole, and everything works as before.
  writeFileSync(`${dir}/last`, 'last');
  await skiff.run(['cp', `${dir}/last`, 'big:/last']);
  await skiff.run(['commit', 'big', 'whole'], { stdout: /^sha256/ });
  await skiff.run(['run', '--rm', '--network', 'none', 'whole', 'sh', '-c', 'cat /last; ls /d | wc -l'], {
    stdout: 'last300\n',
  });
  await skiff.run(['rm', 'big'], { stdout: 'big\n' });
  await skiff.run(['system', 'prune', '-f'], { stdout: /^/ });
  await skiff.run(['system', 'check'], { stdout: /whole:latest: ok/ });
  expect(existsSync(`${skiff.store}/tmp`) ? readdirSync(`${skiff.store}/tmp`) : []).toEqual(['blobs']);
});
