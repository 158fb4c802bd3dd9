// `skiff push` into docker-registry, as other tools read it back.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  PASSWORD,
  PASSWORD_USER,
  startDockerRegistry,
  type RunningRegistry,
} from '../helpers/docker-registry.ts';
import { sandbox } from '../helpers/engine.ts';
import { exec } from '../helpers/exec.ts';
import { pseudoRandom, startRegistry } from '../helpers/registry.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
let plain: RunningRegistry;
let closed: RunningRegistry;
let base: string;

interface Manifest {
  mediaType: string;
  config: { mediaType: string; digest: string };
  layers: { mediaType: string; digest: string; size: number }[];
}

beforeAll(async () => {
  const folder = `${skiff.dir}-registries`;
  mkdirSync(folder);
  plain = await startDockerRegistry({ data: `${folder}/plain-data`, dir: `${folder}/plain` });
  closed = await startDockerRegistry({
    data: `${folder}/closed-data`,
    dir: `${folder}/closed`,
    password: true,
  });
  base = `${world().registries?.plain}/busybox`;
  await skiff.run(['pull', '-q', base], { stdout: /^/ });
});

afterAll(async () => {
  await plain.stop();
  await closed.stop();
  rmSync(`${skiff.dir}-registries`, { recursive: true, force: true });
});

async function inspect(name: string, ...flags: string[]): Promise<Manifest> {
  return JSON.parse(
    await exec('skopeo', ['inspect', '--raw', '--tls-verify=false', ...flags, `docker://${name}`]),
  ) as Manifest;
}

