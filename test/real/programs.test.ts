// Programs that are compiled, or fetched from a registry, in one stage and run in another.

import { expect, test } from 'vitest';
import { ANY, sandbox, type Engine } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';
import { makeNodeImage, npmSecrets } from './helpers/node.ts';
import { answer, buildTwice, importDebian } from './helpers/real.ts';

const { userWithoutRanges } = world();
const ranged = sandbox();
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });

const SAME = /^reproducible: running all \d+ steps again gave the same image, (sha256:[0-9a-f]{64})$/m;

test('a C program on scratch: the same image with a single id', async (cx) => {
  requires(cx, 'user-without-ranges');
  const digests: (string | undefined)[] = [];
  for (const engine of [ranged, single as Engine]) {
    const base = await importDebian(cx, engine);
    const { stderr } = await buildTwice(engine, 'c', ['--build-arg', `BASE=${base}`, '-t', 'words']);
    digests.push(SAME.exec(stderr)?.[1]);
  }
  expect(digests[0]).toBeDefined();
  expect(digests[1]).toBe(digests[0]);
  await ranged.run(['run', '-i', '--rm', '--network', 'none', 'words'], {
    stdin: 'one two  three\n',
    stdout: '3\n',
  });
});

test('a Node application with 30,000 files', async (cx) => {
  await makeNodeImage(cx, ranged);
  const secrets = await npmSecrets(ranged);
  const { stderr } = await buildTwice(ranged, 'node-app', [...secrets, '-t', 'icons']);
  expect(stderr).toMatch(SAME);
  const started = ['run', '-d', '--name', 'icons', '-p', '127.0.0.1::8080', 'icons'];
  await ranged.run(started, { stdout: ANY, stderr: ANY });
  try {
    const { stdout } = await ranged.run(['port', 'icons', '8080'], { stdout: ANY });
    const url = `http://${stdout.trim()}`;
    const { counts } = (await (await answer(`${url}/`)).json()) as { counts: Record<string, number> };
    expect(counts).toEqual({ mdi: 7447, tabler: expect.any(Number), simple: expect.any(Number) });
    expect(await (await answer(`${url}/mdi/home.svg`)).text()).toMatch(/^<svg/);
    await answer(`${url}/mdi/none.svg`, 404);
    const files = await ranged.run(
      ['exec', '-u', '0', 'icons', 'sh', '-c', 'find node_modules | wc -l; ls -A /root; ls /run/secrets'],
      { status: 2, stdout: ANY, stderr: /secrets/ },
    );
    const [count, ...kept] = files.stdout.trim().split('\n');
    expect(Number(count)).toBeGreaterThan(30_000);
    expect(kept.filter((name) => name.includes('npm'))).toEqual([]);
  } finally {
    await ranged.run(['rm', '-f', '-t', '0', 'icons'], { stdout: ANY, stderr: ANY });
  }
});
