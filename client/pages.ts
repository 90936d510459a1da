import type { Client } from './client.js';

/** The address of the next page in a `Link` header (RFC 8288), or null on the last one. */
export function nextPage(headers: Headers): string | null {
  const found = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '');
  return found?.[1] ?? null;
}

/** All pages of a list, one after the other: follows `Link: rel="next"` from the first path. */
export async function* pagesOf<T>(client: Client, first: string): AsyncGenerator<T> {
  for (let path: string | null = first; path !== null; ) {
    const response = await client.fetch(path);
    yield (await response.json()) as T;
    path = nextPage(response.headers);
  }
}
