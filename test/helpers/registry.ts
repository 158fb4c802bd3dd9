// A distribution-spec server inside the test process, with hooks for everything that can go wrong. It keeps blobs and
// manifests in memory, checks nothing that a test might want to break, and records each request.

import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/core/digest.ts';
import { MEDIA_TYPE } from '../../src/oci/image.ts';
import type { Descriptor, Platform } from '../../src/oci/image.ts';

/** The path of a file of test/fixtures/tls. */
export function tlsFixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
}

export interface TestRegistryOptions {
  /** `server`, `elsewhere`, `expired`: which certificate; plain http when left out. */
  tls?: 'server' | 'elsewhere' | 'expired' | undefined;
  /** Demand a client certificate signed by the test CA. */
  clientCertificate?: boolean;
  auth?: BasicAuth | BearerAuth;
  /** Answer 200 with the whole blob to a Range. */
  noRanges?: boolean;
  /** Origin blobs are redirected to by 307, with a signature in the query. */
  redirectBlobsTo?: string;
  /** Tags on one page, whatever `n` asks for. */
  pageSize?: number;
  /** Leave out Docker-Content-Digest. */
  noDigestHeader?: boolean;
  host?: '127.0.0.1' | '::1';
  /** A free one when left out. */
  port?: number;
  /** Mount blobs of other repositories. */
  mounts?: boolean;
  /** Close a connection that does not speak HTTP, instead of answering 400. */
  hangUpOnGarbage?: boolean;
}

export interface BasicAuth {
  kind: 'basic';
  user: string;
  password: string;
}

export interface BearerAuth {
  kind: 'bearer';
  /** Without: anybody gets a token. */
  user?: string;
  password?: string;
  /** The identity token that is accepted by POST. */
  identityToken?: string;
  /** Name of the field in the answer. */
  field?: 'token' | 'access_token';
  /** Put in place of the server's own /token. */
  realm?: string;
  /** Requests a token is good for; then it is refused. */
  uses?: number;
  expiresIn?: number;
}

export type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** The right headers, then the connection ends or breaks after so many bytes. */
  | { kind: 'truncate' | 'reset' | 'stall'; afterBytes: number }
  /** Never answers. */
  | { kind: 'hang' }
  /** These bytes in place of the content, with their own Content-Length. */
  | { kind: 'replace'; body: Uint8Array }
  /** These headers over the normal ones. */
  | { kind: 'headers'; headers: Record<string, string> }
  /** Chunked, so that nothing announces the length; cut to `bytes` when given. */
  | { kind: 'chunked'; bytes?: number }
  /** The socket is closed without an answer. */
  | { kind: 'hang-up' }
  /** The connection breaks when so many bytes of the request's body have arrived. */
  | { kind: 'cut-upload'; afterBytes: number }
  | { kind: 'handle'; handle: (request: IncomingMessage, response: ServerResponse) => void };

export interface FaultRule {
  /** Matched against `/v2/…` with its query. */
  path: RegExp;
  method?: string;
  /** How often it strikes; always when left out. */
  times?: number;
  /** How many matching requests pass before it does. */
  after?: number;
  fault: Fault;
}

export interface RecordedRequest {
  method: string;
  path: string;
  headers: http.IncomingHttpHeaders;
  body: string;
  /** The client showed a certificate of the test CA. */
  clientCertificate: boolean;
}

export interface TestImage {
  manifest: Descriptor;
  config: Descriptor;
  layers: Descriptor[];
  /** Content of the layers as stored. */
  blobs: Buffer[];
}

export interface ImageSpec {
  /** Layer blobs as stored, with their types (gzip when left out). */
  layers?: { blob: Uint8Array; mediaType?: string; diffId?: string }[];
  platform?: Platform;
  docker?: boolean;
  config?: Record<string, unknown>;
  /** Merged into the manifest last. */
  manifest?: Record<string, unknown>;
}

