// Networks of a foreground container: outbound and published ports over pasta or slirp4netns, none, host, container:ID.

import { createServer, connect, type AddressInfo } from 'node:net';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sandbox } from '../helpers/engine.ts';
import { freePort } from '../helpers/docker-registry.ts';
import { requires } from '../helpers/requires.ts';
import { world } from '../helpers/world.ts';
import { processesOf } from '../helpers/leaks.ts';

const skiff = sandbox({ sharedStore: true });

test('none: loopback alone, and it is up', async () => {
  const script =
    'ls /sys/class/net; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo up; wget -T 1 -q http://192.0.2.1/ || echo unreachable';
  await skiff.run(['run', '--rm', '--network', 'none', 'busybox', 'sh', '-c', script], {
    stdout: 'lo\nup\nunreachable\n',
    stderr: /^/,
  });
});

test('host: the network of the caller', async () => {
  const server = createServer((socket) => socket.end('from the host\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await skiff.run(['run', '--rm', '--network', 'host', 'busybox', 'nc', '127.0.0.1', String(port)], {
      stdout: 'from the host\n',
    });
  } finally {
    server.close();
  }
});

describe('default', () => {
  test('an address, a route, a name server', async (context) => {
    requires(context, 'tun');
    const script =
      'ip -o -4 addr show scope global | wc -l; ip route | grep -c ^default; grep -c ^nameserver /etc/resolv.conf';
    const { stdout } = await skiff.run(['run', '--rm', 'busybox', 'sh', '-c', script]);
    expect(stdout).toMatch(/^[1-9]\n1\n[1-9]\n$/);
  });

  test('is there before the command starts, 10 times', async (context) => {
    requires(context, 'tun');
    for (let i = 0; i < 10; i++) {
      await skiff.run(['run', '--rm', 'busybox', 'sh', '-c', 'ip route | grep -c ^default'], {
        stdout: '1\n',
      });
    }
  });

  test('with ids of a keep-id map, by either program, 10 times', async (context) => {
    requires(context, 'tun', 'subuid');
    for (let i = 0; i < 10; i++) {
      await skiff.run(['run', '--rm', '--userns', 'keep-id', 'busybox', 'true'], {
        stderr: i === 0 ? /^/ : '',
      });
    }
    await skiff.run(['run', '--rm', '--network', 'slirp4netns', '--userns', 'keep-id', 'busybox', 'true']);
  });

  test('ends with the container, however that ends', async (context) => {
    requires(context, 'tun');
    const before = new Set(processesOf(skiff.user).map(({ key }) => key));
    const left = () => processesOf(skiff.user).filter(({ key }) => !before.has(key));
    await skiff.run(['run', '--rm', 'busybox', 'true']);
    await expect.poll(left, { timeout: 3000 }).toEqual([]);
    const running = skiff.start(['run', '--rm', 'busybox', 'sh', '-c', 'echo ready; sleep 100']);
    await running.waitForStdout(/ready/);
    running.child.kill('SIGKILL');
    await running.result;
    await expect.poll(left, { timeout: 3000 }).toEqual([]);
  });

  test('names of the mirror resolve', async (context) => {
    requires(context, 'tun', 'debian-mirror');
    await skiff.run(['run', '--rm', 'busybox', 'nslookup', 'deb.debian.org'], {
      stdout: /Address/i,
      stderr: /^/,
    });
  });
});

describe('-p', () => {
  test('tcp on loopback', async (context) => {
    requires(context, 'tun');
    const port = await freePort();
    const running = skiff.start([
      'run',
      '--rm',
      '-p',
      `127.0.0.1:${port}:8000`,
      'busybox',
      'sh',
      '-c',
      'echo ready; echo answer | nc -l -p 8000',
    ]);
    await running.waitForStdout(/ready/);
    expect(await ask(port)).toBe('answer\n');
    expect(await running.result).toMatchObject({ status: 0, stderr: '' });
  });

  test('udp', async (context) => {
    requires(context, 'tun', 'static-tools');
    const port = await freePort(); // old versions of pasta cannot change the number of a udp port on loopback
    const flags = [
      '-p',
      `127.0.0.1:${port}:${port}/udp`,
      '-v',
      `${world().fixtures.udpOnce ?? ''}:/udp-once:ro`,
    ];
    const running = skiff.start(['run', '--rm', ...flags, 'busybox', '/udp-once', String(port)]);
    await running.waitForStdout(/ready/);
    const socket = createSocket('udp4');
    const answer = new Promise<string>((resolve) =>
      socket.once('message', (message) => resolve(message.toString())),
    );
    let word = 'hello';
    const timer = setInterval(() => socket.send(word, port, '127.0.0.1'), 200);
    expect(await answer).toBe('hello');
    word = 'bye';
    const result = await running.result;
    clearInterval(timer);
    socket.close();
    expect(result).toMatchObject({ status: 0, stdout: 'ready\nhello\n' });
  });

  test('a range, and a random port that is told', async (context) => {
    requires(context, 'tun');
    const port = await freePort();
    const name = 'ports';
    const running = skiff.start([
      'run',
      '--name',
      name,
      '-p',
      `127.0.0.1:${port}-${port + 1}:8000-8001`,
      '-p',
      '127.0.0.1::8002',
      'busybox',
      'sh',
      '-c',
      'for p in 8000 8001 8002; do (echo $p | nc -l -p $p) & done; echo ready; wait',
    ]);
    await running.waitForStdout(/ready/);
    const { stdout } = await skiff.run(['inspect', '--format', '{{json .NetworkSettings.Ports}}', name]);
    const ports = JSON.parse(stdout) as Record<string, { HostIp: string; HostPort: string }[]>;
    expect(await ask(port)).toBe('8000\n');
    expect(await ask(port + 1)).toBe('8001\n');
    expect(await ask(Number(ports['8002/tcp']?.[0]?.HostPort))).toBe('8002\n');
    await running.result;
    await skiff.run(['rm', name], { stdout: `${name}\n` });
  });

  test('a port that is taken: 125, the port is named, nothing runs', async (context) => {
    requires(context, 'tun');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await skiff.run(['run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'echo', 'ran'], {
        status: 125,
        stdout: '',
        stderr: new RegExp(String(port)),
      });
    } finally {
      server.close();
    }
  });

  test('with none it is said that it has no effect, or refused', async () => {
    await skiff.run(['run', '--rm', '--network', 'none', '-p', '8080:80', 'busybox', 'true'], {
      status: null,
      stderr: /publish|port|-p/i,
    });
  });
});

test('container:ID shares the network of a running container', async () => {
  const cidfile = `${skiff.dir}/home/net-id`;
  const server = skiff.start([
    'run',
    '--rm',
    '--network',
    'none',
    '--cidfile',
    cidfile,
    'busybox',
    'sh',
    '-c',
    'echo ready; echo shared | nc -l -p 8000',
  ]);
  await server.waitForStdout(/ready/);
  const id = readFileSync(cidfile, 'utf8').trim();
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  await skiff.run(['run', '--rm', '--network', `container:${id}`, 'busybox', 'nc', '127.0.0.1', '8000'], {
    stdout: 'shared\n',
  });
  expect(await server.result).toMatchObject({ status: 0, stderr: '' });
});

/** What a server on a loopback port sends; tried until it listens. */
async function ask(port: number): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1');
      socket.setTimeout(2000, () => socket.destroy());
      socket.on('data', (part: Buffer) => (text += part.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });
    if (answer !== '') return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return '';
}
