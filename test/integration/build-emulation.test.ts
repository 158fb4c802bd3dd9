// build with a single id: RUN sees users and owners as if there were more (docs/decisions/0033), and the image has them.

import { chownSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { ANY, sandbox, type Engine } from '../helpers/engine.ts';
import { exec, execAny } from '../helpers/exec.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const { fixtures, registries, userWithoutRanges } = world();
const ranged = sandbox();
const single = userWithoutRanges === undefined ? undefined : sandbox({ user: userWithoutRanges });
const offline = ['build', '--network', 'none', '--progress', 'plain', '--no-cache'];

afterAll(async () => {
  for (const engine of [ranged, single])
    await engine?.run(['system', 'prune', '-af'], { status: null, stdout: ANY, stderr: ANY });
});

function context(engine: Engine, name: string, dockerfile: string): string {
  const dir = engine.makeDir(name);
  writeFileSync(`${dir}/Dockerfile`, dockerfile);
  if (process.getuid?.() === 0) chownSync(`${dir}/Dockerfile`, engine.user.uid, engine.user.gid);
  return dir;
}

/** What the steps printed, without numbers and times. */
function printed(progress: string): string[] {
  return [...progress.matchAll(/^#\d+ \d+\.\d{3} (.*)$/gm)].map(([, line]) => line as string);
}

async function buildsTo(engine: Engine, name: string, dockerfile: string): Promise<[string[], string]> {
  await engine.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
  const { stderr } = await engine.run([...offline, '-t', name, context(engine, name, dockerfile)], {
    stderr: ANY,
  });
  const [image] = JSON.parse((await engine.run(['image', 'inspect', name])).stdout) as [
    { Descriptor: { digest: string } },
  ];
  return [printed(stderr), image.Descriptor.digest];
}

/** What it prints and the digest of the image are those of a user with subordinate ids; `shows`: some lines of it. */
test.for([
  {
    name: 'owners',
    dockerfile: `FROM busybox
RUN umask 027; echo x > /f; mkdir -p /d/e; chown 33:44 /f; chown -R 5 /d; chown :6 /d/e; stat -c '%u:%g %a %n' /f /d /d/e
RUN chmod 6755 /f; chown 7 /f; cp -p /f /g; mv /f /h; ln /h /i; chown 0:0 /d; stat -c '%u:%g %a %n' /g /h /i /d /d/e; find / -xdev -user 7
RUN chown 9:9 /etc/passwd; tar -c -f /t.tar -C / h d; mkdir /out; tar -x -f /t.tar -C /out; stat -c '%u:%g %a' /out/h; rm /t.tar; chown 0:0 /etc/passwd`,
    shows: ['33:44 640 /f', '5:0 750 /d', '5:6 750 /d/e', '7:44 755 /g', '0:0 750 /d', '7:44 755'],
  },
  {
    name: 'users',
    dockerfile: `FROM busybox
RUN echo 'joe:x:1234:1234::/home/joe:/bin/sh' >> /etc/passwd; mkdir /home/joe; chown 1234:1234 /home/joe; su joe -c 'id -u; id -G; umask 022; echo a > ~/a; mkdir -p ~/b/c; set -C; echo x > ~/x; chown 5 ~/a 2>&1'; stat -c '%u:%g %a %n' /home/joe /home/joe/*
USER 77:88
WORKDIR /w
RUN id -u; id -g; mkdir /tmp/m; cp /bin/busybox /tmp/m/box; stat -c '%u:%g %a %n' /tmp/m /tmp/m/box; sh -c 'chown 1 /tmp/m 2>&1 || echo refused'
USER joe
RUN id; echo y > /tmp/y; stat -c '%u:%g' /tmp/y`,
    shows: ['1234', '1234:1234 644 /home/joe/x', '77', '77:88 755 /tmp/m', 'refused', '1234:1234'],
  },
  {
    name: 'chroot',
    dockerfile: `FROM busybox
RUN mkdir -p /r/etc /r/u; cp -a /bin /r/; echo a > /r/etc/a; cp /r/etc/a /etc/a; ln -s /etc/a /r/u/l; chroot /r /bin/sh -c 'cd u; chown 3 l; chown 4 /u/../../etc; stat -c %u l /etc /etc/a'; stat -c '%u %n' /etc/a /r/etc/a /r/etc /etc`,
    shows: ['0 /etc/a', '3 /r/etc/a', '4 /r/etc', '0 /etc'],
  },
])('$name', async ({ name, dockerfile, shows }, cx) => {
  requires(cx, 'busybox-image', 'user-without-ranges', 'subuid');
  const [lines, digest] = await buildsTo(single as Engine, name, dockerfile);
  const [wanted, wantedDigest] = await buildsTo(ranged, name, dockerfile);
  expect(lines).toEqual(wanted);
  expect(lines).toEqual(expect.arrayContaining(shows));
  expect(digest).toBe(wantedDigest);
});

test('links cannot be given away: said once', async (cx) => {
  requires(cx, 'busybox-image', 'user-without-ranges');
  const [lines] = await buildsTo(
    single as Engine,
    'links',
    'FROM busybox\nRUN ln -s x /l; ln -s y /m; chown -h 5 /l /m; stat -c %u /l',
  );
  expect(lines).toEqual([expect.stringMatching(/symbolic links .* belong to root/), '0']);
});

test('where seccomp cannot pass calls on, that is said, and root is alone', async (cx) => {
  requires(cx, 'busybox-image', 'user-without-ranges', 'strace');
  const engine = single as Engine;
  await engine.run(['load', '-q', '-i', fixtures.busyboxOciArchive ?? ''], { stdout: ANY, stderr: ANY });
  const dir = context(
    engine,
    'without',
    'FROM busybox\nRUN id -u; echo x > /f; chown 5 /f 2>&1 || echo refused',
  );
  // The first filter of the step's first process, as where a sandbox around us listens already.
  const inject = ['-f', '-qq', '-o', '/dev/null', '-e', 'inject=seccomp:error=EBUSY:when=1'];
  const become = ['setpriv', `--reuid=${engine.user.uid}`, `--regid=${engine.user.gid}`, '--clear-groups'];
  const { status, stderr } = await execAny(
    'strace',
    [...inject, ...become, ...engine.words([...offline, dir])],
    { env: engine.env, cwd: '/' },
  );
  expect({ status, lines: printed(stderr) }).toEqual({
    status: 0,
    lines: [
      expect.stringMatching(/no root emulation \(.*\): root is the only user/),
      '0',
      expect.stringMatching(/^chown: /),
      'refused',
    ],
  });
});

test('apt-get install: users, groups and set-id bits of its packages', { timeout: 300_000 }, async (cx) => {
  requires(cx, 'tun', 'registry', 'debian-image', 'debian-mirror', 'user-without-ranges');
  const engine = single as Engine;
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy'].filter((name) => process.env[name]);
  const dockerfile = `FROM ${registries?.plain ?? ''}/debian:oci-gzip AS apt
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends cron hello && hello
RUN useradd -m joe && su joe -c '(id -un; id -G) > ~/name' && mkdir /srv/www && chown -R www-data: /srv/www && getent group crontab | cut -d: -f3 > /gid
FROM scratch
COPY --from=apt /gid /gid
COPY --from=apt /usr/bin/crontab /usr/bin/hello /bin/
COPY --from=apt /var/spool/cron /cron/
COPY --from=apt /home /home/
COPY --from=apt /var/lib/apt/lists /lists/
COPY --from=apt /srv /srv/`;
  await engine.run(
    [
      ...['build', '--progress', 'plain', '-o', 'type=tar,dest=out.tar'],
      ...proxies.flatMap((name) => ['--build-arg', name]),
      context(engine, 'apt', dockerfile),
    ],
    { stderr: ANY, timeoutMs: 280_000, cwd: engine.dir },
  );
  const list = await exec('tar', ['--numeric-owner', '-tvf', `${engine.dir}/out.tar`]);
  const owners = new Map(
    list
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [mode = '', owner = '', , , , path = ''] = line.split(/ +/);
        return [path.replace(/\/$/, ''), `${mode} ${owner}`];
      }),
  );
  const gid = (await exec('tar', ['-xOf', `${engine.dir}/out.tar`, 'gid'])).trim();
  expect(gid).toMatch(/^1\d\d$/);
  expect(Object.fromEntries(owners)).toMatchObject({
    'bin/crontab': `-rwxr-sr-x 0/${gid}`,
    'bin/hello': '-rwxr-xr-x 0/0',
    'cron/crontabs': `drwx-wx--T 0/${gid}`,
    'home/joe': 'drwxr-xr-x 1000/1000',
    'home/joe/name': '-rw-r--r-- 1000/1000',
    'lists/partial': 'drwx------ 42/0',
    'srv/www': 'drwxr-xr-x 33/33',
  });
  expect(await exec('tar', ['-xOf', `${engine.dir}/out.tar`, 'home/joe/name'])).toBe('joe\n1000\n');
});
