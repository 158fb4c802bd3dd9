// What apt-get leaves behind when nobody cleans up: --verify-repro names the instruction, each file, and what to do.

import { expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { buildTwice, importDebian } from './helpers/real.ts';

const skiff = sandbox();

test('a plain apt-get install is no reproducible step, for reasons that are named', async (cx) => {
  await importDebian(cx, skiff);
  const { stderr } = await buildTwice(skiff, 'naive', [], 1);
  const [, list = '', message] =
    /^What two runs of Dockerfile:3 left different:\n((?: {2}.*\n)+)Error: (.*)$/m.exec(stderr) ?? [];
  expect(message).toMatch(/^verifying the build: Dockerfile:3: .* RUN apt-get .* is not reproducible: /);
  expect(list).toContain('  "var/log/dpkg.log": content differs (a log: remove it in the same RUN)\n');
  expect(list).toContain('  "var/log/apt/history.log": content differs (a log:');
  // Nothing but logs and caches: the packages themselves come to the same.
  const paths = [...list.matchAll(/^ {2}"(.*?)"/gm)].map(([, path = '']) => path);
  expect(paths.filter((path) => !/^var\/(log|cache|lib\/apt)\//.test(path))).toEqual([]);
});
