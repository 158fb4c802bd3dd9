// `rmi` takes no lock that `run` would wait for, so each must see what the other is about to do.

import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
const ROUNDS = process.env['SKIFF_LONG'] === '1' ? 100 : 12;

test(`rmi beside run, ${ROUNDS} times: a container that starts has all of its files`, async (context) => {
  requires(context, 'busybox-image');
  const input = world().fixtures.busyboxOciArchive ?? '';
  const run = [
    'run',
    '--rm',
    '--pull',
    'never',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'ls /bin | wc -l',
  ];
  await skiff.run(['load', '--quiet', '--input', input], { stdout: /^/, stderr: /^/ });
  const { stdout: files } = await skiff.run(run);
  let ran = 0;
  for (let i = 0; i < ROUNDS; i++) {
    await skiff.run(['load', '--quiet', '--input', input], { stdout: /^/, stderr: /^/ });
    const runs = Array.from({ length: 3 }, () => skiff.start(run).result);
    const removal = skiff.start(['rmi', '--force', 'busybox']).result;
    for (const { status, stdout, stderr } of await Promise.all(runs)) {
      if (status === 0) expect(stdout).toBe(files);
      else expect(stderr).toMatch(/^Error: (.*No such image|.*image was removed meanwhile|.*is missing)/i);
      if (status === 0) ran++;
    }
    await removal;
  }
  expect(ran).toBeGreaterThan(0);
  await skiff.run(['system', 'check'], { stdout: /^/, stderr: /^/ });
});