const requests = (registry: RunningRegistry): string[] =>
  readFileSync(registry.logFile, 'utf8')
    .split('\n')
    .flatMap((line) => / "((?:GET|HEAD|POST|PATCH|PUT) \S+)/.exec(line)?.[1] ?? []);

describe('an image as it was pulled', () => {
  test('keeps its digest, and a second push sends nothing', async () => {
    const name = `${plain.address}/team/app:1`;
    await skiff.run(['tag', base, name]);
    const { stdout } = await skiff.run(['push', name], { stdout: /^/ });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe(`The push refers to repository [${plain.address}/team/app]`);
    expect(lines[1]).toMatch(/^[0-9a-f]{12}: Pushed$/);
    expect(lines.at(-1)).toMatch(/^1: digest: sha256:[0-9a-f]{64} size: \d+$/);
    const digest = /sha256:[0-9a-f]{64}/.exec(lines.at(-1) ?? '')?.[0];
    const { stdout: pulled } = await skiff.run(['image', 'inspect', base], { stdout: /^/ });
    expect(pulled).toContain(digest);

    const before = requests(plain).length;
    await skiff.run(['push', name], {
      stdout: /^The push[^\n]*\n[0-9a-f]{12}: Layer already exists\n1: digest/,
    });
    expect(
      requests(plain)
        .slice(before)
        .filter((line) => /^(POST|PATCH)/.test(line)),
    ).toEqual([]);

    await skiff.run(['push', '-q', name], { stdout: `${name}\n` });
    await exec('skopeo', ['copy', '--src-tls-verify=false', `docker://${name}`, `dir:${skiff.dir}/copy`]);
  });

  test('to a destination, by id, mounted from the repository next to it', async () => {
    const { stdout: id } = await skiff.run(['images', '-q', '--no-trunc', base], { stdout: /^/ });
    const name = `${plain.address}/other/app:2`;
    await skiff.run(['push', id.trim(), `docker://${name}`], {
      stdout: /: Mounted from team\/app\n2: digest/,
    });
    expect((await inspect(name)).layers).toHaveLength(1);
  });

  test('in the other format', async () => {
    const name = `${plain.address}/team/app:v2s2`;
    await skiff.run(['push', '--format', 'v2s2', base, name], { stdout: /^The push/ });
    const manifest = await inspect(name);
    expect(manifest.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    expect(manifest.layers[0]?.mediaType).toBe('application/vnd.docker.image.rootfs.diff.tar.gzip');
  });
});

describe('an image with layers that are not compressed', () => {
  const name = (): string => `${plain.address}/team/local`;

  test('is compressed the same way at every try, once', async () => {
    const archive = `${skiff.dir}/local.tar`;
    await exec('skopeo', [
      'copy',
      '--src-tls-verify=false',
      `docker://${base}`,
      `docker-archive:${archive}:${name()}:1`,
    ]);
    await skiff.run(['load', '-i', archive], { stdout: /^/, stderr: /^/ });
    const digestFile = `${skiff.dir}/digest`;
    await skiff.run(['push', '--digestfile', digestFile, `${name()}:1`], { stdout: /: Pushed\n/ });
    const manifest = await inspect(`${name()}:1`);
    expect(manifest.layers[0]?.mediaType).toMatch(/gzip$/);
    const digest = readFileSync(digestFile, 'utf8');
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    await skiff.run(['push', `${name()}:1`], {
      stdout: new RegExp(`: Layer already exists\\n1: digest: ${digest} size: \\d+\\n$`),
    });
    // What is known of it is forgotten: it is made anew, and comes to the same.
    rmSync(`${skiff.store}/compressed`, { recursive: true });
    await skiff.run(['push', `${name()}:1`], { stdout: new RegExp(`digest: ${digest}`) });
    await exec('skopeo', [
      'copy',
      '--src-tls-verify=false',
      `docker://${name()}:1`,
      `dir:${skiff.dir}/copy-local`,
    ]);
  });

  test('or by zstd', async () => {
    const other = `${plain.address}/team/zstd:1`;
    await skiff.run(['push', '--compression-format', 'zstd', '--format', 'oci', `${name()}:1`, other], {
      stdout: /: Pushed\n/,
    });
    expect((await inspect(other)).layers[0]?.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');
    await exec('skopeo', [
      'copy',
      '--src-tls-verify=false',
      `docker://${other}`,
      `dir:${skiff.dir}/copy-zstd`,
    ]);
    await skiff.run(['pull', '-q', other], { stdout: /^/, stderr: /^/ });
  });

  test('every tag of a repository', async () => {
    await skiff.run(['tag', `${name()}:1`, `${name()}:2`]);
    const { stdout } = await skiff.run(['push', '-a', name()], { stdout: /^/ });
    expect(stdout.match(/^\d: digest: /gm)).toEqual(['1: digest: ', '2: digest: ']);
  });
});

describe('a registry with a password', () => {
  test('needs it, and says how to give it', async () => {
    const name = `${closed.address}/app:1`;
    await skiff.run(['push', base, name], {
      status: 125,
      stdout: /^The push/,
      stderr: /login[^]*--creds USER:PASSWORD/,
    });
    await skiff.run(['push', '--creds', `${PASSWORD_USER}:${PASSWORD}`, base, name], { stdout: /1: digest/ });
    expect((await inspect(name, '--creds', `${PASSWORD_USER}:${PASSWORD}`)).layers).toHaveLength(1);
  });
});

describe('mistakes', () => {
  test.each([
    [['nosuch:9'], 1, /An image does not exist locally with the tag: nosuch:9/],
    [['-a', 'nosuch'], 1, /An image does not exist locally with the tag: nosuch/],
    [['-a', 'a:1'], 1, /tag can't be used with --all-tags/],
    [['--compression-level', '30', 'x'], 125, /gzip has levels 1 to 9/],
    [['--platform', 'linux/s390x', 'BASE', 'localhost:1/x'], 125, /linux\/s390x/],
  ] as const)('%j', async (args, status, stderr) => {
    await skiff.run(['push', ...args.map((arg) => (arg === 'BASE' ? base : arg))], {
      status,
      stdout: '',
      stderr,
    });
  });

  test('offline', async () => {
    await skiff.run(['push', base, `${plain.address}/x:1`], {
      status: 125,
      stdout: /^The push/,
      stderr: /offline/,
      env: { SKIFF_OFFLINE: '1' },
    });
  });
});

describe('what breaks', () => {
  test('kill -9 in the middle leaves nothing wrong; the next push completes it', async () => {
    const registry = await startRegistry();
    try {
      const name = `${registry.host}/big:1`;
      const file = `${skiff.dir}/big`;
      writeFileSync(file, pseudoRandom(8_000_000));
      await exec('tar', ['-cf', `${file}.tar`, '-C', skiff.dir, 'big']);
      await skiff.run(['import', `${file}.tar`, name], { stdout: /^/, stderr: /^/ });
      registry.fault({ path: /uploads/, method: 'PATCH', times: 1, fault: { kind: 'hang' } });
      const running = skiff.start(['push', name], {});
      await running.waitForStdout(/The push refers/);
      while (!registry.log().some((line) => line.startsWith('PATCH')))
        await new Promise((resolve) => setTimeout(resolve, 20));
      running.child.kill('SIGKILL');
      await running.result;
      expect(readdirSync(`${skiff.store}/tmp/blobs`)).toEqual([]);
      registry.fault({
        path: /uploads/,
        method: 'PATCH',
        times: 2,
        fault: { kind: 'cut-upload', afterBytes: 1_000_000 },
      });
      registry.fault({ path: /uploads/, method: 'PUT', times: 1, fault: { kind: 'status', status: 500 } });
      await skiff.run(['push', '--retry-delay', '10ms', name], { stdout: /: Pushed\n1: digest/ });
      expect(registry.manifests.has('big@1')).toBe(true);
    } finally {
      await registry.close();
    }
  });
});
