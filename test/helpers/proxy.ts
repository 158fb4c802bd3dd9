// A forward proxy inside the test process: CONNECT tunnels and plain requests, all led to one target whatever name was
// asked for, so that tests can use host names that do not exist.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import { tlsFixture } from './registry.ts';

export interface TestProxy {
  /** `http://127.0.0.1:PORT`, or https:// */
  url: string;
  /** `CONNECT host:port` and `GET http://…`, in order. */
  requests: { line: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

export async function startProxy(
  targetPort: number,
  options: { refuse?: number; tls?: boolean } = {},
): Promise<TestProxy> {
  const requests: TestProxy['requests'] = [];
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const handler = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    requests.push({
      line: `${request.method} ${request.url}`,
      authorization: request.headers['proxy-authorization'],
    });
    const { pathname, search } = new URL(request.url ?? '/', 'http://none');
    const onward = http.request(
      {
        host: '127.0.0.1',
        port: targetPort,
        method: request.method,
        path: pathname + search,
        headers: request.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onward);
  };
  const isTls = options.tls === true;
  const server = isTls
    ? https.createServer(
        { key: readFileSync(tlsFixture('server.key')), cert: readFileSync(tlsFixture('server.crt')) },
        handler,
      )
    : http.createServer(handler);
  server.on('connection', track);
  server.on('secureConnection', track);
  server.on('tlsClientError', () => undefined);
  server.on('connect', (request: http.IncomingMessage, client: Socket) => {
    requests.push({ line: `CONNECT ${request.url}`, authorization: request.headers['proxy-authorization'] });
    if (options.refuse !== undefined) {
      client.end(`HTTP/1.1 ${options.refuse} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const target = net.connect(targetPort, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(target).pipe(client);
    });
    track(target);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${isTls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
