// Tags of a repository (distribution-spec, "Listing Tags"), page by page.

import { EngineError } from '../core/errors.ts';
import { registryError } from './errors.ts';
import { sendWhole } from './retry.ts';
import type { Session, SessionRequest } from './session.ts';

const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_PAGES = 10_000;
const PAGE_SIZE = 1000;

export interface TagQuery {
  repository: string;
  context: string;
  signal: AbortSignal | undefined;
  userAgent: string;
}

/** Tags in the registry's order; a registry that ignores the page size sends all at once. */
export async function* listTags(session: Session, query: TagQuery): AsyncGenerator<string, void, undefined> {
  const { repository, context, signal, userAgent } = query;
  let search = `?n=${PAGE_SIZE}`;
  for (let page = 0; page < MAX_PAGES; page++) {
    const request: SessionRequest = {
      context,
      method: 'GET',
      path: `${repository}/tags/list${search}`,
      headers: { accept: 'application/json', 'user-agent': userAgent },
      scope: { repository, actions: 'pull' },
      signal,
    };
    const { response, bytes } = await sendWhole(() => session.send(request), session.locate(request), {
      retry: session.retry,
      status: 200,
      maxBytes: MAX_PAGE_BYTES,
    });
    if (response.status !== 200) {
      throw await registryError(session.locate(request), response, {
        login: session.loginFor(repository),
        registry: session.endpoint.name,
      });
    }
    yield* parseTags(context, bytes);
    const next = nextSearch(String(response.headers['link'] ?? ''), response.url);
    if (next === undefined || next === search) return;
    search = next;
  }
}

function parseTags(context: string, body: Buffer | undefined): string[] {
  let tags: unknown;
  try {
    tags = (JSON.parse(body?.toString('utf8') ?? '') as { tags?: unknown } | null)?.tags;
  } catch (error) {
    throw new EngineError('REGISTRY', `${context}: the list of tags is not JSON`, { cause: error });
  }
  if (!Array.isArray(tags)) return [];
  return tags.filter(
    (tag): tag is string => typeof tag === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag),
  );
}

/** RFC 8288. Of the link only the query counts: it must not lead to another host or repository. */
function nextSearch(link: string, base: URL): string | undefined {
  for (const match of link.matchAll(/<([^>]*)>([^,<]*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?/i.test(match[2] ?? '')) continue;
    try {
      const { search } = new URL(match[1] ?? '', base);
      return search === '' ? undefined : search;
    } catch {
      return undefined;
    }
  }
  return undefined;
}
