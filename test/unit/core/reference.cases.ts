// Rows: what was typed → [registry, repository, tag, digest], or the reason of the refusal. The grammar is the one of
// distribution's reference package; many rows are edge cases of its normalization.

export const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

export interface AcceptedRow {
  text: string;
  registry: string;
  repository: string;
  tag?: string;
  digest?: string;
  familiar: string;
}

const row = (
  text: string,
  registry: string,
  repository: string,
  familiar: string,
  tag?: string,
  digest?: string,
) => ({
  text,
  registry,
  repository,
  familiar,
  ...(tag === undefined ? {} : { tag }),
  ...(digest === undefined ? {} : { digest }),
});

export const ACCEPTED: AcceptedRow[] = [
  row('alpine', 'docker.io', 'library/alpine', 'alpine'),
  row('alpine:3', 'docker.io', 'library/alpine', 'alpine:3', '3'),
  row('library/alpine', 'docker.io', 'library/alpine', 'alpine'),
  row('docker.io/alpine', 'docker.io', 'library/alpine', 'alpine'),
  row('index.docker.io/alpine', 'docker.io', 'library/alpine', 'alpine'),
  row('docker.io/library/alpine:edge', 'docker.io', 'library/alpine', 'alpine:edge', 'edge'),
  row('docker.io/library', 'docker.io', 'library/library', 'library'),
  row('bitnami/redis', 'docker.io', 'bitnami/redis', 'bitnami/redis'),
  row('a/b/c/d:e', 'docker.io', 'a/b/c/d', 'a/b/c/d:e', 'e'),
  row('library/x/y', 'docker.io', 'library/x/y', 'library/x/y'),
  row('localhost/x', 'localhost', 'x', 'localhost/x'),
  row('localhost', 'docker.io', 'library/localhost', 'localhost'),
  row('localhost:5000/x/y:z', 'localhost:5000', 'x/y', 'localhost:5000/x/y:z', 'z'),
  // Not a port: there is no slash behind it.
  row('localhost:5000', 'docker.io', 'library/localhost', 'localhost:5000', '5000'),
  row('docker.io/localhost/x', 'docker.io', 'localhost/x', 'docker.io/localhost/x'),
  row('ghcr.io/a/b', 'ghcr.io', 'a/b', 'ghcr.io/a/b'),
  row('h.io', 'docker.io', 'library/h.io', 'h.io'),
  row('host:1/x', 'host:1', 'x', 'host:1/x'),
  row('127.0.0.1:5000/x', '127.0.0.1:5000', 'x', '127.0.0.1:5000/x'),
  row('[::1]:5000/a:b', '[::1]:5000', 'a', '[::1]:5000/a:b', 'b'),
  row('[2001:db8::1]/a', '[2001:db8::1]', 'a', '[2001:db8::1]/a'),
  // Upper case makes the first component a host, as docker has it.
  row('Foo/bar', 'Foo', 'bar', 'Foo/bar'),
  row(
    'xn--n3h.com/myimage:xn--n3h.com',
    'xn--n3h.com',
    'myimage',
    'xn--n3h.com/myimage:xn--n3h.com',
    'xn--n3h.com',
  ),
  row('a__b', 'docker.io', 'library/a__b', 'a__b'),
  row('a---b', 'docker.io', 'library/a---b', 'a---b'),
  row(`a:${'t'.repeat(128)}`, 'docker.io', 'library/a', `a:${'t'.repeat(128)}`, 't'.repeat(128)),
  row('a:_.-A', 'docker.io', 'library/a', 'a:_.-A', '_.-A'),
  row(`a@${DIGEST}`, 'docker.io', 'library/a', `a@${DIGEST}`, undefined, DIGEST),
  row(`h.io/a:b@${DIGEST}`, 'h.io', 'a', `h.io/a:b@${DIGEST}`, 'b', DIGEST),
];

export const REFUSED: { text: string; reason: RegExp; hint?: RegExp }[] = [
  { text: '', reason: /empty/ },
  { text: ' alpine', reason: /not an image name/ },
  { text: 'al pine', reason: /not an image name/ },
  { text: 'Alpine', reason: /lower-case/, hint: /^write alpine$/ },
  { text: 'foo/Bar:X', reason: /lower-case/, hint: /^write foo\/bar:X$/ },
  { text: 'a:', reason: /tag after ":" is empty/ },
  { text: 'a:-b', reason: /"-b" is not a tag/ },
  { text: `a:${'t'.repeat(129)}`, reason: /is not a tag/ },
  { text: 'a:b:c', reason: /"b:c" is not a tag/ },
  { text: 'a@sha256:abc', reason: /is not a digest/ },
  { text: `a@sha512:${'a'.repeat(128)}`, reason: /is not a digest/ },
  { text: `a@${DIGEST}@${DIGEST}`, reason: /is not a digest/ },
  { text: 'a@', reason: /is not a digest/ },
  { text: ':tag', reason: /not an image name/ },
  { text: `@${DIGEST}`, reason: /not an image name/ },
  { text: '/a', reason: /not an image name/ },
  { text: 'a/', reason: /not an image name/ },
  { text: 'a//b', reason: /not an image name/ },
  { text: '-a', reason: /not an image name/ },
  { text: 'a-', reason: /not an image name/ },
  { text: 'a_-b', reason: /not an image name/ },
  { text: 'a___b', reason: /not an image name/ },
  { text: 'a..b', reason: /not an image name/ },
  { text: '../etc/passwd', reason: /".." is not a registry host/ },
  { text: 'h.io/../etc', reason: /not an image name/ },
  { text: 'h.io/.', reason: /not an image name/ },
  { text: 'a-b.c_d/g', reason: /is not a registry host/ },
  { text: '-h.io/a', reason: /is not a registry host/ },
  { text: 'h-.io/a', reason: /is not a registry host/ },
  { text: 'h.io:/a', reason: /is not a registry host/ },
  { text: 'h.io:0/a', reason: /is not a registry host/ },
  { text: 'h.io:65536/a', reason: /is not a registry host/ },
  { text: 'h.io:x/a', reason: /is not a registry host/ },
  { text: 'user:pass@h.io/a', reason: /is not a digest/ },
  { text: '[:::]/a', reason: /is not a registry host/ },
  { text: '1.2.3.456/a', reason: /is not a registry host/ },
  { text: '[::1/a', reason: /is not a registry host/ },
  { text: 'h_x:1/a', reason: /is not a registry host/ },
  { text: 'aa\u0000', reason: /not an image name/ },
  { text: 'a\n', reason: /not an image name/ },
  { text: 'ä', reason: /not an image name/ },
  { text: 'a'.repeat(256), reason: /longer than 255/ },
  { text: 'a'.repeat(2000), reason: /too long/ },
  { text: 'f'.repeat(64), reason: /image id/ },
  { text: 'docker://alpine:3', reason: /scheme/, hint: /^write alpine:3$/ },
  { text: 'https://h.io/a', reason: /scheme/, hint: /^write h.io\/a$/ },
];
