// Which proxy a URL goes through, by the environment: HTTP_PROXY, HTTPS_PROXY, NO_PROXY and their lower-case forms, with
// the rules of Go's httpproxy, so that what works for docker and podman works here. Pure.

import { BlockList, isIP } from 'node:net';
import { EngineError } from '../core/errors.ts';
import { envText } from './env.ts';
import { isLoopback, stripBrackets } from './hosts.ts';
import { redactUrl } from './redact.ts';
import type { Env } from './types.ts';

/**
 * The proxy for `url`, or undefined for a direct connection. Loopback is never proxied.
 * @throws CONFIG_INVALID for a proxy that is no URL or needs a protocol we do not speak (SOCKS).
 */
export function proxyFor(url: URL, env: Env): URL | undefined {
  const names = url.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const name = names.find((candidate) => envText(env, candidate) !== undefined);
  if (name === undefined || isLoopback(url.hostname)) return undefined;
  const noProxy = envText(env, 'no_proxy', 'NO_PROXY') ?? '';
  return excluded(url, noProxy) ? undefined : parseProxy(name, env[name] as string);
}

function parseProxy(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  let proxy: URL;
  try {
    proxy = new URL(text);
  } catch {
    throw new EngineError(
      'CONFIG_INVALID',
      `reading ${name}: ${JSON.stringify(redactUrl(text))} is not a URL`,
    );
  }
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw new EngineError(
      'CONFIG_INVALID',
      `reading ${name}: ${proxy.protocol}// proxies are not supported`,
      {
        hint: 'give an http:// or https:// proxy',
      },
    );
  }
  return proxy;
}

/** NO_PROXY: `*`, addresses, CIDR ranges, `example.com` (with subdomains), `.example.com` (subdomains alone), each with an optional port. */
function excluded(url: URL, noProxy: string): boolean {
  const host = stripBrackets(url.hostname).toLowerCase().replace(/\.$/, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy.split(',').some((entry) => matches(entry.trim().toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return inRange(entry, host);
  const { name, entryPort } = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  const family = isIP(name);
  if (family !== 0) return sameAddress(name, host);
  const suffix = name.startsWith('*.') ? name.slice(1) : name;
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function splitPort(entry: string): { name: string; entryPort?: string } {
  const match = /^(\[[^\]]+\]|[^:]+):([0-9]+)$/.exec(entry);
  return match === null
    ? { name: stripBrackets(entry) }
    : { name: stripBrackets(match[1] as string), entryPort: match[2] as string };
}

function inRange(entry: string, host: string): boolean {
  const family = isIP(host);
  const [network = '', bits = ''] = entry.split('/');
  const networkFamily = isIP(network);
  if (family === 0 || family !== networkFamily || !/^[0-9]{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function sameAddress(a: string, b: string): boolean {
  const family = isIP(a);
  if (family === 0 || family !== isIP(b)) return false;
  const list = new BlockList();
  list.addAddress(a, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(b, family === 4 ? 'ipv4' : 'ipv6');
}
