// What the parts of the registry client say to each other and to the rows above. Types alone.

import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../core/config.ts';
import type { Digest } from '../core/digest.ts';
import type { Log } from '../core/log.ts';
import type { ImageReference } from '../core/reference.ts';
import type { Descriptor } from '../oci/image.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** The registry part of a command line: the flags pull, push, login and build share. */
export interface RegistryOptions {
  /** --creds USER[:PASSWORD] */
  creds?: string | undefined;
  /** --authfile */
  authFile?: string | undefined;
  /** --cert-dir: *.crt are CAs, *.cert and *.key client certificates. */
  certDir?: string | undefined;
  /** --tls-verify. Undefined: verified, save for loopback and registries marked insecure. */
  tlsVerify?: boolean | undefined;
  /** --retry: how often a request that failed in a passing way is sent again. */
  retries?: number | undefined;
  /** --retry-delay: first delay, in milliseconds. */
  retryDelayMs?: number | undefined;
}

/** Time limits in milliseconds. */
export interface Timeouts {
  /** TCP, TLS and proxy handshakes together. */
  connectMs: number;
  /** From the request to the first header; a pull-through cache may have to fetch first. */
  headersMs: number;
  /** Longest pause between two pieces of a body. */
  stallMs: number;
}

export interface RegistryParts {
  config: Pick<Config, 'offline' | 'mirrors' | 'insecureRegistries'>;
  env: Env;
  log: Log;
  options?: RegistryOptions | undefined;
  /** First words of every error: `pulling`, `pushing`. */
  doing?: string | undefined;
  signal?: AbortSignal | undefined;
  userAgent?: string | undefined;
  timeouts?: Partial<Timeouts> | undefined;
  /** Home directory for credentials and certificates when HOME is not set. */
  home?: string | undefined;
  /** For tests: waits without a clock. */
  sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  /** `pulling "alpine:3"`: begins the message of whatever goes wrong. */
  context: string;
  method: Method;
  url: URL;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array | undefined;
  /** In place of `body`. Such a request is sent once: what the other side has of it after a failure is for the caller to ask. */
  upload?: Upload | undefined;
  signal?: AbortSignal | undefined;
}

/** A body that is made as it is sent. */
export interface Upload {
  /** Begins anew at each call. */
  open(): AsyncIterable<Uint8Array>;
  /** Undefined: sent in chunks until it ends. */
  sizeBytes: number | undefined;
}

/** Bytes of an answer, exactly as sent (never decompressed). Read it or discard it, once. */
export interface Body extends AsyncIterable<Uint8Array> {
  /** Frees the connection, for re-use when little is left of the body. */
  discard(): Promise<void>;
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Where the answer came from, after redirects. */
  url: URL;
  method: Method;
  body: Body;
}

/** One wrapper of the chain: auth(retry(scheme(redirect(wire)))). Throws NetworkError or EngineError. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>;

export interface FetchedManifest {
  /** mediaType is the checked type of the content; digest and size are those of `bytes`. */
  descriptor: Descriptor;
  bytes: Uint8Array;
}

export interface BlobOptions {
  /** Bytes of the blob the caller has already: the first byte wanted. */
  offset?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Ask the registry itself, because what a mirror sent was wrong. */
  skipMirrors?: boolean | undefined;
}

export interface BlobStream {
  /** False when the registry sent the whole blob although a part was asked for; the client skipped the rest. */
  rangeHonoured: boolean;
  /** Exactly the bytes from `offset` to the end: breaks are mended inside by reconnecting. Not checked against the digest. */
  body: AsyncIterable<Uint8Array>;
}

/** A blob that is to be in a registry. */
export interface BlobSource {
  /** Content from `offset` on; may be asked for several times. */
  open(offset: number): AsyncIterable<Uint8Array>;
  /** Undefined: known when it has been read. */
  descriptor: { digest: Digest; size: number } | undefined;
}

export type UploadOutcome = 'present' | 'pushed' | { mountedFrom: string };

export interface UploadOptions {
  /** Repositories of the same registry that may have the blob. */
  mountFrom?: readonly string[];
  /** Bytes that the registry has by now; less than before when it began anew. */
  onProgress?: (doneBytes: number) => void;
  /** Of a source without a descriptor: what it came to, once all was read. */
  finish?: () => { digest: Digest; size: number };
}

export interface RegistryClient {
  /**
   * The descriptor a tag points at, without its content (HEAD, which docker.io does not count as a pull).
   * @throws RegistryError, NetworkError, OFFLINE, AUTH_FAILED
   */
  resolve(ref: ImageReference): Promise<Descriptor>;
  /** A manifest or index by digest, else by tag, checked against its digest. The same errors and DIGEST_MISMATCH, IMAGE_INVALID. */
  fetchManifest(ref: ImageReference): Promise<FetchedManifest>;
  /** A blob as stream: see BlobStream. SIZE_MISMATCH when it is longer or shorter than its descriptor says. */
  fetchBlob(ref: ImageReference, blob: Descriptor, options?: BlobOptions): Promise<BlobStream>;
  /** A small blob (an image config), checked against size and digest. */
  fetchBlobBytes(ref: ImageReference, blob: Descriptor, options?: BlobOptions): Promise<Uint8Array>;
  /** Whether the registry takes the login. @throws AUTH_FAILED when it does not; RegistryError, NetworkError, OFFLINE */
  checkLogin(registry: string): Promise<void>;
  /** Whether the repository has the blob already. */
  hasBlob(ref: ImageReference, digest: Digest): Promise<boolean>;
  /**
   * Puts a blob into the repository, unless it is there. Uploads that break off go on where the registry has them.
   * @throws RegistryError, NetworkError, OFFLINE, AUTH_FAILED, what `source` throws
   */
  uploadBlob(ref: ImageReference, source: BlobSource, options?: UploadOptions): Promise<UploadOutcome>;
  /** A manifest or index under the tag or digest of `ref`. The same errors. */
  putManifest(ref: ImageReference, manifest: { bytes: Uint8Array; mediaType: string }): Promise<void>;
  /** All tags, page by page, in the registry's order. */
  listTags(ref: ImageReference): AsyncIterable<string>;
  /** Closes idle connections. The client stays usable. */
  close(): void;
}
