// WordPress from Debian 11 (PHP 7.4) and Debian 12 (PHP 8.2) beside each other, with one MariaDB: images, published
// ports, a socket and data in volumes, health checks, and what a person does with such containers.

import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { freePort } from '../helpers/docker-registry.ts';
import { ANY, sandbox } from '../helpers/engine.ts';
import { answer, buildTwice, importDebian, LONG } from './helpers/real.ts';

const skiff = sandbox();
const RELEASES = [
  { suite: 'bullseye', php: 'PHP/7.4.', version: 'WordPress 5.7.' },
  { suite: 'bookworm', php: 'PHP/8.2.', version: 'WordPress 6.1.' },
] as const;

async function becomesHealthy(container: string): Promise<void> {
  await skiff.run(['wait', '--condition', 'healthy', container], { stdout: '-1\n', timeoutMs: 120_000 });
}

async function startSite(suite: string): Promise<string> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const variables = { URL: url, DB_NAME: suite, DB_PASSWORD: 'press' };
  const env = Object.entries(variables).flatMap(([name, value]) => ['-e', `WORDPRESS_${name}=${value}`]);
  const flags = ['--name', suite, '-p', `127.0.0.1:${port}:80`, '-v', 'socket:/run/mysqld', ...env];
  await skiff.run(['run', '-d', ...flags, `wordpress:${suite}`], { stdout: ANY });
  await becomesHealthy(suite);
  return url;
}

/** What the famous form of five minutes sends. */
async function install(url: string, title: string): Promise<void> {
  const form = new URLSearchParams({
    weblog_title: title,
    user_name: 'admin',
    admin_password: 'Geheim.17x',
    admin_password2: 'Geheim.17x',
    pw_weak: '1',
    admin_email: 'admin@example.org',
    language: '',
  });
  const page = await fetch(`${url}/wp-admin/install.php?step=2`, { method: 'POST', body: form });
  expect(await page.text()).toContain('<h1>Success!</h1>');
}

test('two releases beside each other', { timeout: 2 * LONG }, async (cx) => {
  for (const { suite } of RELEASES) await importDebian(cx, skiff, suite);
  await buildTwice(skiff, 'mariadb', ['-t', 'mariadb']);
  for (const { suite } of RELEASES) {
    const flags = ['-t', `wordpress:${suite}`, '--build-arg', `SUITE=${suite}`];
    await buildTwice(skiff, 'wordpress', flags);
  }
  try {
    const volumes = ['-v', 'data:/var/lib/mysql', '-v', 'socket:/run/mysqld'];
    await skiff.run(['run', '-d', '--name', 'db', '--network', 'none', ...volumes, 'mariadb'], {
      stdout: ANY,
    });
    await becomesHealthy('db');
    const urls = new Map<string, string>();
    for (const { suite, php } of RELEASES) {
      const url = await startSite(suite);
      urls.set(suite, url);
      const { headers } = await answer(`${url}/`, 302);
      expect(headers.get('location')).toBe(`${url}/wp-admin/install.php`);
      expect(headers.get('x-powered-by')).toContain(php);
      await install(url, `A site on ${suite}`);
    }
    for (const { suite, version } of RELEASES) {
      const page = await (await answer(`${urls.get(suite) ?? ''}/`)).text();
      expect(page).toMatch(new RegExp(`<title>A site on ${suite}\\b`));
      expect(page).toContain(`content="${version}`);
    }

    const url = urls.get('bookworm') ?? '';
    await skiff.run(['logs', 'bookworm'], { stdout: /"GET \/ HTTP\/1.1" 200 /, stderr: ANY });
    const { stdout: processes } = await skiff.run(['top', 'bookworm']);
    expect(processes).toMatch(/^root .* nginx: master process nginx -g daemon off;$/m);
    expect(processes).toMatch(/^www-data .* nginx: worker process$/m);
    expect(processes).toMatch(/^root .* php-fpm: master process /m);
    await skiff.run([
      'exec',
      '-u',
      'www-data',
      'bookworm',
      'touch',
      '/var/lib/wordpress/wp-content/uploads/x',
    ]);
    writeFileSync(`${skiff.dir}/hello.txt`, 'hello\n', { mode: 0o644 });
    await skiff.run(['cp', `${skiff.dir}/hello.txt`, 'bookworm:/usr/share/wordpress/'], { stderr: ANY });
    expect(await (await answer(`${url}/hello.txt`)).text()).toBe('hello\n');

    // A site without its database says so, and comes back with it; the other's container is none the wiser.
    await skiff.run(['stop', 'db'], { stdout: 'db\n' });
    await answer(`${url}/`, 500);
    await skiff.run(['start', 'db'], { stdout: 'db\n' });
    await becomesHealthy('db');
    await answer(`${url}/`);

    // STOPSIGNAL lets nginx end in order, and a start has the same port again.
    await skiff.run(['stop', 'bookworm'], { stdout: 'bookworm\n' });
    await skiff.run(['inspect', '-f', '{{.State.ExitCode}}', 'bookworm'], { stdout: '0\n' });
    await expect(fetch(`${url}/`)).rejects.toThrow();
    await skiff.run(['start', 'bookworm'], { stdout: 'bookworm\n' });
    expect(await (await answer(`${url}/`)).text()).toContain('A site on bookworm');
  } finally {
    const quiet = { status: null, stdout: ANY, stderr: ANY };
    await skiff.run(['rm', '-fv', 'db', ...RELEASES.map(({ suite }) => suite)], quiet);
    await skiff.run(['volume', 'rm', 'data', 'socket'], quiet);
  }
});
