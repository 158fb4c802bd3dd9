// `skiff pull` from docker-registry: every form an image comes in, passwords, TLS, and what other tools see afterwards.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Engine, sandbox } from '../helpers/engine.ts';
import { exec } from '../helpers/exec.ts';
import { PASSWORD, PASSWORD_USER } from '../helpers/docker-registry.ts';
import { requires } from '../helpers/requires.ts';
import { world, type Registries } from '../helpers/world.ts';
import { startRegistry } from '../helpers/registry.ts';
import { tar } from '../helpers/tar-writer.ts';
import { removeTree } from '../helpers/remove-tree.ts';
import { isRoot } from '../helpers/accounts.ts';

const skiff = sandbox();
const none = ['run', '--rm', '--network', 'none', '--pull', 'never'];
/** Device nodes of a layer, which only root makes, are spoken of. */
const NOTE = /^(Warning: [^\n]*device node[^\n]*\n)?$/;
const ID = /^(sha256:)?[0-9a-f]{64}\n$/;

function registries(): Registries {
  const { registries: found } = world();
  if (found === undefined) throw new Error('no registries');
  return found;
}

describe('the forms of one image', () => {
  test.each(['oci-gzip', 'oci-zstd', 'docker', 'index'])('%s', async (tag) => {
    const name = `${registries().plain}/debian:${tag}`;
    await skiff.run(['pull', '--quiet', name], { stdout: ID, stderr: NOTE, timeoutMs: 100_000 });
    await skiff.run([...none, name, 'cat', '/etc/debian_version'], { stdout: /^12\.\d+\n$/ });
  });

  test('all four have the same layer, so its tree is there once', () => {
    const [mapKey = ''] = readdirSync(`${skiff.store}/layers`);
    const trees = readdirSync(`${skiff.store}/layers/${mapKey}`).filter((name) =>
      /^[0-9a-f]{64}$/.test(name),
    );
    expect(trees).toHaveLength(1);
  });

  test('another platform by --platform', async () => {
    const name = `${registries().plain}/debian:index`;
    await skiff.run(['pull', '--quiet', '--platform', 'linux/arm64', name], { stdout: ID });
    const architecture = ['image', 'inspect', '-f', '{{.Architecture}}'];
    await skiff.run([...architecture, '--platform', 'linux/arm64', name], { stdout: 'arm64\n' });
    // Both are there, under one name and in one row, and a run takes this machine's.
    await skiff.run([...architecture, name], { stdout: 'amd64\n' });
    await skiff.run(['images', '--format', '{{.Repository}}'], { stdout: /^(?!.*<none>)/s });
    await skiff.run(['pull', '--quiet', '--platform', 'linux/arm64', name], { stdout: ID });
  });

  test('a platform the index has not: the error lists what it has', async () => {
    const name = `${registries().plain}/debian:index`;
    await skiff.run(['pull', '--platform', 'linux/s390x', name], {
      status: 125,
      stdout: '',
      stderr: /s390x[^]*linux\/amd64[^]*linux\/arm64/,
    });
  });
});

describe('what is printed', () => {
  const engine = sandbox();

  test('--quiet: the image id alone, and the same again when it is there', async () => {
    const name = `${registries().plain}/busybox`;
    const first = await engine.run(['pull', '--quiet', name], { stdout: ID, stderr: '' });
    const second = await engine.run(['pull', '-q', name], { stdout: ID, stderr: '' });
    expect(second.stdout).toBe(first.stdout);
  });

  test('else: results on stdout, progress on stderr without control characters when it is no terminal', async () => {
    const name = `${registries().plain}/odd`;
    const { stderr } = await engine.run(['pull', name], { stdout: `${name}:latest\n`, stderr: /^/ });
    expect(stderr).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/);
  });

  test('several names; one that fails does not stop the others and makes the status', async () => {
    const { plain } = registries();
    const { stdout } = await engine.run(['pull', '--quiet', `${plain}/nosuch`, `${plain}/busybox`], {
      status: 125,
      stderr: /nosuch[^]*(NAME_UNKNOWN|MANIFEST_UNKNOWN|not found|not known)/i,
    });
    expect(stdout).toMatch(ID);
  });
});

