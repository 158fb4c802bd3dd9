// Makes the test images with the tools other people use (mmdebstrap, umoci, skopeo, GNU tar) and keeps them in
// .cache/fixtures, keyed by what they are made from, so that a second run starts at once.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { exec } from '../helpers/exec.ts';
import { REPOSITORY } from '../helpers/world.ts';
import { writeOciLayout } from '../helpers/oci-layout.ts';
import { startDockerRegistry } from '../helpers/docker-registry.ts';
import { busyboxEntries, IMAGE_ENV } from './busybox.ts';
import { oddLayers } from './odd-image.ts';
import { tar } from '../helpers/tar-writer.ts';

const CACHE = `${REPOSITORY}/.cache/fixtures`;
export const DEBIAN_SUITE = 'bookworm';

/** Folder `.cache/fixtures/NAME-KEY`, filled by `make(temporary folder)` and renamed when it is complete. */
export async function cached(
  name: string,
  parts: readonly (string | Uint8Array)[],
  make: (dir: string) => Promise<void>,
) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  const dir = `${CACHE}/${name}-${hash.digest('hex').slice(0, 16)}`;
  if (existsSync(dir)) return dir;
  mkdirSync(CACHE, { recursive: true });
  for (const old of readdirSync(CACHE)) {
    if (new RegExp(`^${name}-[0-9a-f]{16}$`).test(old))
      rmSync(`${CACHE}/${old}`, { recursive: true, force: true });
  }
  const work = mkdtempSync(`${CACHE}/making-${name}-`);
  try {
    await make(work);
    renameSync(work, dir);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return dir;
}

/** {layout/, busybox.oci.tar, busybox.docker.tar}: /bin/busybox with all applets as hard links. */
export function busyboxFixture(): Promise<string> {
  const entries = busyboxEntries();
  const layer = tar(entries);
  return cached('busybox', ['1', layer], async (dir) => {
    writeOciLayout(`${dir}/layout`, 'latest', {
      layers: [{ tar: layer }],
      config: { Cmd: ['sh'], Env: IMAGE_ENV },
    });
    const source = `oci:${dir}/layout:latest`;
    await skopeoCopy(source, `oci-archive:${dir}/busybox.oci.tar:docker.io/library/busybox:latest`);
    await skopeoCopy(source, `docker-archive:${dir}/busybox.docker.tar:docker.io/library/busybox:latest`);
  });
}

/** {debian.tar, layout/}: mmdebstrap's minbase from this machine's own apt sources, as an image made by umoci. */
export async function debianFixture(): Promise<string> {
  const apt = await debianApt(DEBIAN_SUITE);
  return cached('debian', ['3', DEBIAN_SUITE, apt.sources, ...apt.options], async (dir) => {
    const tarFile = `${dir}/debian.tar`;
    await mmdebstrap(DEBIAN_SUITE, tarFile, apt);
    const image = `${dir}/layout:latest`;
    await exec('umoci', ['init', '--layout', `${dir}/layout`]);
    await exec('umoci', ['new', '--image', image]);
    await exec('umoci', ['raw', 'add-layer', '--image', image, tarFile]);
    const env = IMAGE_ENV.flatMap((variable) => ['--config.env', variable]);
    await exec('umoci', ['config', '--image', image, '--config.cmd', 'bash', ...env]);
  });
}

/** {debian.tar}: the same of another release, for the real builds alone. */
export async function debianTarFixture(suite: string): Promise<string> {
  const apt = await debianApt(suite);
  return cached(`debian-${suite}`, ['1', suite, apt.sources, ...apt.options], (dir) =>
    mmdebstrap(suite, `${dir}/debian.tar`, apt),
  );
}

interface Apt {
  /** Text of a sources file; '' for mmdebstrap's default. */
  sources: string;
  options: string[];
}

async function debianApt(suite: string): Promise<Apt> {
  return { sources: debianSources(suite), options: await debianAptOptions() };
}

async function mmdebstrap(suite: string, tarFile: string, { sources, options }: Apt): Promise<void> {
  const flags = ['--quiet', '--variant=minbase', ...options.map((option) => `--aptopt=${option}`)];
  await exec('mmdebstrap', [...flags, suite, tarFile, ...(sources === '' ? [] : ['-'])], {
    ...(sources === '' ? {} : { input: sources }),
    timeoutMs: 900_000,
  });
}

/** {layout/, 0.tar, 1.tar …}: every kind of file and every kind of change between layers. */
export async function oddFixture(): Promise<string> {
  const recipe = readFileSync(new URL('./odd-image.ts', import.meta.url));
  return cached('odd', ['1', recipe], async (dir) => {
    const layers = await oddLayers(`${dir}/work`);
    layers.forEach((layer, i) => writeFileSync(`${dir}/${i}.tar`, layer));
    writeOciLayout(`${dir}/layout`, 'latest', {
      layers: layers.map((layer, i) => ({ tar: layer, compression: i === 1 ? 'none' : 'gzip' })),
      config: { Cmd: ['/bin/true'], Env: IMAGE_ENV },
    });
    rmSync(`${dir}/work`, { recursive: true, force: true });
  });
}

/**
 * Data folder of a docker-registry with busybox:latest, odd:latest and, when there is a Debian fixture,
 * debian:{oci-gzip,oci-zstd,docker,index}; `index` has linux/amd64 (Debian) and linux/arm64 (busybox's layer).
 */
