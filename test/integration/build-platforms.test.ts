// build --platform of several: one index, which every other command deals with as one image; skopeo is the judge of what
// other tools see. Programs of another machine run by a binfmt handler that is registered in a user namespace.

import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDockerRegistry, type RunningRegistry } from '../helpers/docker-registry.ts';
import { ANY, sandbox, type Engine } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const { fixtures, userWithoutRanges, missing } = world();
const skiff = sandbox();
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });
const BOTH = ['--platform', 'linux/amd64,linux/arm64'];
const build = ['build', '--progress', 'plain', '--network', 'none', '--pull=never'];
const quiet = ['build', '--quiet', '--network', 'none', '--pull=never'];
const DIGEST = /^sha256:[0-9a-f]{64}$/;
let registry: RunningRegistry | undefined;

interface Index {
  mediaType: string;
  manifests: { digest: string; platform: { architecture: string }; annotations?: object }[];
  annotations?: object;
}

beforeAll(async () => {
  if (missing['busybox-image'] === undefined)
    await skiff.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY });
  if (missing.registry !== undefined) return;
  mkdirSync(`${skiff.dir}-registry`);
  registry = await startDockerRegistry({
    data: `${skiff.dir}-registry/data`,
    dir: `${skiff.dir}-registry/run`,
  });
});

afterAll(async () => {
  await registry?.stop();
  rmSync(`${skiff.dir}-registry`, { recursive: true, force: true });
});

const CROSS = `FROM --platform=$BUILDPLATFORM busybox AS build
RUN cat /proc/sys/kernel/random/uuid > /once
ARG TARGETPLATFORM
RUN echo "$TARGETPLATFORM" > /target
FROM scratch
COPY --from=build /once /target /
LABEL who=me
`;