describe('passwords and TLS', () => {
  const engine = sandbox();

  test('a wrong or missing password is said as such', async (context) => {
    requires(context, 'registry-password');
    const name = `${registries().password}/busybox`;
    await engine.run(['pull', name], { status: 125, stdout: '', stderr: /401|auth|password|login/i });
    const { stderr } = await engine.run(['pull', '--creds', `${PASSWORD_USER}:wrongpass`, name], {
      status: 125,
      stderr: /^/,
    });
    expect(stderr).not.toContain('wrongpass');
  });

  test('--creds', async (context) => {
    requires(context, 'registry-password');
    const name = `${registries().password}/busybox`;
    await engine.run(['pull', '--quiet', '--creds', `${PASSWORD_USER}:${PASSWORD}`, name], { stdout: ID });
  });

  test('~/.docker/config.json, --authfile and REGISTRY_AUTH_FILE', async (context) => {
    requires(context, 'registry-password');
    const { password } = registries();
    const auth = Buffer.from(`${PASSWORD_USER}:${PASSWORD}`).toString('base64');
    const file = `${engine.makeDir('auth')}/auth.json`;
    writeFileSync(file, JSON.stringify({ auths: { [password]: { auth } } }));
    const name = `${password}/odd`;
    await engine.run(['pull', '--quiet', '--authfile', file, name], { stdout: ID });
    await engine.run(['pull', '--quiet', name], { stdout: ID, env: { REGISTRY_AUTH_FILE: file } });
    mkdirSync(`${engine.env['HOME'] ?? ''}/.docker`);
    writeFileSync(`${engine.env['HOME'] ?? ''}/.docker/config.json`, readFileSync(file));
    await engine.run(['pull', '--quiet', name], { stdout: ID });
  });

  test('TLS by an unknown authority is refused, and accepted with --cert-dir', async (context) => {
    requires(context, 'registry-tls');
    const { tls, caFile } = registries();
    const name = `${tls}/busybox`;
    await engine.run(['pull', '--tls-verify=true', name], {
      status: 125,
      stdout: '',
      stderr: /certificate|self.signed|authority/i,
    });
    const dir = engine.makeDir('certs');
    writeFileSync(`${dir}/ca.crt`, readFileSync(caFile));
    await engine.run(['pull', '--quiet', '--cert-dir', dir, name], { stdout: ID });
    await engine.run(['pull', '--quiet', '--tls-verify=false', name], { stdout: ID });
  });
});

describe('the store is an OCI image layout', () => {
  const engine = sandbox();

  test('skopeo and umoci read it', async (context) => {
    requires(context, 'registry', 'skopeo');
    const name = `${registries().plain}/odd:latest`;
    await engine.run(['pull', '--quiet', name]);
    const layout = `${engine.store}/oci`;
    const raw = JSON.parse(
      await exec('skopeo', ['--insecure-policy', 'inspect', '--raw', `oci:${layout}:${name}`]),
    ) as { layers: { digest: string; size: number }[] };
    for (const { digest, size } of raw.layers) {
      expect(statSync(`${layout}/blobs/${digest.replace(':', '/')}`).size).toBe(size);
    }
    await exec('skopeo', [
      '--insecure-policy',
      'copy',
      '--quiet',
      `oci:${layout}:${name}`,
      `dir:${skiff.dir}/copy`,
    ]);
    if (world().missing.umoci !== undefined || !isRoot()) return;
    await exec('umoci', ['unpack', '--image', `${layout}:${name}`, `${engine.dir}/unpacked`]);
    expect(existsSync(`${engine.dir}/unpacked/rootfs/odd/setuid`)).toBe(true);
  });
});

describe('two pulls of one image at once', () => {
  test('share each download', async () => {
    const server = await startRegistry();
    const engine = new Engine({});
    try {
      const layers = Array.from({ length: 4 }, (_, i) => layerOf(i));
      const image = server.addImage('shared', 'latest', { layers });
      const running = Array.from({ length: 4 }, () =>
        engine.start(['pull', '--quiet', `${server.host}/shared`]),
      );
      for (const { result } of running) expect(await result).toMatchObject({ status: 0, stderr: '' });
      for (const { digest } of image.layers) {
        const fetched = server.log().filter((line) => line.startsWith('GET') && line.includes(digest));
        expect(fetched).toHaveLength(1);
      }
    } finally {
      await server.close();
      await removeTree(engine.dir, engine.user);
    }
  });
});

test('offline means no connection at all', async (context) => {
  await skiff.run(['pull', `${registries().plain}/busybox`], {
    status: 125,
    stdout: '',
    stderr: /offline/i,
    env: { SKIFF_OFFLINE: '1' },
  });
  requires(context, 'strace', 'root'); // only root can trace programs that call newuidmap
  const trace = `${skiff.dir}/trace`;
  const args = ['-f', '-u', skiff.user.name, '-o', trace, '-e', 'trace=connect,sendto', skiff.binary];
  await exec('strace', [...args, ...none, `${registries().plain}/debian:docker`, 'true'], {
    env: skiff.env,
    cwd: '/',
  });
  expect(readFileSync(trace, 'utf8')).not.toMatch(/AF_INET/);
});

/** A gzip layer of 2 MB that does not compress. */
function layerOf(seed: number): { blob: Buffer; diffId: string } {
  let block = createHash('sha256').update(String(seed)).digest();
  const blocks: Buffer[] = [];
  for (let i = 0; i < 65_536; i++) {
    block = createHash('sha256').update(block).digest();
    blocks.push(block);
  }
  const plain = tar([{ path: `layer${seed}`, content: Buffer.concat(blocks) }]);
  return { blob: gzipSync(plain), diffId: `sha256:${createHash('sha256').update(plain).digest('hex')}` };
}
