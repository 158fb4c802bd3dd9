// No answer: DNS, connect, TLS, resets, time-outs. Turns the errors of node:net and node:tls (and those of Bun, whose
// codes differ for TLS) into one class with a kind to decide on, and a hint.

import { EngineError } from '../core/errors.ts';
import { printable } from './redact.ts';
import type { HttpRequest } from './types.ts';

export type NetworkErrorKind =
  | 'dns'
  | 'refused'
  | 'unreachable'
  | 'timeout' // no connection or no answer in time
  | 'stalled' // a body stopped coming
  | 'reset' // also a body cut off
  | 'certificate'
  | 'not-tls' // the other side does not speak TLS
  | 'tls'
  | 'proxy'
  | 'other';

/** A request without a (whole) answer. `retryable` is true when the same request may work a moment later. */
export class NetworkError extends EngineError {
  readonly kind: NetworkErrorKind;
  readonly host: string;
  readonly retryable: boolean;
  /** It broke before any answer on a connection that had served before. */
  onReusedConnection = false;

  constructor(request: Pick<HttpRequest, 'context' | 'url'>, failure: Failure, cause?: unknown) {
    super('NETWORK_FAILED', `${request.context}: ${failure.text}`, { hint: failure.hint, cause });
    this.name = 'NetworkError';
    this.kind = failure.kind;
    this.host = request.url.host;
    this.retryable = failure.retryable ?? false;
  }
}

export interface Failure {
  kind: NetworkErrorKind;
  text: string;
  hint?: string | undefined;
  retryable?: boolean;
}

const UNKNOWN_CA = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_UNTRUSTED',
]);
const BAD_CERTIFICATE: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  HOSTNAME_MISMATCH: 'its certificate is for another name',
  CERT_SIGNATURE_FAILURE: 'its certificate has a wrong signature',
  INVALID_CA: 'its certificate was signed by something that is not a CA',
  INVALID_PURPOSE: 'its certificate is not meant for servers',
};

/** Maps what node:http(s) reported for `request` before any answer. */
export function networkError(
  request: Pick<HttpRequest, 'context' | 'url'>,
  error: unknown,
  inHandshake: boolean,
) {
  if (error instanceof EngineError) return error;
  return new NetworkError(request, classify(request.url, error, inHandshake), error);
}

/** ERR_SOCKET_CLOSED is Bun's word for a connection that ends during the TLS handshake. */
const CLOSED = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ERR_SOCKET_CLOSED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

function classify(url: URL, error: unknown, inHandshake: boolean): Failure {
  const code = codeOf(error);
  const host = JSON.stringify(url.host);
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return {
        kind: 'dns',
        text: `the host name ${JSON.stringify(url.hostname)} is not known (DNS)`,
        hint: 'check the spelling of the registry, the network connection and /etc/resolv.conf',
      };
    case 'EAI_AGAIN':
    case 'ESERVFAIL':
    case 'ETIMEOUT':
      return {
        kind: 'dns',
        text: `no name server answered for ${JSON.stringify(url.hostname)} (${code})`,
        hint: 'check the network connection and /etc/resolv.conf',
        retryable: true,
      };
    case 'ECONNREFUSED':
      return {
        kind: 'refused',
        text: `${host} refuses the connection`,
        hint: `check that a registry listens on ${url.host} and that a firewall lets it through`,
      };
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
      return {
        kind: 'unreachable',
        text: `there is no route to ${host} (${code})`,
        hint: 'check the network connection; behind a proxy, set HTTPS_PROXY',
      };
    case 'ETIMEDOUT':
      return timeoutFailure(url);
    case 'EACCES':
    case 'EPERM':
      return { kind: 'other', text: `connecting to ${host} is not permitted (${code})` };
  }
  if (UNKNOWN_CA.has(code)) return unknownCa(url, code);
  const bad = BAD_CERTIFICATE[code];
  if (bad !== undefined) {
    const clock = code.startsWith('CERT_')
      ? 'check the clock of this machine, else the certificate has to be renewed'
      : undefined;
    return { kind: 'certificate', text: `${host} cannot be trusted: ${bad} (${code})`, hint: clock };
  }
  // With TLS 1.3 a server looks at the client's certificate after the handshake, as the client sees it.
  if (/^ERR_SSL_.*(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|ALERT_UNKNOWN_CA)/.test(code))
    return clientCertificate(url);
  if (inHandshake && url.protocol === 'https:') return handshakeFailure(url, code, error);
  if (CLOSED.has(code)) {
    return { kind: 'reset', text: `${host} closed the connection (${code})`, retryable: true };
  }
  if (code.startsWith('HPE_')) return { kind: 'other', text: `${host} does not speak HTTP (${code})` };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'other', text: `the request to ${host} failed: ${printable(message)}` };
}

export function timeoutFailure(url: URL): Failure {
  return {
    kind: 'timeout',
    text: `${JSON.stringify(url.host)} does not answer`,
    hint: 'check the network connection; behind a proxy, set HTTPS_PROXY',
    retryable: true,
  };
}

function handshakeFailure(url: URL, code: string, error: unknown): Failure {
  const host = JSON.stringify(url.host);
  // OpenSSL (Node) says EPROTO, BoringSSL (Bun) names the reason; both mean that the first bytes were no TLS record.
  const message = error instanceof Error ? error.message : '';
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_HTTP_REQUEST' ||
    /wrong version number|packet length too long/i.test(message)
  ) {
    return {
      kind: 'not-tls',
      text: `${host} does not speak TLS, it seems to be a plain http registry`,
      hint: `if that is intended, pass --tls-verify=false or set SKIFF_INSECURE_REGISTRIES=${url.host}`,
    };
  }
  if (CLOSED.has(code)) {
    return { kind: 'reset', text: `${host} closed the connection during the TLS handshake`, retryable: true };
  }
  return { kind: 'tls', text: `no TLS connection to ${host}: ${printable(code || message)}` };
}

function clientCertificate(url: URL): Failure {
  return {
    kind: 'tls',
    text: `${JSON.stringify(url.host)} asks for a client certificate`,
    hint: `put client.cert and client.key into ~/.config/containers/certs.d/${url.host} or pass --cert-dir`,
  };
}

function unknownCa(url: URL, code: string): Failure {
  return {
    kind: 'certificate',
    text: `${JSON.stringify(url.host)} cannot be trusted: its certificate was signed by an unknown authority (${code})`,
    hint: `put the CA into ~/.config/containers/certs.d/${url.host}/ca.crt (or /etc/containers/certs.d), or pass --cert-dir; --tls-verify=false turns the check off`,
  };
}

/** `code` of a system error; happy eyeballs hides it in the first of an AggregateError's errors. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
}
