// Makes the demo image, an OCI archive with one static program: node scripts/make-demo.mjs OUT.tar
// The same sources give the same bytes: owners, times and order in the tar files are fixed.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from 'tar';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64', ppc64: 'ppc64le', s390x: 's390x' };
const REFERENCE = 'docker.io/skiff/hello:latest';
const TIME = new Date('2026-01-01T00:00:00Z');

const out = process.argv[2];
const work = mkdtempSync(join(tmpdir(), 'skiff-demo-'));
try {
  const rootfs = join(work, 'rootfs');
  mkdirSync(join(rootfs, 'etc'), { recursive: true });
  compile(join(ROOT, 'native/demo/hello.cc'), join(rootfs, 'hello'));
  writeFileSync(
    join(rootfs, 'etc/passwd'),
    'root:x:0:0:root:/:/hello\nnobody:x:65534:65534:nobody:/:/hello\n',
  );
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nnobody:x:65534:\n');
  const layer = pack(rootfs, ['etc', 'etc/group', 'etc/passwd', 'hello']);
  writeArchive(layer);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function compile(source, target) {
  const machine = execFileSync('gcc', ['-dumpmachine'], { encoding: 'utf8' }).trim();
  const specs = `/usr/lib/${machine.replace(/-gnu$/, '-musl')}/musl-gcc.specs`;
  const musl = existsSync(specs) ? [`-specs=${specs}`] : [];
  const flags = [
    '-std=c++17',
    '-Os',
    '-static',
    '-s',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-fno-exceptions',
    '-fno-rtti',
  ];
  execFileSync('gcc', [source, ...flags, ...musl, '-o', target], { stdio: 'inherit' });
  chmodSync(target, 0o755);
}

function pack(cwd, paths) {
  const options = { cwd, sync: true, portable: true, noDirRecurse: true, mtime: TIME, onWriteEntry: asRoot };
  return Buffer.concat(chunks(create(options, paths)));
}

function asRoot(entry) {
  Object.assign(entry, { stat: Object.assign(entry.stat, { uid: 0, gid: 0 }) });
}

function chunks(stream) {
  const parts = [];
  for (let part = stream.read(); part !== null; part = stream.read()) parts.push(part);
  return parts;
}

function writeArchive(layer) {
  const layout = join(work, 'layout');
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const files = ['oci-layout', 'index.json', 'blobs', 'blobs/sha256'];
  const blob = (mediaType, data) => {
    const hex = createHash('sha256').update(data).digest('hex');
    writeFileSync(join(layout, 'blobs/sha256', hex), data);
    files.push(`blobs/sha256/${hex}`);
    return { mediaType, digest: `sha256:${hex}`, size: data.length };
  };
  const json = (mediaType, value) => blob(mediaType, Buffer.from(JSON.stringify(value)));

  const created = TIME.toISOString();
  const layerDescriptor = blob('application/vnd.oci.image.layer.v1.tar', layer);
  const config = json('application/vnd.oci.image.config.v1+json', {
    created,
    architecture: ARCHITECTURES[arch()] ?? arch(),
    os: 'linux',
    config: { Cmd: ['/hello'], WorkingDir: '/', Labels: { 'org.opencontainers.image.title': 'hello' } },
    rootfs: { type: 'layers', diff_ids: [layerDescriptor.digest] },
    history: [{ created, created_by: 'scripts/make-demo.mjs' }],
  });
  const manifest = json('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: [layerDescriptor],
  });
  const annotations = {
    'io.containerd.image.name': REFERENCE,
    'org.opencontainers.image.ref.name': REFERENCE.slice(REFERENCE.lastIndexOf(':') + 1),
  };
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ ...manifest, annotations }],
    }),
  );
  const temp = `${out}.${process.pid}`;
  writeFileSync(temp, pack(layout, files));
  renameSync(temp, out);
}