export async function registryFixture(fixtures: {
  busybox: string;
  odd: string;
  debian?: string;
}): Promise<string> {
  const { busybox, odd, debian } = fixtures;
  return cached('registry', ['6', busybox, odd, debian ?? ''], async (dir) => {
    const registry = await startDockerRegistry({ data: `${dir}/data`, dir: `${dir}/run` });
    try {
      const push = (source: string, name: string, ...flags: string[]) =>
        skopeoCopy(source, `docker://${registry.address}/${name}`, '--dest-tls-verify=false', ...flags);
      await push(`oci:${busybox}/layout:latest`, 'busybox:latest');
      await push(`oci:${odd}/layout:latest`, 'odd:latest', '--preserve-digests');
      if (debian !== undefined) {
        const source = `oci:${debian}/layout:latest`;
        const asItIs = '--preserve-digests'; // skopeo would otherwise reuse blobs of other compression it knows to be there
        await push(source, 'debian:oci-gzip', asItIs);
        await skopeoCopy(source, `dir:${dir}/plain`, '--dest-decompress'); // it compresses only what is not compressed yet
        await skopeoCopy(`dir:${dir}/plain`, `oci:${dir}/zstd:latest`, '--dest-compress-format', 'zstd');
        await push(`oci:${dir}/zstd:latest`, 'debian:oci-zstd', asItIs);
        await push(source, 'debian:docker', '--format', 'v2s2');
        await pushIndex(registry.address, 'debian', 'oci-gzip', `${dir}/other`);
      }
    } finally {
      await registry.stop();
    }
    for (const scratch of ['run', 'plain', 'zstd', 'other'])
      rmSync(`${dir}/${scratch}`, { recursive: true, force: true });
  });
}

/** The devcontainers CLI from npm: a client that expects docker, of one version, so that a test means the same next year. */
export function devcontainersFixture(): Promise<string> {
  const wanted = '@devcontainers/cli@0.89.0';
  return cached('devcontainers', [wanted], async (dir) => {
    const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--loglevel=error'];
    await exec('npm', ['install', '--prefix', dir, '--fetch-retries=1', ...quiet, wanted], {
      timeoutMs: 120_000,
    });
  });
}

export function skopeoCopy(source: string, destination: string, ...flags: string[]): Promise<string> {
  return exec('skopeo', ['--insecure-policy', 'copy', '--quiet', ...flags, source, destination]);
}

/** Pushes an arm64 image beside `amd64Tag` and an index of both as REPOSITORY:index. */
async function pushIndex(
  address: string,
  repository: string,
  amd64Tag: string,
  scratch: string,
): Promise<void> {
  const layer = tar([
    { path: 'etc/', type: 'dir' },
    { path: 'etc/arch', content: 'arm64\n' },
  ]);
  writeOciLayout(scratch, 'latest', { architecture: 'arm64', layers: [{ tar: layer }] });
  const target = `docker://${address}/${repository}:arm64`;
  await skopeoCopy(`oci:${scratch}:latest`, target, '--dest-tls-verify=false');
  const manifests: object[] = [];
  for (const [tag, architecture] of [[amd64Tag, 'amd64'] as const, ['arm64', 'arm64'] as const]) {
    const reference = `docker://${address}/${repository}:${tag}`;
    const manifest = await exec('skopeo', [
      '--insecure-policy',
      'inspect',
      '--raw',
      '--tls-verify=false',
      reference,
    ]);
    manifests.push({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: `sha256:${createHash('sha256').update(manifest).digest('hex')}`,
      size: Buffer.byteLength(manifest),
      platform: { os: 'linux', architecture },
    });
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const answer = await fetch(`http://${address}/v2/${repository}/manifests/index`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
  });
  if (!answer.ok) throw new Error(`pushing the index: ${answer.status} ${await answer.text()}`);
}

/**
 * This machine's apt sources, so that the image uses the mirror this machine uses, for any suite that the mirror names
 * in the same way; '' for the default.
 */
function debianSources(suite: string): string {
  const dir = '/etc/apt/sources.list.d';
  const files = existsSync(dir) ? readdirSync(dir).sort() : [];
  const stanzas = files
    .filter((file) => file.endsWith('.sources'))
    .flatMap((file) => readFileSync(`${dir}/${file}`, 'utf8').split(/\n\s*\n/))
    .map((stanza) => stanza.replace(/^#.*\n/gm, '').trim())
    .filter((stanza) => new RegExp(`^Suites:.*\\b${DEBIAN_SUITE}(-|\\b)`, 'm').test(stanza));
  // One-line format: files cannot be mixed in one text, so it is used only where there is no other.
  const lines = existsSync('/etc/apt/sources.list')
    ? readFileSync('/etc/apt/sources.list', 'utf8').split('\n')
    : [];
  const oneLine = lines.filter((line) => new RegExp(`^deb .* ${DEBIAN_SUITE}(-\\S+)? `).test(line));
  const own = stanzas.length > 0 ? `${stanzas.join('\n\n')}\n` : oneLine.map((line) => `${line}\n`).join('');
  return own.replaceAll(DEBIAN_SUITE, suite);
}

/** Settings of this machine's apt without which its mirror could not be used. */
async function debianAptOptions(): Promise<string[]> {
  const keys = [
    'Acquire::Check-Valid-Until',
    'Acquire::Check-Date',
    'Acquire::http::Proxy',
    'Acquire::https::Proxy',
  ];
  const dump = await exec('apt-config', ['dump']);
  const config = new Map(
    [...dump.matchAll(/^(\S+) "(.*)";$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
  return keys.flatMap((key) => (config.has(key) ? [`${key} "${config.get(key) ?? ''}"`] : []));
}
