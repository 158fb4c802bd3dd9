// Questions about host names and addresses. Pure; no name is ever looked up here.

import { isIP } from 'node:net';

/** `[::1]` → `::1`. */
export function stripBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** localhost, 127.0.0.0/8 and ::1, as docker sees it: a registry there may speak plain http. */
export function isLoopback(hostname: string): boolean {
  const host = stripBrackets(hostname).toLowerCase().replace(/\.$/, '');
  if (host === 'localhost') return true;
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host === '0:0:0:0:0:0:0:1' || host.startsWith('::ffff:127.');
}

/** 169.254.0.0/16 and fe80::/10: where clouds keep their metadata services. */
export function isLinkLocal(hostname: string): boolean {
  const host = stripBrackets(hostname).toLowerCase();
  return isIP(host) === 4 ? host.startsWith('169.254.') : isIP(host) === 6 && /^fe[89ab]/.test(host);
}

/** `host[:port]` of a registry or URL as two parts. */
export function splitHostPort(text: string): { hostname: string; port: string | undefined } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$/.exec(text);
  return match === null
    ? { hostname: text, port: undefined }
    : { hostname: match[1] as string, port: match[2] };
}
