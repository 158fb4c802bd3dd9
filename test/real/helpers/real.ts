// What the real builds share: base images made from Debian's archive, a folder of test/real built twice, and patience.

import { readFileSync } from 'node:fs';
import { expect, type TestContext } from 'vitest';
import { ANY, type Engine, type Result } from '../../helpers/engine.ts';
import { exec } from '../../helpers/exec.ts';
import { requires } from '../../helpers/requires.ts';
import { REPOSITORY, world } from '../../helpers/world.ts';
import { IMAGE_ENV } from '../../setup/busybox.ts';
import { DEBIAN_SUITE, debianTarFixture } from '../../setup/fixtures.ts';

/** What apt-get in a container takes at most; the machine may be busy. */
export const LONG = 1_500_000;

/** Imports Debian's minbase as `debian:SUITE` and returns that name. Skips the test where the machine cannot. */
export async function importDebian(
  cx: TestContext,
  engine: Engine,
  suite: string = DEBIAN_SUITE,
): Promise<string> {
  requires(cx, 'subuid', 'tun', 'debian-mirror', 'debian-image');
  const tar =
    suite === DEBIAN_SUITE
      ? (world().fixtures.debianTar ?? '')
      : `${await debianTarFixture(suite)}/debian.tar`;
  const changes = [...IMAGE_ENV.map((variable) => `ENV ${variable}`), 'CMD ["bash"]'];
  await engine.run(['import', ...changes.flatMap((change) => ['--change', change]), '-', `debian:${suite}`], {
    stdin: readFileSync(tar),
    stdout: ANY,
    stderr: ANY,
    timeoutMs: LONG,
  });
  return `debian:${suite}`;
}

/**
 * Builds the folder test/real/NAME twice, with --verify-repro.
 *
 * flags   for the build
 * status  0: both builds are expected to come to the same image; 1: they are not
 * result  what it printed: --progress plain on stderr
 */
export async function buildTwice(
  engine: Engine,
  name: string,
  flags: readonly string[] = [],
  status = 0,
): Promise<Result> {
  const dir = await copyFolder(engine, name);
  return engine.run(['build', '--progress', 'plain', '--verify-repro', ...flags, dir], {
    status,
    stdout: ANY,
    stderr: status === 0 ? /^reproducible: .* gave the same image, sha256:[0-9a-f]{64}$/m : ANY,
    env: proxies(),
    timeoutMs: LONG,
  });
}

/** A copy that the ordinary user can read, with the modes of a fresh checkout. */
export async function copyFolder(engine: Engine, name: string): Promise<string> {
  const dir = `${engine.dir}/${name}`;
  await exec('rm', ['-rf', dir]);
  await exec('cp', ['-r', `${REPOSITORY}/test/real/${name}`, dir]);
  await exec('chmod', ['-R', 'u=rwX,go=rX', dir]);
  return dir;
}

/** The caller's proxies: without them the mirror may be out of reach. */
export function proxies(): Record<string, string | undefined> {
  return Object.fromEntries(
    ['http_proxy', 'https_proxy', 'no_proxy'].map((name) => [name, process.env[name]]),
  );
}

/** Asks over HTTP until there is an answer with `status`; returns it. */
export async function answer(url: string, status = 200, timeoutMs = 120_000): Promise<Response> {
  let seen: Response | undefined;
  await expect
    .poll(
      async () => {
        // Each try has an end of its own: pasta of Debian 12 may hold a connection that came before the server listened.
        const signal = AbortSignal.timeout(5000);
        seen = await fetch(url, { redirect: 'manual', signal }).catch(() => undefined);
        return seen?.status;
      },
      { timeout: timeoutMs, interval: 500, message: url },
    )
    .toBe(status);
  return seen!;
}