function skopeo(...args: string[]): string {
  return execFileSync('skopeo', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function digestIn(file: string): string {
  return readFileSync(file, 'utf8').trim();
}

test('one index, and what does not depend on the target is done once', async (cx) => {
  requires(cx, 'busybox-image', 'skopeo');
  const home = `${skiff.dir}/home`;
  const { stderr } = await skiff.run(
    [
      ...[...build, ...BOTH, '-t', 'cross', '--iidfile', `${home}/iid`, '--metadata-file', `${home}/meta`],
      ...['-o', 'type=image', '-o', `type=local,dest=${home}/out`, '-o', `type=tar,dest=${home}/out.tar`],
      ...['-o', `type=oci,dest=${home}/out.oci`, '--annotation', 'index:a=1'],
      ...['--annotation', 'manifest[linux/arm64],manifest-descriptor[linux/arm64]:b=2', '-'],
    ],
    { stdin: CROSS, stderr: ANY },
  );
  expect(stderr.match(/^#\d+ \[\S+ build 2\/3\] RUN/gm)).toHaveLength(1);
  expect(stderr).toMatch(/^#\d+ \[linux\/amd64->arm64 build 3\/3\] RUN/m);
  const id = digestIn(`${home}/iid`);
  expect(id).toMatch(DIGEST);
  expect(JSON.parse(readFileSync(`${home}/meta`, 'utf8'))).toMatchObject({ 'containerimage.digest': id });

  for (const [folder, target] of [
    ['linux_amd64', 'linux/amd64\n'],
    ['linux_arm64', 'linux/arm64\n'],
  ] as const) {
    expect(readFileSync(`${home}/out/${folder}/target`, 'utf8')).toBe(target);
    const inTar = execFileSync('tar', ['-xOf', `${home}/out.tar`, `${folder}/target`], { encoding: 'utf8' });
    expect(inTar).toBe(target);
  }
  const once = ['amd64', 'arm64'].map((name) => readFileSync(`${home}/out/linux_${name}/once`, 'utf8'));
  expect(once[0]).toBe(once[1]);

  const raw = skopeo('inspect', '--raw', `oci-archive:${home}/out.oci`);
  const index = JSON.parse(raw) as Index;
  expect(index.mediaType).toBe('application/vnd.oci.image.index.v1+json');
  expect(index.annotations).toEqual({ a: '1' });
  expect(index.manifests.map(({ platform }) => platform)).toEqual([
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ]);
  expect(index.manifests.map(({ annotations }) => annotations)).toEqual([undefined, { b: '2' }]);
  skopeo(
    'copy',
    '-q',
    '--all',
    `oci:${skiff.store}/oci:docker.io/library/cross:latest`,
    `dir:${skiff.dir}/home/dir`,
  );
});

test('the same image again from the cache', async (cx) => {
  requires(cx, 'busybox-image');
  const first = await skiff.run([...quiet, ...BOTH, '-'], { stdin: CROSS, stdout: ANY });
  await skiff.run([...quiet, ...BOTH, '-'], { stdin: CROSS, stdout: first.stdout });
});

test('one name, one row, one id; each platform by its own', async (cx) => {
  requires(cx, 'busybox-image');
  const flags = [...BOTH, '--label', 'it=alone', '-t', 'several', '-'];
  await skiff.run([...quiet, ...flags], { stdin: CROSS, stdout: ANY });
  const inspect = async (...args: string[]) =>
    (await skiff.run(['image', 'inspect', ...args], { stdout: ANY })).stdout.trim();
  const id = await inspect('-f', '{{.Id}}', 'several');
  const arm = await inspect('--platform', 'linux/arm64', '-f', '{{.Architecture}} {{.Id}}', 'several');
  expect(arm).toMatch(/^arm64 sha256:/);
  const armId = arm.split(' ')[1] ?? '';
  expect(armId).not.toBe(id);
  expect(await inspect('-f', '{{.RepoTags}}', armId)).toBe('[several:latest]');
  await skiff.run(['image', 'inspect', '--platform', 'linux/s390x', 'several'], {
    status: 125,
    stdout: '[]\n',
    stderr: /no image for linux\/s390x; there is linux\/amd64, linux\/arm64/,
  });

  await skiff.run(['tag', 'several', 'again']);
  await skiff.run(['rmi', 'several'], { stdout: 'Untagged: several:latest\n' });
  await skiff.run(['tag', id.slice(0, 20), 'third']);
  await skiff.run(['images', '--no-trunc', '--format', '{{.ID}}', 'third'], { stdout: `${id}\n` });
  await skiff.run(['rmi', armId], { status: 2, stderr: /the one for linux\/arm64 of "again:latest"/ });
  await skiff.run(['system', 'check'], { stdout: ANY });

  const file = `${skiff.dir}/home/several.tar`;
  await skiff.run(['save', '-o', file, 'third']);
  await skiff.run(['save', '-o', `${skiff.dir}/home/arm.tar`, '--platform', 'linux/arm64', 'third']);
  await skiff.run(['rmi', '-f', 'again', 'third'], { stdout: ANY });
  await skiff.run(['image', 'inspect', armId], { status: 1, stdout: '[]\n', stderr: /no such image/ });
  await skiff.run(['load', '-q', '-i', file], { stdout: 'Loaded image: third:latest\n' });
  expect(await inspect('-f', '{{.Id}}', 'third')).toBe(id);
  await skiff.run(['rmi', 'third'], { stdout: ANY });
  await skiff.run(['load', '-q', '-i', `${skiff.dir}/home/arm.tar`], {
    stdout: 'Loaded image: third:latest\n',
  });
  expect(await inspect('-f', '{{.Id}}', 'third')).toBe(armId);
  await skiff.run(['rmi', 'third'], { stdout: ANY });
});

test('what cannot be: docker’s archive, and an annotation of an index that is none', async () => {
  await skiff.run([...build, ...BOTH, '-o', `type=docker,dest=${skiff.dir}/home/d.tar`, '-'], {
    stdin: 'FROM scratch\n',
    status: 1,
    stderr: /type=docker: docker's archives hold images of one platform\nHint: write an OCI archive/,
  });
  await skiff.run([...build, '--annotation', 'index:a=b', '-'], {
    stdin: 'FROM scratch\n',
    status: 1,
    stderr: /--annotation index:a: an image of one platform has no index/,
  });
});

describe('through a registry', () => {
  test('all of an index goes, the same at every try, and one platform by itself', async (cx) => {
    requires(cx, 'busybox-image', 'registry', 'skopeo');
    const name = `${registry?.address ?? ''}/cross:1`;
    const source = `docker://${name}`;
    await skiff.run([...quiet, ...BOTH, '-t', name, '--push', '-'], { stdin: CROSS, stdout: ANY });
    const raw = skopeo('inspect', '--tls-verify=false', '--raw', source);
    skopeo('copy', '-q', '--all', '--src-tls-verify=false', source, `dir:${skiff.dir}-registry/copy`);
    const { stdout } = await skiff.run(['push', name], { stdout: /Layer already exists/ });
    expect(stdout).not.toMatch(/: Pushed/);
    expect(skopeo('inspect', '--tls-verify=false', '--raw', source)).toBe(raw);
    const { manifests } = JSON.parse(raw) as Index;
    await skiff.run(['push', '--platform', 'linux/arm64', name, name.replace(':1', ':arm')], { stdout: ANY });
    const { stdout: shown } = await skiff.run(['manifest', 'inspect', '-v', name.replace(':1', ':arm')]);
    expect(JSON.parse(shown)).toMatchObject({
      Descriptor: { digest: manifests[1]?.digest, platform: { os: 'linux', architecture: 'arm64' } },
    });
    const { stdout: index } = await skiff.run(['manifest', 'inspect', name]);
    expect(JSON.parse(index)).toEqual(JSON.parse(raw));
    await skiff.run(['rmi', '-f', name], { stdout: ANY });
  });

  test('platforms that are pulled one by one meet under one name', async (cx) => {
    requires(cx, 'busybox-image', 'registry');
    const name = `${registry?.address ?? ''}/three:1`;
    const three = ['--platform', 'linux/amd64,linux/arm64,linux/s390x'];
    await skiff.run([...quiet, ...three, '-t', name, '--push', '-'], { stdin: CROSS, stdout: ANY });
    await skiff.run(['rmi', '-f', name], { stdout: ANY });
    const architecture = ['image', 'inspect', '-f', '{{.Architecture}}'];
    await skiff.run(['pull', '-q', name], { stdout: ANY });
    await skiff.run(['pull', '-q', '--platform', 'linux/s390x', name], { stdout: ANY });
    await skiff.run([...architecture, name], { stdout: 'amd64\n' });
    await skiff.run([...architecture, '--platform', 'linux/s390x', name], { stdout: 's390x\n' });
    await skiff.run(['images', '-q', '--filter', 'dangling=true'], { stdout: '' });
    await skiff.run(['push', name, name.replace(':1', ':2')], {
      status: 1,
      stderr: /not in the store are its images for linux\/arm64\nHint: push one alone with --platform/,
    });
    await skiff.run(['rmi', name], { stdout: ANY });
  });
});

test('a missing handler is named before anything is built, and COPY needs none', async () => {
  const base = ['--platform', 'linux/loong64', '-t', 'foreign'];
  await skiff.run([...quiet, ...base, '-'], { stdin: 'FROM scratch\nCOPY <<x /f\nx\n', stdout: ANY });
  const dockerfile = 'FROM foreign\nCOPY <<x /first\nx\nRUN ["/f"]\n';
  const { stderr } = await skiff.run([...build, '--platform', 'linux/loong64', '-'], {
    stdin: dockerfile,
    status: 1,
    stderr: ANY,
  });
  expect(stderr).toMatch(
    /\nError: failed to solve: RUN for linux\/loong64 needs a binfmt handler \(qemu-loongarch64\), .*\nHint: "apt-get install qemu-user-static/,
  );
  expect(stderr).not.toMatch(/COPY.*\n#\d+ DONE/);
});

/** An ELF header for arm64: what it starts is for binfmt_misc to say. */
function arm64Program(): Buffer {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(183, 18);
  return header;
}

const MAGIC = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00';
const MASK = `${'\\xff'.repeat(7)}\\x00${'\\xff'.repeat(8)}\\xfe${'\\xff'.repeat(3)}`;

/** The kernel's own handlers of a user namespace (Linux 6.7). hide: they count, and are out of sight. */
function withHandler(engine: Engine, hide: boolean): string[] {
  const { uid, gid } = engine.user;
  const script = [
    'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc',
    `printf '%s' ':qemu-aarch64:M:0:${MAGIC}:${MASK}:/bin/busybox:F' > /proc/sys/fs/binfmt_misc/register`,
    ...(hide ? ['mount -t tmpfs none /proc/sys/fs/binfmt_misc'] : []),
    `exec unshare --user --map-user=${uid} --map-group=${gid} -- "$@"`,
  ].join(' && ');
  return ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
}

/** busybox takes the part of qemu here: the name of the program says which of its own it is to be. */
test.for([
  ['a handler that is seen', false],
  ['a handler that is out of sight', true],
] as const)('RUN of another platform by %s', async ([, hide], cx) => {
  requires(cx, 'busybox-image', 'user-without-ranges', 'binfmt');
  const other = single as Engine;
  const NOTE = /^([^\n]*single[^\n]*\n)?$/;
  await other.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
  const context = other.makeDir(`programs-${String(hide)}`);
  for (const name of ['sh', 'cat']) {
    writeFileSync(`${context}/${name}`, arm64Program(), { mode: 0o755 });
    chownSync(`${context}/${name}`, other.user.uid, other.user.gid);
  }
  const base = ['--platform', 'linux/arm64', '-t', 'base-arm64', '-f', '-', context];
  await other.run([...quiet, ...base], {
    stdin: 'FROM scratch\nCOPY sh cat /bin/\n',
    stdout: ANY,
    stderr: NOTE,
  });
  await other.run(['tag', 'busybox', 'base-amd64']);
  const { stderr } = await other.run([...build, '--no-cache', ...BOTH, '-t', 'both', '-'], {
    stdin:
      'ARG TARGETARCH\nFROM base-$TARGETARCH\nARG TARGETARCH\nRUN echo "for $TARGETARCH" > /f && cat /f\n',
    stderr: ANY,
    prefix: withHandler(other, hide),
  });
  expect(stderr).toMatch(/^#\d+ [\d.]+ for arm64$/m);
  expect(stderr).toMatch(/^#\d+ [\d.]+ for amd64$/m);
});

describe('when an image was made', () => {
  const git = (dir: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd: dir,
      encoding: 'utf8',
      uid: process.getuid?.() === 0 ? skiff.user.uid : undefined,
      env: { ...process.env, HOME: `${skiff.dir}/home`, GIT_COMMITTER_DATE: '1700000000 +0000' },
    });
  const created = async (...args: string[]): Promise<string> => {
    await skiff.run([...quiet, '-t', 'dated', ...args], { stdout: ANY });
    return (await skiff.run(['image', 'inspect', '-f', '{{.Created}}', 'dated'])).stdout.trim();
  };

  test('the time of the commit, whatever was changed since; a fixed one without', async (cx) => {
    requires(cx, 'git');
    const dir = skiff.makeDir('checkout');
    const put = (name: string, text: string): void => {
      writeFileSync(`${dir}/${name}`, text);
      if (process.getuid?.() === 0) chownSync(`${dir}/${name}`, skiff.user.uid, skiff.user.gid);
    };
    put('Dockerfile', 'FROM scratch\nCOPY f /\n');
    put('f', 'one');
    const fixed = await created(dir);
    expect(fixed).toBe('1980-01-02T00:00:00Z');
    git(dir, 'init', '-q');
    expect(await created(dir)).toBe(fixed);
    git(dir, 'add', '.');
    git(dir, 'commit', '-q', '-m', 'one');
    expect(await created(dir)).toBe('2023-11-14T22:13:20Z');
    put('f', 'two');
    expect(await created(dir)).toBe('2023-11-14T22:13:20Z');
    expect(await created('--timestamp', '86400', dir)).toBe('1970-01-02T00:00:00Z');
    expect(await created('--build-arg', 'SOURCE_DATE_EPOCH=172800', dir)).toBe('1970-01-03T00:00:00Z');
    const ignored = skiff.makeDir('checkout/new');
    expect(await created('-f', `${dir}/Dockerfile`, '--build-arg', 'x=y', ignored).catch(() => fixed)).toBe(
      fixed,
    );
  });

  test('a checkout that git refuses is said', async (cx) => {
    requires(cx, 'git', 'root');
    const dir = skiff.makeDir('foreign');
    writeFileSync(`${dir}/Dockerfile`, 'FROM scratch\n');
    execFileSync('git', ['init', '-q', dir]);
    execFileSync('chown', ['-R', '0:0', dir]);
    await skiff.run([...quiet, dir], { stdout: ANY, stderr: /not that of the commit, since git says: / });
  });
});
