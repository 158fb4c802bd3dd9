// The main job on real input: a Debian image from a registry, run by an ordinary user, installing a package inside;
// and every file of it as the archive has it.

import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { exec } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';
import type { TestContext } from 'vitest';

const skiff = sandbox();

async function pulled(context: TestContext, name: string): Promise<string> {
  requires(context, 'registry', ...(name.startsWith('debian') ? (['debian-image'] as const) : []));
  const image = `${world().registries?.plain ?? ''}/${name}`;
  await skiff.run(['pull', '--quiet', image], {
    stderr: /^(Warning: [^\n]*device node[^\n]*\n)?$/,
    timeoutMs: 100_000,
  });
  return image;
}

describe('apt-get update, install and run hello on the default network', () => {
  test.for(['oci-gzip', 'oci-zstd', 'docker', 'index'])('%s', { timeout: 300_000 }, async (tag, context) => {
    requires(context, 'tun', 'subuid', 'debian-mirror');
    const image = await pulled(context, `debian:${tag}`);
    const proxies = ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) =>
      process.env[name] ? [name] : [],
    );
    const { stdout } = await skiff.run(
      ['run', '--rm', image, 'sh', '-c', 'apt-get -q update && apt-get -q install -y hello && hello'],
      {
        stderr: /^/, // debconf complains of missing terminals
        timeoutMs: 280_000,
        env: Object.fromEntries(proxies.map((name) => [name, process.env[name]])),
      },
    );
    expect(stdout).toMatch(/Hello, world!\n$/);
  });
});

describe('every file is what the archive holds', () => {
  /** What the engine puts into a container itself. */
  const made = [
    './proc',
    './sys',
    './dev',
    './list-tree',
    './etc/hosts',
    './etc/resolv.conf',
    './etc/hostname',
  ];

  async function listing(image: string, mapping: string[] = []): Promise<string[]> {
    const tool = world().fixtures.listTree ?? '';
    const { stdout } = await skiff.run(
      [
        'run',
        '--rm',
        '--network',
        'none',
        ...mapping,
        '-v',
        `${tool}:/list-tree:ro`,
        image,
        '/list-tree',
        '/',
        ...made,
      ],
      { timeoutMs: 100_000 },
    );
    return lines(stdout);
  }

  async function reference(dir: string): Promise<string[]> {
    return lines(await exec(world().fixtures.listTree ?? '', [dir, ...made]));
  }

  test('Debian, against GNU tar', { timeout: 200_000 }, async (context) => {
    requires(context, 'root', 'subuid', 'static-tools', 'debian-image');
    const image = await pulled(context, 'debian:oci-zstd');
    const dir = `${skiff.dir}/tar`;
    mkdirSync(dir);
    const flags = [
      '--extract',
      '--same-owner',
      '--preserve-permissions',
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
    ];
    await exec('tar', [...flags, '--file', world().fixtures.debianTar ?? '', '-C', dir]);
    const expected = await reference(dir);
    expect(expected.length).toBeGreaterThan(5000);
    expect(await listing(image)).toEqual(expected);
  });

  test('the image with odd files, against umoci', { timeout: 100_000 }, async (context) => {
    requires(context, 'root', 'subuid', 'static-tools', 'umoci');
    const image = await pulled(context, 'odd');
    const bundle = `${skiff.dir}/umoci`;
    await exec('umoci', ['unpack', '--image', `${world().fixtures.oddLayout ?? ''}:latest`, bundle]);
    const expected = await reference(`${bundle}/rootfs`);
    expect(expected.length).toBeGreaterThan(400);
    expect(withoutImpliedTimes(await listing(image))).toEqual(withoutImpliedTimes(expected));
  });

  test(
    'the same again as another user of the image, by ids of a keep-id map',
    { timeout: 100_000 },
    async (context) => {
      requires(context, 'subuid', 'static-tools');
      const image = await pulled(context, 'odd');
      const keepId = ['--userns', 'keep-id', '--user', '0:0'];
      await skiff.run(['run', '--rm', '--network', 'none', ...keepId, image, 'true'], { stderr: /^/ }); // unpacks
      const own = await listing(image);
      expect(await listing(image, keepId)).toEqual(own);
      await skiff.run(['run', '--rm', '--network', 'none', ...keepId, image, 'stat', '-c', '%u:%g', '/'], {
        stdout: '0:0\n',
      });
    },
  );
});

/** Without the two directories in which the engine makes mount points, which changes their mtime. */
function lines(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => !/^\.(\/etc)? dir /.test(line));
}

/** Directories without an entry of their own in any layer: their mtime is nobody's. */
const IMPLIED = /^\.\/odd(\/implicit(\/parent)?)? dir /;

function withoutImpliedTimes(listed: string[]): string[] {
  return listed.map((line) => (IMPLIED.test(line) ? line.replace(/ \d+\.\d{9} /, ' - ') : line));
}
