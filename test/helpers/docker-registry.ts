// Starts Debian's docker-registry on a free loopback port over a folder, as itself or behind a password or TLS.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, closeSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { exec } from './exec.ts';

export const PASSWORD_USER = 'alice';
export const PASSWORD = 's3cret';

export interface RegistryOptions {
  /** Where blobs and manifests are. */
  data: string;
  /** Scratch folder of this process: configuration and log. */
  dir: string;
  readOnly?: boolean;
  /** Ask for `PASSWORD_USER` and `PASSWORD` by basic authentication. */
  password?: boolean;
  tls?: { certificate: string; key: string };
}

export interface RunningRegistry {
  /** `127.0.0.1:PORT` */
  address: string;
  /** The access log, one request a line (`combined` format), and errors. */
  logFile: string;
  stop(): Promise<void>;
}

export async function startDockerRegistry(options: RegistryOptions): Promise<RunningRegistry> {
  const { data, dir, readOnly = false, password = false, tls } = options;
  mkdirSync(dir, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  const config: Record<string, unknown> = {
    version: 0.1,
    log: { level: 'warn' },
    storage: {
      filesystem: { rootdirectory: data },
      ...(readOnly ? { maintenance: { readonly: { enabled: true } } } : { delete: { enabled: true } }),
    },
    http: { addr: address, secret: 'for tests', ...(tls ? { tls } : {}) },
  };
  if (password) {
    const file = `${dir}/htpasswd`;
    writeFileSync(file, await exec('htpasswd', ['-nbB', '-C', '4', PASSWORD_USER, PASSWORD]));
    config['auth'] = { htpasswd: { realm: 'skiff tests', path: file } };
  }
  writeFileSync(`${dir}/config.yml`, JSON.stringify(config)); // JSON is YAML
  const logFile = `${dir}/log`;
  const log = openSync(logFile, 'a');
  const child = spawn('docker-registry', ['serve', `${dir}/config.yml`], {
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' },
  });
  closeSync(log);
  await answers(address, tls !== undefined, child, logFile);
  return { address, logFile, stop: () => stop(child) };
}

/** A port nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function answers(address: string, https: boolean, child: ChildProcess, logFile: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (await ping(`${https ? 'https' : 'http'}://${address}/v2/`)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop(child);
  throw new Error(`docker-registry did not start: see ${logFile}`);
}

function ping(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { timeout: 1000, rejectUnauthorized: false };
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, options, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('error', () => resolve(false));
    request.end();
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.on('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
