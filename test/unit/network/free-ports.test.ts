// Against the real host's loopback.

import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, portError } from '../../../src/network/free-ports.ts';
import { parsePublish } from '../../../src/network/publish.ts';

let server: Server;
let socket: Socket;
let tcp: number;
let udp: number;

beforeAll(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  tcp = (server.address() as { port: number }).port;
  socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind({ address: '127.0.0.1', port: 0 }, resolve));
  udp = socket.address().port;
});

afterAll(() => {
  server.close();
  socket.close();
});

const free = (...texts: string[]) => freePorts(texts.flatMap(parsePublish));

describe('freePorts', () => {
  it('gives free ones, each once', async () => {
    const ports = await free('127.0.0.1::80', '127.0.0.1::80', '127.0.0.1::53/udp');
    expect(ports.every(({ hostPort }) => hostPort > 1023)).toBe(true);
    expect(ports[0]!.hostPort).not.toBe(ports[1]!.hostPort);
    expect(ports[2]).toMatchObject({ hostIp: '127.0.0.1', containerPort: 53, protocol: 'udp' });
  });

  it('names the holder of a port', async () => {
    await expect(free(`127.0.0.1:${tcp}:80`)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(
        new RegExp(
          `^publishing port 127.0.0.1:${tcp}/tcp: port is already allocated \\(by .+, pid ${process.pid}\\)$`,
        ),
      ) as string,
    });
    await expect(free(`127.0.0.1:${udp}:80/udp`)).rejects.toThrow(/already allocated/);
    await expect(free(`${tcp}:80`)).rejects.toThrow(
      `publishing port 0.0.0.0:${tcp}/tcp: port is already allocated`,
    );
  });

  it('takes another one of a range, and the other protocol', async () => {
    const [port] = await free(`127.0.0.1:${tcp}-${tcp + 20}:80`);
    expect(port!.hostPort).toBeGreaterThan(tcp);
    expect(await free(`127.0.0.1:${tcp}:80/udp`)).toHaveLength(1);
  });

  it('refuses one port twice', async () => {
    const [port] = await free('127.0.0.1::80');
    const text = `127.0.0.1:${port!.hostPort}:80`;
    await expect(free(text, text)).rejects.toThrow(/published twice/);
    await expect(free(text, `${port!.hostPort}:81`)).rejects.toThrow(/published twice/);
  });

  it('refuses an address of another host', async () => {
    await expect(free('198.51.100.7:8080:80')).rejects.toThrow(/no interface of this host has the address/);
  });

  it('says the sysctl for a low port', () => {
    const [mapping] = parsePublish('80:80');
    const error = portError(mapping!, '0.0.0.0', Object.assign(new Error('bind'), { code: 'EACCES' }));
    expect(error).toMatchObject({
      message: 'publishing port 0.0.0.0:80/tcp: ports below 1024 need rights that this user does not have',
      hint: 'sudo sysctl net.ipv4.ip_unprivileged_port_start=80, or publish on 1024 and above',
    });
  });
});
