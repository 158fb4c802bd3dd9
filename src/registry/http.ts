// One request on the wire: no retries, no redirects, no credentials of its own. The lowest part of the chain, and the
// only one that opens sockets; it refuses when skiff is told to be offline.

import http from 'node:http';
import https from 'node:https';
import { EngineError } from '../core/errors.ts';
import { cancelled, streamBody } from './body.ts';
import { MAX_IDLE, ProxyProblem, createConnector, proxyAuthorization } from './connect.ts';
import { isInsecure } from './endpoints.ts';
import { homeDir } from './env.ts';
import { NetworkError, networkError, timeoutFailure } from './network-error.ts';
import { proxyFor } from './proxy.ts';
import { createTrust } from './trust.ts';
import type { HttpRequest, HttpResponse, RegistryParts, Send, Timeouts, Upload } from './types.ts';

export const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 15_000, headersMs: 60_000, stallMs: 30_000 };

export interface Wire {
  send: Send;
  close(): void;
}

/** `ownHosts`: hosts (`host[:port]`) that get the client certificate of --cert-dir; filled while registries are opened. */
export function createWire(parts: RegistryParts, ownHosts: ReadonlySet<string>): Wire {
  const { config, env, log, options = {} } = parts;
  const timeouts = { ...DEFAULT_TIMEOUTS, ...parts.timeouts };
  const home = homeDir(env, parts.home);
  const trust = createTrust({ env, home, certDir: options.certDir, log });
  const connector = createConnector({ trust, connectMs: timeouts.connectMs });
  return {
    close: () => connector.close(),
    send(request) {
      if (config.offline) {
        throw new EngineError('OFFLINE', `${request.context}: skiff is told to stay offline`, {
          hint: 'unset SKIFF_OFFLINE (or offline in skiff.conf) to allow requests to registries',
        });
      }
      if (request.signal?.aborted === true) throw cancelled(request);
      const { url } = request;
      const proxy = proxyFor(url, env);
      const verify = !isInsecure(url.host, config, options);
      const agent = connector.agentFor({ url, proxy, verify, isOwnHost: ownHosts.has(url.host) });
      return exchangeFresh(request, { agent, proxy, timeouts });
    },
  };
}

/** As many idle connections as the pool keeps, and one more. */
const MAX_STALE = MAX_IDLE + 1;

interface Route {
  agent: http.Agent;
  proxy: URL | undefined;
  timeouts: Timeouts;
}

/**
 * A kept-alive connection may be closed by the other side at the moment it is used again: that says nothing about the
 * registry, and another connection is tried at once. Several of the pool may be dead together.
 */
async function exchangeFresh(request: HttpRequest, route: Route): Promise<HttpResponse> {
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  for (let attempt = 1; ; attempt++) {
    try {
      return await exchange(request, route);
    } catch (error) {
      const isStale = error instanceof NetworkError && error.onReusedConnection && error.kind === 'reset';
      if (!isStale || !isSafe || attempt === MAX_STALE) throw error;
    }
  }
}

function exchange(request: HttpRequest, { agent, proxy, timeouts }: Route): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const { url, signal } = request;
    let inHandshake = true;
    let answered = false;
    let timer = setTimeout(giveUp, timeouts.connectMs);
    const message = open(request, agent, proxy);

    function giveUp(): void {
      message.destroy(new NetworkError(request, timeoutFailure(url)));
    }
    function abort(): void {
      message.destroy(cancelled(request));
    }
    function connected(): void {
      inHandshake = false;
      clearTimeout(timer);
      timer = setTimeout(giveUp, timeouts.headersMs);
    }
    /** The body goes on: the answer may take its time from here. */
    function uploading(): void {
      if (!inHandshake && !answered) connected();
    }

    signal?.addEventListener('abort', abort, { once: true });
    message.once('socket', (socket) => {
      // Sockets through a proxy arrive connected, kept-alive ones too.
      if (socket.connecting) socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
      else if (url.protocol === 'https:' && 'encrypted' in socket && !isSecure(socket))
        socket.once('secureConnect', connected);
      else connected();
    });
    message.once('response', (response) => {
      clearTimeout(timer);
      inHandshake = false;
      answered = true;
      response.once('close', () => signal?.removeEventListener('abort', abort));
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        url,
        method: request.method,
        body: streamBody(request, response, timeouts.stallMs),
      });
    });
    // Stays for the life of the request: after the response, errors come on the body, and here once more.
    message.on('error', (error) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      const failure = wireError(request, error, inHandshake);
      if (failure instanceof NetworkError) failure.onReusedConnection = message.reusedSocket;
      reject(failure);
    });
    if (request.upload === undefined) message.end(request.body);
    else void sendUpload(message, request.upload, uploading);
  });
}

/** No further than the socket takes it. Ends quietly when the other side has answered or gone: that is told elsewhere. */
async function sendUpload(message: http.ClientRequest, upload: Upload, progress: () => void): Promise<void> {
  let answered = false;
  message.once('response', () => (answered = true));
  try {
    for await (const chunk of upload.open()) {
      if (message.destroyed || answered) return;
      progress();
      if (!message.write(chunk)) await drained(message);
    }
    if (!message.destroyed) message.end();
  } catch (error) {
    message.destroy(error as Error);
  }
}

function drained(message: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      message.off('drain', done).off('close', done).off('response', done);
      resolve();
    };
    message.once('drain', done).once('close', done).once('response', done);
  });
}

function open(request: HttpRequest, agent: http.Agent, proxy: URL | undefined): http.ClientRequest {
  const { url, method } = request;
  const headers: Record<string, string> = { 'accept-encoding': 'identity', ...request.headers };
  const size = request.body?.length ?? request.upload?.sizeBytes;
  if (size !== undefined) headers['content-length'] = String(size);
  if (url.protocol === 'https:') return https.request(url, { method, headers, agent });
  if (proxy === undefined) return http.request(url, { method, headers, agent });
  // RFC 9112, 3.2.2: a proxy is asked with the whole URL.
  return http.request({
    method,
    agent,
    host: proxy.hostname,
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    path: url.href,
    headers: { ...headers, host: url.host, ...proxyAuthorization(proxy) },
  });
}

function wireError(request: HttpRequest, error: unknown, inHandshake: boolean): Error {
  if (error instanceof EngineError && !(error instanceof NetworkError)) return error; // of what makes the body
  if (error instanceof ProxyProblem) {
    return new NetworkError(request, {
      kind: 'proxy',
      text: `the proxy ${JSON.stringify(error.proxy)} ${error.message}`,
      hint: 'check HTTPS_PROXY and HTTP_PROXY; hosts to reach directly belong into NO_PROXY',
    });
  }
  return networkError(request, error, inHandshake);
}

function isSecure(socket: object): boolean {
  return (socket as { secureConnecting?: boolean }).secureConnecting !== true;
}
