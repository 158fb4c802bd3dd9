// Image references as users type them: [registry/]repository[:tag][@digest], with docker's defaults for what is left
// out. The grammar is the one of the reference package of distribution (also distribution-spec, "Pulling manifests",
// <name> and <tag>). Pure; in core because registry, image and build all need it.

import type { Digest } from './digest.ts';
import { isDigest } from './digest.ts';
import { EngineError } from './errors.ts';

/** The registry unqualified names belong to. Its API lives on another host: see registry/endpoints.ts. */
export const DEFAULT_REGISTRY = 'docker.io';
export const DEFAULT_TAG = 'latest';

/** A checked image name. Exactly what was typed, with registry and `library/` filled in; no default tag. */
export interface ImageReference {
  /** `host`, `host:port` or `[v6]:port`, as typed; `docker.io` when left out. */
  registry: string;
  /** `library/debian`: lower-case components separated by `/`, at most 255 characters. */
  repository: string;
  tag?: string;
  digest?: Digest;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:.]+\\])(?::[0-9]{1,5})?$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_REPOSITORY_LENGTH = 255;
// Longer text is never a reference; checked first so that no regular expression sees it.
const MAX_LENGTH = 1024;

/**
 * Reads `text` by docker's rules: the part before the first `/` is a registry when it holds a `.` or `:`, is
 * `localhost` or has upper-case letters; else the registry is docker.io and one-component names get `library/`.
 * @throws REFERENCE_INVALID with the reason and, where there is one, the way out.
 */
export function parseReference(text: string): ImageReference {
  if (text === '') throw invalid(text, 'the name is empty');
  if (text.length > MAX_LENGTH) throw invalid(`${text.slice(0, 60)}…`, 'the name is too long');
  refuseForeignForms(text);
  const { name, tag, digest } = splitSuffixes(text);
  const { registry, repository } = splitName(name);
  // The last catches what only looks like an address: 1.2.3.456, [:::].
  if (!REGISTRY.test(registry) || !validPort(registry) || !URL.canParse(`http://${registry}`)) {
    throw invalid(text, `${JSON.stringify(registry)} is not a registry host`);
  }
  checkRepository(text, repository);
  if (tag !== undefined && !TAG.test(tag)) {
    throw invalid(
      text,
      tag === '' ? 'the tag after ":" is empty' : `${JSON.stringify(tag)} is not a tag`,
      'a tag has at most 128 letters, digits, "_", "." and "-", and starts with none of the last two',
    );
  }
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(
      text,
      `${JSON.stringify(digest)} is not a digest`,
      'a digest is sha256: and 64 lower-case hex digits',
    );
  }
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The same reference with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(ref: ImageReference): ImageReference {
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: DEFAULT_TAG } : ref;
}

/** The full form, `docker.io/library/debian:12@sha256:…`: the inverse of `parseReference`, used for keys on disk. */
export function formatReference(ref: ImageReference): string {
  return `${ref.registry}/${ref.repository}${suffix(ref)}`;
}

/** The form docker shows: `debian:12` for `docker.io/library/debian:12`. Parses back to the same reference. */
export function formatFamiliar(ref: ImageReference): string {
  return `${familiarRepository(ref)}${suffix(ref)}`;
}

/** The REPOSITORY column of `images`: the familiar form without tag and digest. */
export function familiarRepository(ref: ImageReference): string {
  if (ref.registry !== DEFAULT_REGISTRY) return `${ref.registry}/${ref.repository}`;
  const [first, second, ...more] = ref.repository.split('/');
  if (first === 'library' && second !== undefined && more.length === 0) return second;
  // Without the registry the first component would be taken for one, as in docker.io/localhost/x.
  return second !== undefined && looksLikeRegistry(first as string)
    ? `${DEFAULT_REGISTRY}/${ref.repository}`
    : ref.repository;
}

function suffix(ref: ImageReference): string {
  return `${ref.tag === undefined ? '' : `:${ref.tag}`}${ref.digest === undefined ? '' : `@${ref.digest}`}`;
}

function refuseForeignForms(text: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/+(.*)$/i.exec(text);
  if (scheme !== null)
    throw invalid(text, 'a scheme is not part of an image name', `write ${scheme[2] ?? ''}`);
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalid(text, '64 hex digits are an image id, not a name');
  }
}

function splitSuffixes(text: string): { name: string; tag?: string; digest?: string } {
  const at = text.indexOf('@');
  const beforeDigest = at === -1 ? text : text.slice(0, at);
  // A ":" that is followed by a "/" belongs to the port of the registry.
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1);
  return {
    name: colon === -1 ? beforeDigest : beforeDigest.slice(0, colon),
    ...(colon === -1 ? {} : { tag: beforeDigest.slice(colon + 1) }),
    ...(at === -1 ? {} : { digest: text.slice(at + 1) }),
  };
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const [registry, repository] =
    slash > -1 && looksLikeRegistry(first) ? [first, name.slice(slash + 1)] : [DEFAULT_REGISTRY, name];
  if (registry !== DEFAULT_REGISTRY && registry !== 'index.docker.io') return { registry, repository };
  return {
    registry: DEFAULT_REGISTRY,
    repository: repository.includes('/') ? repository : `library/${repository}`,
  };
}

function looksLikeRegistry(first: string): boolean {
  return /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
}

function validPort(registry: string): boolean {
  const port = /:([0-9]+)$/.exec(registry.replace(/^\[[^\]]*\]/, ''))?.[1];
  return port === undefined || (Number(port) > 0 && Number(port) <= 65535);
}

function checkRepository(text: string, repository: string): void {
  if (repository.length > MAX_REPOSITORY_LENGTH) {
    throw invalid(text, `the repository name is longer than ${MAX_REPOSITORY_LENGTH} characters`);
  }
  if (REPOSITORY.test(repository)) return;
  const lower = repository.toLowerCase();
  if (lower !== repository && REPOSITORY.test(lower)) {
    const typed = text.includes(repository) ? repository : repository.slice('library/'.length);
    throw invalid(
      text,
      'repository names are lower-case',
      `write ${text.replace(typed, typed.toLowerCase())}`,
    );
  }
  throw invalid(
    text,
    'not an image name',
    'a name is [REGISTRY/]REPOSITORY[:TAG][@DIGEST], made of lower-case letters and digits, separated by ".", "_", "__" or "-"',
  );
}

function invalid(text: string, reason: string, hint?: string): EngineError {
  return new EngineError('REFERENCE_INVALID', `reading image name ${JSON.stringify(text)}: ${reason}`, {
    hint,
  });
}