export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  host: string;
  origin: string;
  port: number;
  requests: RecordedRequest[];
  /** The requests as `GET /v2/…`, in order. */
  log(): string[];
  /** TCP connections so far. */
  connections(): number;
  addBlob(bytes: Uint8Array, mediaType?: string): Descriptor;
  addManifest(
    repository: string,
    references: string | string[],
    document: unknown,
    mediaType: string,
  ): Descriptor;
  /** Config, layers and manifest under `repository:tag`. */
  addImage(repository: string, tag: string, spec?: ImageSpec): TestImage;
  addIndex(
    repository: string,
    tag: string,
    images: { manifest: Descriptor; platform: Platform }[],
  ): Descriptor;
  /** Stored bytes, to be broken by tests. */
  blobs: Map<string, Buffer>;
  fault(rule: FaultRule): void;
  /** Forgets the rules, used up or not. */
  clearFaults(): void;
  /** Manifests as put or added, by `repository@reference`. */
  manifests: ReadonlyMap<string, { bytes: Buffer; mediaType: string }>;
  close(): Promise<void>;
}

interface StoredManifest {
  bytes: Buffer;
  mediaType: string;
}

export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, StoredManifest>();
  const rules: (FaultRule & { seen: number })[] = [];
  const requests: RecordedRequest[] = [];
  const tokens = new Map<string, { uses: number; scopes: string[] }>();
  const uploads = new Map<string, Buffer>();

  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    const early = nextCut(rules, request.method ?? '', request.url ?? '');
    let taken = 0;
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      taken += chunk.length;
      if (early === undefined || taken < early) return;
      // What has arrived is kept, as registries do.
      keep(request.url ?? '', Buffer.concat(chunks).subarray(0, early));
      request.socket.resetAndDestroy();
    });
    request.on('end', () => {
      const path = request.url ?? '';
      requests.push({
        method: request.method ?? '',
        path,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        clientCertificate: (request.socket as { authorized?: boolean }).authorized === true,
      });
      const others = rules.filter((rule) => rule.fault.kind !== 'cut-upload');
      const fault = nextFault(others, request.method ?? '', path);
      if (fault?.kind === 'hang') return;
      if (fault?.kind === 'hang-up') return void request.socket.destroy();
      if (fault?.kind === 'handle') {
        fault.handle(request, response);
        return;
      }
      const answer = fault?.kind === 'status' ? statusAnswer(fault) : route(request, Buffer.concat(chunks));
      send(request, response, answer, fault);
    });
  };

  const tls = options.tls === undefined ? undefined : tlsOptions(options);
  const server = tls === undefined ? http.createServer(handler) : https.createServer(tls, handler);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', () => connections++);
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }
  server.on('tlsClientError', () => undefined);
  // What Node does by itself: garbage, such as a TLS handshake, gets an answer in plain text.
  server.on('clientError', (_error: Error, socket: Socket) => {
    if (options.hangUpOnGarbage === true) socket.destroy();
    else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  const address = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, address, resolve));
  const { port } = server.address() as AddressInfo;
  const host = `${address === '::1' ? '[::1]' : address}:${port}`;
  const origin = `${tls === undefined ? 'http' : 'https'}://${host}`;

  function keep(path: string, bytes: Buffer): void {
    const id = /\/uploads\/([^/?]+)/.exec(path)?.[1] ?? '';
    const before = uploads.get(id);
    if (before !== undefined) uploads.set(id, Buffer.concat([before, bytes]));
  }

  function route(request: IncomingMessage, body: Buffer): Answer {
    const url = new URL(request.url ?? '/', origin);
    if (url.pathname === '/token') return tokenAnswer(request, url, body.toString());
    const refusal = authorize(request, url);
    if (refusal !== undefined) return refusal;
    if (/^\/v2\/?$/.test(url.pathname)) return json(200, {});
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(url.pathname);
    if (upload !== null) return uploadAnswer(request, upload[1] ?? '', upload[2] ?? '', url, body);
    const match = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(url.pathname);
    if (match === null) return failure(404, 'UNSUPPORTED', 'no such endpoint');
    const [, repository = '', kind, reference = ''] = match;
    if (kind === 'manifests' && request.method === 'PUT') {
      const stored = { bytes: body, mediaType: request.headers['content-type'] ?? '' };
      for (const name of [reference, digestOf(body)]) manifests.set(`${repository}@${name}`, stored);
      return { status: 201, headers: { 'docker-content-digest': digestOf(body) }, body: Buffer.alloc(0) };
    }
    if (kind === 'manifests') return manifestAnswer(repository, reference);
    if (kind === 'tags') return tagsAnswer(repository, url);
    return blobAnswer(request, reference, url);
  }

  function manifestAnswer(repository: string, reference: string): Answer {
    const found = manifests.get(`${repository}@${reference}`);
    if (found === undefined) {
      const isKnown = [...manifests.keys()].some((key) => key.startsWith(`${repository}@`));
      return isKnown
        ? failure(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
        : failure(404, 'NAME_UNKNOWN', 'repository name not known to registry');
    }
    const digest: Record<string, string> =
      options.noDigestHeader === true ? {} : { 'docker-content-digest': digestOf(found.bytes) };
    return { status: 200, headers: { 'content-type': found.mediaType, ...digest }, body: found.bytes };
  }

  function blobAnswer(request: IncomingMessage, reference: string, url: URL): Answer {
    const blob = blobs.get(reference);
    if (blob === undefined) return failure(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    if (options.redirectBlobsTo !== undefined && !url.searchParams.has('signature')) {
      const location = `${options.redirectBlobsTo}${url.pathname}?signature=secret`;
      return { status: 307, headers: { location }, body: Buffer.from('redirecting') };
    }
    const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': reference };
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    if (range === null || options.noRanges === true) return { status: 200, headers, body: blob };
    const start = Number(range[1]);
    if (start >= blob.length) {
      return { status: 416, headers: { 'content-range': `bytes */${blob.length}` }, body: Buffer.alloc(0) };
    }
    const contentRange = `bytes ${start}-${blob.length - 1}/${blob.length}`;
    return {
      status: 206,
      headers: { ...headers, 'content-range': contentRange },
      body: blob.subarray(start),
    };
  }

  function uploadAnswer(
    request: IncomingMessage,
    repository: string,
    id: string,
    url: URL,
    body: Buffer,
  ): Answer {
    const empty = Buffer.alloc(0);
    if (request.method === 'POST') {
      const mounted = url.searchParams.get('mount') ?? '';
      if (options.mounts === true && blobs.has(mounted)) return { status: 201, headers: {}, body: empty };
      const fresh = randomUUID();
      uploads.set(fresh, empty);
      return { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/${fresh}` }, body: empty };
    }
    const before = uploads.get(id);
    if (before === undefined) return failure(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown');
    const location = { location: `/v2/${repository}/blobs/uploads/${id}?state=${before.length}` };
    if (request.method === 'GET')
      return {
        status: 204,
        headers: { ...location, range: `0-${Math.max(0, before.length - 1)}` },
        body: empty,
      };
    const start = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
    if (start !== undefined && Number(start) !== before.length)
      return failure(416, 'BLOB_UPLOAD_INVALID', 'not where the upload stands');
    const now = Buffer.concat([before, body]);
    uploads.set(id, now);
    if (request.method === 'PATCH')
      return { status: 202, headers: { ...location, range: `0-${now.length - 1}` }, body: empty };
    const digest = digestOf(now);
    if (url.searchParams.get('digest') !== digest)
      return failure(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
    uploads.delete(id);
    blobs.set(digest, now);
    return { status: 201, headers: { 'docker-content-digest': digest }, body: empty };
  }

  function tagsAnswer(repository: string, url: URL): Answer {
    const tags = [...manifests.keys()]
      .filter((key) => key.startsWith(`${repository}@`))
      .map((key) => key.slice(repository.length + 1))
      .filter((reference) => !reference.includes(':'))
      .sort();
    if (tags.length === 0) return failure(404, 'NAME_UNKNOWN', 'repository name not known to registry');
    const size = options.pageSize ?? Number(url.searchParams.get('n') ?? tags.length);
    const last = url.searchParams.get('last');
    const rest = last === null ? tags : tags.filter((tag) => tag > last);
    const page = rest.slice(0, size);
    const link: Record<string, string> =
      rest.length > page.length
        ? { link: `<${url.pathname}?n=${size}&last=${page.at(-1)}>; rel="next"` }
        : {};
    const answer = json(200, { name: repository, tags: page });
    return { ...answer, headers: { ...answer.headers, ...link } };
  }

  function authorize(request: IncomingMessage, url: URL): Answer | undefined {
    const { auth } = options;
    if (auth === undefined || url.searchParams.has('signature')) return undefined;
    const given = request.headers.authorization ?? '';
    if (auth.kind === 'basic') {
      if (given === basic(auth.user, auth.password)) return undefined;
      return {
        ...failure(401, 'UNAUTHORIZED', 'authentication required'),
        challenge: 'Basic realm="test registry"',
      };
    }
    const repository = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1] ?? '';
    const isWrite = !['GET', 'HEAD'].includes(request.method ?? '') || url.pathname.includes('/uploads/');
    const scope = `repository:${repository}:${isWrite ? 'pull,push' : 'pull'}`;
    const token = tokens.get(given.replace(/^Bearer /, ''));
    const allows = token?.scopes.some((one) => one === scope || one === `${scope},push`) === true;
    if (token !== undefined && allows && token.uses > 0) {
      token.uses--;
      return undefined;
    }
    const realm = auth.realm ?? `${origin}/token`;
    const challenge = `Bearer realm="${realm}",service="test service",scope="${scope}"`;
    return { ...failure(401, 'UNAUTHORIZED', 'authentication required'), challenge };
  }

  function tokenAnswer(request: IncomingMessage, url: URL, body: string): Answer {
    const { auth } = options;
    if (auth?.kind !== 'bearer') return failure(404, 'UNSUPPORTED', 'no tokens here');
    const form = request.method === 'POST' ? new URLSearchParams(body) : undefined;
    if (form !== undefined) {
      if (form.get('refresh_token') !== auth.identityToken)
        return failure(401, 'UNAUTHORIZED', 'bad identity token');
    } else if (
      auth.user !== undefined &&
      request.headers.authorization !== basic(auth.user, auth.password ?? '')
    ) {
      return failure(401, 'UNAUTHORIZED', 'incorrect username or password');
    }
    const value = `token-${randomUUID()}`;
    const scopes =
      form === undefined ? url.searchParams.getAll('scope') : (form.get('scope') ?? '').split(' ');
    tokens.set(value, { uses: auth.uses ?? Number.POSITIVE_INFINITY, scopes });
    const life = auth.expiresIn === undefined ? {} : { expires_in: auth.expiresIn };
    return json(200, { [auth.field ?? 'token']: value, ...life });
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    answer: Answer,
    fault: Fault | undefined,
  ): void {
    let body = fault?.kind === 'replace' ? Buffer.from(fault.body) : answer.body;
    const headers: Record<string, string> = { ...answer.headers, 'content-length': String(body.length) };
    if (answer.challenge !== undefined) headers['www-authenticate'] = answer.challenge;
    if (fault?.kind === 'headers') Object.assign(headers, fault.headers);
    if (fault?.kind === 'chunked') {
      delete headers['content-length'];
      body = body.subarray(0, fault.bytes ?? body.length);
    }
    response.writeHead(answer.status, headers);
    if (request.method === 'HEAD') return void response.end();
    if (fault?.kind !== 'truncate' && fault?.kind !== 'reset' && fault?.kind !== 'stall')
      return void response.end(body);
    const part = body.subarray(0, fault.afterBytes);
    // Written with a callback, so that the client has a chance to read the part before the connection goes.
    response.write(part.length === 0 ? Buffer.alloc(0) : part);
    response.flushHeaders();
    if (fault.kind === 'stall') return;
    setTimeout(() => (fault.kind === 'reset' ? request.socket.resetAndDestroy() : request.socket.end()), 30);
  }

  const addBlob = (bytes: Uint8Array, mediaType: string = MEDIA_TYPE.layerGzip): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, Buffer.from(bytes));
    return { mediaType, digest, size: bytes.length };
  };

  const addManifest: TestRegistry['addManifest'] = (repository, references, document, mediaType) => {
    const bytes = Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const reference of [references, digest].flat())
      manifests.set(`${repository}@${reference}`, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  };

  const addImage: TestRegistry['addImage'] = (repository, tag, spec = {}) => {
    const { docker = false, platform = { os: 'linux', architecture: 'amd64' } } = spec;
    const layers: NonNullable<ImageSpec['layers']> = spec.layers ?? [{ blob: gzipSync(Buffer.alloc(1024)) }];
    const config = addBlob(
      Buffer.from(
        JSON.stringify({
          ...platform,
          config: { Cmd: ['sh'] },
          rootfs: { type: 'layers', diff_ids: layers.map(({ blob, diffId }) => diffId ?? digestOf(blob)) },
          ...spec.config,
        }),
      ),
      docker ? MEDIA_TYPE.dockerConfig : MEDIA_TYPE.config,
    );
    const layerType = docker ? MEDIA_TYPE.dockerLayerGzip : MEDIA_TYPE.layerGzip;
    const descriptors = layers.map(({ blob, mediaType }) => addBlob(blob, mediaType ?? layerType));
    const mediaType = docker ? MEDIA_TYPE.dockerManifest : MEDIA_TYPE.manifest;
    const document = { schemaVersion: 2, mediaType, config, layers: descriptors, ...spec.manifest };
    const manifest = addManifest(repository, tag, document, mediaType);
    return { manifest, config, layers: descriptors, blobs: layers.map(({ blob }) => Buffer.from(blob)) };
  };

  return {
    host,
    origin,
    port,
    requests,
    blobs,
    connections: () => connections,
    log: () => requests.map(({ method, path }) => `${method} ${path}`),
    addBlob,
    addManifest,
    addImage,
    addIndex(repository, tag, images) {
      const list = images.map(({ manifest, platform }) => ({ ...manifest, platform }));
      return addManifest(
        repository,
        tag,
        { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: list },
        MEDIA_TYPE.index,
      );
    },
    manifests,
    fault: (rule) => void rules.push({ ...rule, seen: 0 }),
    clearFaults: () => void rules.splice(0),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Rules that must be known before the body is there. */
function nextCut(rules: (FaultRule & { seen: number })[], method: string, path: string): number | undefined {
  const cuts = rules.filter(({ fault }) => fault.kind === 'cut-upload');
  const fault = nextFault(cuts, method, path);
  return fault?.kind === 'cut-upload' ? fault.afterBytes : undefined;
}

/** `size` bytes that do not compress and are the same each time. */
export function pseudoRandom(size: number, seed = 'skiff'): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < size; i++) parts.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  challenge?: string;
}

function nextFault(rules: (FaultRule & { seen: number })[], method: string, path: string): Fault | undefined {
  for (const rule of rules) {
    if (!rule.path.test(path) || (rule.method !== undefined && rule.method !== method)) continue;
    const turn = rule.seen - (rule.after ?? 0);
    rule.seen++;
    if (turn >= 0 && turn < (rule.times ?? Number.POSITIVE_INFINITY)) return rule.fault;
  }
  return undefined;
}

function statusAnswer({ status, headers = {}, body = '' }: Extract<Fault, { kind: 'status' }>): Answer {
  return { status, headers, body: Buffer.from(body) };
}

function json(status: number, document: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(document)),
  };
}

function failure(status: number, code: string, message: string): Answer {
  return json(status, { errors: [{ code, message }] });
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function tlsOptions({ tls = 'server', clientCertificate = false }: TestRegistryOptions): https.ServerOptions {
  return {
    key: readFileSync(tlsFixture(`${tls}.key`)),
    cert: readFileSync(tlsFixture(`${tls}.crt`)),
    ca: readFileSync(tlsFixture('ca.crt')),
    requestCert: true,
    rejectUnauthorized: clientCertificate,
  };
}
