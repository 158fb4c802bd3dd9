// Sources of ADD, and contexts, that are elsewhere: which texts are URLs of files and which name git repositories. (pure)

export type RemoteSource = { kind: 'file'; url: URL; name: string } | ({ kind: 'git' } & GitSource);

export interface GitSource {
  /** As git takes it. */
  remote: string;
  /** Branch, tag or commit; undefined: what the remote's HEAD is. */
  ref: string | undefined;
  /** Of the repository; '' for all of it. */
  directory: string;
}

/** BuildKit's name for the file of a URL that has none. */
const UNNAMED = '__unnamed__';

/** As BuildKit: `git@…`, `git://`, `ssh://`, and http(s) with a path that ends in .git are git. Undefined: a local path. */
export function parseRemoteSource(text: string): RemoteSource | undefined {
  const hash = text.indexOf('#');
  const [before, fragment] = hash < 0 ? [text, ''] : [text.slice(0, hash), text.slice(hash + 1)];
  const isHttp = /^https?:\/\//i.test(text);
  const isGit =
    /^(?:git|ssh):\/\//i.test(text) ||
    /^[a-z0-9_-]+@[a-z0-9.-]+:(?!\/\/)./i.test(text) ||
    (isHttp && /\.git\/?$/.test(before));
  if (isGit) return { kind: 'git', remote: before, ...parseFragment(fragment) };
  if (!isHttp || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const name = decodeName(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  return { kind: 'file', url, name: name === '' ? UNNAMED : name };
}

/** A context: docker also knows `github.com/…` without a scheme. */
export function parseContextUrl(text: string): RemoteSource | undefined {
  if (!text.startsWith('github.com/')) return parseRemoteSource(text);
  const [path = '', ...fragment] = text.split('#');
  return { kind: 'git', remote: `https://${path}`, ...parseFragment(fragment.join('#')) };
}

const COMMIT = /^[0-9a-f]{40}$|^[0-9a-f]{64}$/;

/** A whole id: it names one content for ever. */
export function isCommit(ref: string): boolean {
  return COMMIT.test(ref);
}

/** `REF:DIRECTORY`, either may be missing. */
function parseFragment(fragment: string): Pick<GitSource, 'ref' | 'directory'> {
  const colon = fragment.indexOf(':');
  const [ref, directory] = colon < 0 ? [fragment, ''] : [fragment.slice(0, colon), fragment.slice(colon + 1)];
  return { ref: ref === '' ? undefined : ref, directory };
}

/** A name that is one: no "..", no slash that was hidden by a percent sign. */
function decodeName(text: string): string {
  let name = text;
  try {
    name = decodeURIComponent(text);
  } catch {
    // not UTF-8: as it stands
  }
  return /[/\0]/.test(name) || name === '.' || name === '..' ? '' : name;
}
