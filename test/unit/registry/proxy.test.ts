import { expect, test } from 'vitest';
import { EngineError } from '../../../src/core/errors.ts';
import { proxyFor } from '../../../src/registry/proxy.ts';

const P = 'http://proxy.test:3128';

interface Row {
  url: string;
  env: Record<string, string>;
  proxy: string | undefined;
}

// Rules as golang.org/x/net/http/httpproxy documents them.
const ROWS: Row[] = [
  { url: 'https://r.io/', env: {}, proxy: undefined },
  { url: 'https://r.io/', env: { HTTPS_PROXY: P }, proxy: 'http://proxy.test:3128/' },
  { url: 'https://r.io/', env: { https_proxy: P }, proxy: 'http://proxy.test:3128/' },
  {
    url: 'https://r.io/',
    env: { https_proxy: P, HTTPS_PROXY: 'http://other.test' },
    proxy: 'http://proxy.test:3128/',
  },
  { url: 'https://r.io/', env: { https_proxy: '', HTTPS_PROXY: P }, proxy: 'http://proxy.test:3128/' },
  { url: 'https://r.io/', env: { HTTP_PROXY: P }, proxy: undefined },
  { url: 'http://r.io/', env: { HTTP_PROXY: P }, proxy: 'http://proxy.test:3128/' },
  { url: 'http://r.io/', env: { HTTPS_PROXY: P }, proxy: undefined },
  { url: 'http://r.io/', env: { http_proxy: 'proxy.test:3128' }, proxy: 'http://proxy.test:3128/' },
  { url: 'https://r.io/', env: { HTTPS_PROXY: 'https://u:p@proxy.test' }, proxy: 'https://u:p@proxy.test/' },
  // Loopback never.
  { url: 'https://localhost:5000/', env: { HTTPS_PROXY: P }, proxy: undefined },
  { url: 'http://127.1.2.3/', env: { HTTP_PROXY: P }, proxy: undefined },
  { url: 'http://[::1]:5000/', env: { HTTP_PROXY: P }, proxy: undefined },
  ...[
    ['r.io', '*', true],
    ['r.io', 'r.io', true],
    ['r.io', 'R.IO', true],
    ['a.r.io', 'r.io', true],
    ['ar.io', 'r.io', false],
    ['r.io', '.r.io', false],
    ['a.r.io', '.r.io', true],
    ['a.r.io', '*.r.io', true],
    ['r.io', '*.r.io', false],
    ['r.io', 'x.io, r.io', true],
    ['r.io', 'x.io,,', false],
    ['r.io', 'r.io:443', true],
    ['r.io', 'r.io:80', false],
    ['r.io:8443', 'r.io:8443', true],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3:5000', '10.1.2.3:5000', true],
    ['10.1.2.3', '10.0.0.0/99', false],
    ['10.1.2.3', '10.0.0.0/', false],
    ['10.1.2.3', 'fd00::/8', false],
    ['[fd00::5]', 'fd00::/8', true],
    ['[fd00::5]:80', '[fd00::5]', true],
    ['[fd00::5]:8443', '[fd00::5]:8443', true],
    ['[fd00::5]', 'fd00:0::5', true],
    ['r.io', '10.0.0.0/8', false],
  ].map(([host, noProxy, direct]): Row => ({
    url: `https://${String(host)}/`,
    env: { HTTPS_PROXY: P, NO_PROXY: String(noProxy) },
    proxy: direct === true ? undefined : 'http://proxy.test:3128/',
  })),
  { url: 'https://r.io/', env: { HTTPS_PROXY: P, no_proxy: 'r.io', NO_PROXY: 'x.io' }, proxy: undefined },
];

test.each(ROWS)('$url with $env', ({ url, env, proxy }) => {
  expect(proxyFor(new URL(url), env)?.href).toBe(proxy);
});

test.each(['socks5://proxy.test', 'http://', 'ftp://u:secret@proxy.test'])(
  'refuses the proxy %s by name',
  (value) => {
    let error: unknown;
    try {
      proxyFor(new URL('https://r.io/'), { HTTPS_PROXY: value });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(EngineError);
    expect((error as EngineError).code).toBe('CONFIG_INVALID');
    expect((error as EngineError).message).toMatch(/^reading HTTPS_PROXY: /);
    expect((error as EngineError).message).not.toContain('secret');
  },
);
