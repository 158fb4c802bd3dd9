// Builds the small static programs of test/helpers/tools once, keyed by their source.

import { readFileSync } from 'node:fs';
import { exec } from '../helpers/exec.ts';
import { cached } from './fixtures.ts';

/** Path of the program made from test/helpers/tools/NAME.c: static, so that it runs in any container. */
export async function buildTool(name: string): Promise<string> {
  const source = new URL(`../helpers/tools/${name}.c`, import.meta.url).pathname;
  const flags = ['-static', '-O3', '-funroll-loops', '-Wall', '-Wextra', '-Werror'];
  const dir = await cached(`tool-${name}`, [readFileSync(source), flags.join(' ')], async (work) => {
    await exec('musl-gcc', [...flags, '-o', `${work}/${name}`, source]);
  });
  return `${dir}/${name}`;
}
