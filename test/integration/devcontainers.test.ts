// The devcontainers CLI as a client, with --docker-path at the built binary: what it, and an IDE that works through it,
// asks of docker. It starts `events` before `run`, waits for the start event to find the container by its labels, and
// then works through one `exec -i` whose input stays open.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { sandbox, type Result, type RunOptions } from '../helpers/engine.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';

const skiff = sandbox();
const workspace = skiff.makeDir('workspace');
const built = skiff.makeDir('built');
const temporary = skiff.makeDir('tmp');

interface Outcome {
  outcome: string;
  containerId: string;
  remoteUser: string;
  remoteWorkspaceFolder: string;
}

/** Runs the CLI on a workspace. It keeps state of its own below TMPDIR. */
function devcontainer(
  folder: string,
  command: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Result> {
  const common = ['--workspace-folder', folder, '--docker-path', world().binary];
  return skiff.run([world().fixtures.devcontainers ?? '', command, ...common, ...words], {
    binary: process.execPath,
    env: { TMPDIR: temporary },
    stderr: /^/, // its log
    timeoutMs: 100_000,
    ...options,
  });
}

async function up(...words: string[]): Promise<Outcome> {
  return await upIn(workspace, ...words);
}

async function upIn(folder: string, ...words: string[]): Promise<Outcome> {
  const { stdout } = await devcontainer(folder, 'up', words);
  return JSON.parse(stdout) as Outcome;
}

async function inside(command: string, options: RunOptions = {}): Promise<string> {
  return (await devcontainer(workspace, 'exec', ['sh', '-c', command], options)).stdout;
}

function needs(context: TestContext): void {
  requires(context, 'devcontainers-cli', 'registry', 'debian-image', 'subuid', 'tun');
}

beforeAll(() => {
  mkdirSync(`${workspace}/.devcontainer`);
  const hook = (name: string): string => `echo ${name} >> /var/hooks`;
  const configuration = {
    image: 'workspace-image',
    containerEnv: { OF_CONTAINER: 'set for all' },
    remoteEnv: { OF_REMOTE: '${containerEnv:OF_CONTAINER} processes' },
    mounts: [{ type: 'volume', source: 'devcontainer-cache', target: '/cache' }],
    runArgs: ['--label', 'purpose=a test, "quoted"', '--init'],
    initializeCommand: ['sh', '-c', 'echo initialize >> made-by-host'],
    onCreateCommand: hook('onCreate'),
    updateContentCommand: hook('updateContent'),
    postCreateCommand: { one: hook('postCreate'), other: ['sh', '-c', 'id -u > made-by-container'] },
    postStartCommand: hook('postStart'),
    postAttachCommand: hook('postAttach'),
  };
  writeFileSync(`${workspace}/.devcontainer/devcontainer.json`, JSON.stringify(configuration));
});

describe('a workspace from an image', () => {
  let container = '';
  const hooksOfUp = 'onCreate\nupdateContent\npostCreate\npostStart\npostAttach\n';

  test('up runs the container and the lifecycle commands in order', { timeout: 200_000 }, async (context) => {
    needs(context);
    const image = `${world().registries?.plain ?? ''}/debian:oci-gzip`;
    await skiff.run(['pull', '--quiet', image], { stderr: /^(Warning: [^\n]*device node[^\n]*\n)?$/ });
    await skiff.run(['tag', image, 'workspace-image']);
    const outcome = await up();
    expect(outcome).toMatchObject({
      outcome: 'success',
      remoteUser: 'root',
      remoteWorkspaceFolder: '/workspaces/workspace',
    });
    container = outcome.containerId;
    expect(container).toMatch(/^[0-9a-f]{64}$/);
    expect(await inside('cat /var/hooks made-by-host made-by-container')).toBe(`${hooksOfUp}initialize\n0\n`);
  });

  test('the container is what the configuration says', async (context) => {
    needs(context);
    const format = '{{index .Config.Labels "purpose"}}|{{.HostConfig.Init}}|{{json .Config.Entrypoint}}';
    await skiff.run(['inspect', '--format', format, container], {
      stdout: 'a test, "quoted"|true|["/bin/sh"]\n',
    });
    await skiff.run(['ps', '-q', '--no-trunc', '--filter', `label=devcontainer.local_folder=${workspace}`], {
      stdout: `${container}\n`,
    });
  });

  test('exec: environment, folder, stdin and exit status', async (context) => {
    needs(context);
    expect(await inside('echo $OF_REMOTE; pwd; cat', { stdin: 'typed\n', status: 0 })).toBe(
      'set for all processes\n/workspaces/workspace\ntyped\n',
    );
    await inside('exit 7', { status: 7 });
  });

  test('a second up takes the same container, which need not run', { timeout: 100_000 }, async (context) => {
    needs(context);
    expect((await up()).containerId).toBe(container);
    await skiff.run(['stop', '--time', '5', container], { stdout: `${container}\n` });
    expect((await up()).containerId).toBe(container);
    expect(await inside('cat /var/hooks')).toBe(`${hooksOfUp}postAttach\npostStart\npostAttach\n`);
  });

  test('--remove-existing-container makes another; volumes stay', { timeout: 100_000 }, async (context) => {
    needs(context);
    await inside('echo kept > /cache/file');
    const { containerId } = await up('--remove-existing-container');
    expect(containerId).not.toBe(container);
    await skiff.run(['inspect', container], { status: 1, stdout: '[]\n', stderr: /no such object/ });
    expect(await inside('cat /cache/file /var/hooks')).toBe(`kept\n${hooksOfUp}`);
    await skiff.run(['rm', '--force', containerId], { stdout: `${containerId}\n` });
    await skiff.run(['volume', 'rm', 'devcontainer-cache'], { stdout: 'devcontainer-cache\n' });
  });
});

describe('a workspace from a Dockerfile', () => {
  const dockerfile = (said: string): string =>
    `FROM workspace-image\nARG GREETING=unset\nRUN useradd -m -u 4321 dev && echo "$GREETING ${said}" > /built\nUSER dev\n`;
  const inBuilt = async (command: string): Promise<string> =>
    (await devcontainer(built, 'exec', ['sh', '-c', command])).stdout;
  let container = '';

  beforeAll(() => {
    mkdirSync(`${built}/.devcontainer`);
    writeFileSync(`${built}/.devcontainer/Dockerfile`, dockerfile('once'));
    const configuration = {
      build: { dockerfile: 'Dockerfile', args: { GREETING: 'good day' } },
      postCreateCommand: 'cat /built > from-the-image',
    };
    writeFileSync(`${built}/.devcontainer/devcontainer.json`, JSON.stringify(configuration));
    chmodSync(built, 0o777); // the ids of `dev` are not those of who calls
  });

  test('up builds the image and runs it as its user', { timeout: 300_000 }, async (context) => {
    needs(context);
    const outcome = await upIn(built);
    expect(outcome).toMatchObject({ outcome: 'success', remoteUser: 'dev' });
    container = outcome.containerId;
    expect(await inBuilt('id -un; cat from-the-image')).toBe('dev\ngood day once\n');
  });

  test(
    'another Dockerfile makes another image when the container is made anew',
    { timeout: 300_000 },
    async (context) => {
      needs(context);
      writeFileSync(`${built}/.devcontainer/Dockerfile`, dockerfile('again'));
      const { containerId } = await upIn(built, '--remove-existing-container');
      expect(containerId).not.toBe(container);
      expect(await inBuilt('cat /built')).toBe('good day again\n');
      await skiff.run(['rm', '--force', containerId], { stdout: `${containerId}\n` });
    },
  );
});
