// PostgreSQL from Debian: healthy by its own word, reached from the host, its data in a volume that outlives containers.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ANY, sandbox } from '../helpers/engine.ts';
import { buildTwice, importDebian } from './helpers/real.ts';

const skiff = sandbox();
const run = ['run', '-d', '-v', 'pgdata:/var/lib/postgresql'];

async function psql(container: string, sql: string, stdout: string): Promise<void> {
  await skiff.run(['exec', container, 'psql', '-AtqXc', sql], { stdout });
}

async function becomesHealthy(container: string): Promise<void> {
  await skiff.run(['wait', '--condition', 'healthy', container], { stdout: '-1\n', timeoutMs: 120_000 });
}

test('what is written outlives the container', async (cx) => {
  await importDebian(cx, skiff);
  await buildTwice(skiff, 'postgres', ['-t', 'postgres']);
  try {
    const publish = ['-p', '127.0.0.1::5432', '-e', 'POSTGRES_PASSWORD=s3cret'];
    await skiff.run([...run, '--name', 'first', ...publish, 'postgres'], { stdout: ANY });
    await becomesHealthy('first');
    await psql('first', 'CREATE TABLE kept (a int); INSERT INTO kept VALUES (20), (22)', '');
    expect(await answersSslRequest((await skiff.run(['port', 'first', '5432'])).stdout.trim())).toBe('N');

    await skiff.run(['restart', 'first'], { stdout: 'first\n' });
    await becomesHealthy('first');
    await psql('first', 'SELECT sum(a) FROM kept', '42\n');
    await skiff.run(['cp', 'first:/var/lib/postgresql/data/PG_VERSION', `${skiff.dir}/version`]);
    expect(readFileSync(`${skiff.dir}/version`, 'utf8')).toBe('15\n');

    // STOPSIGNAL asks it to end in order, and it takes its time to.
    await skiff.run(['stop', 'first'], { stdout: 'first\n' });
    await skiff.run(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'first'], {
      stdout: 'exited 0\n',
    });
    await skiff.run(['logs', '--tail', '1', 'first'], { stderr: /database system is shut down\n$/ });
    await skiff.run(['rm', '-v', 'first'], { stdout: 'first\n' });

    await skiff.run([...run, '--name', 'second', 'postgres'], { stdout: ANY });
    await becomesHealthy('second');
    await psql('second', 'SELECT sum(a) FROM kept', '42\n');
    // Killed in the middle, it recovers from its log.
    await psql('second', 'INSERT INTO kept VALUES (58)', '');
    await skiff.run(['kill', 'second'], { stdout: 'second\n' });
    await skiff.run(['wait', 'second'], { stdout: '137\n' });
    await skiff.run(['start', 'second'], { stdout: 'second\n' });
    await becomesHealthy('second');
    await psql('second', 'SELECT sum(a) FROM kept', '100\n');
  } finally {
    await skiff.run(['rm', '-f', 'first', 'second'], { status: null, stdout: ANY, stderr: ANY });
    await skiff.run(['volume', 'rm', 'pgdata'], { status: null, stdout: ANY, stderr: ANY });
  }
});

/** The first thing a client says, and the one letter that the server answers (protocol-flow: SSL Session Encryption). */
function answersSslRequest(address: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    socket.on('error', reject);
    socket.once('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
  });
}
