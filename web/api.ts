/** The few calls of the page to its server, and the key that goes with them. */
import { type Answer, type components, createClient } from '../client/dist/index.js';

export { Problem } from '../client/dist/index.js';

type Schemas = components['schemas'];
export type SearchAnswer = Schemas['SearchAnswer'];

/** A search's answer, and the milliseconds that it took by the server's own count, when it says. */
export interface Found {
  body: SearchAnswer;
  serverMs: number | undefined;
}

/** The key is kept until the tab is closed, and sent to this server only. */
let client = createClient({ key: sessionStorage.getItem('lookalike-key') ?? undefined });

export function setKey(key: string): void {
  client = createClient({ key });
  sessionStorage.setItem('lookalike-key', key);
}

/** What is searched for: a picture of the person's own, or one of the collection by its id. */
export type Asked = { picture: Blob } | { id: string };

export async function fetchInfo(): Promise<Schemas['Info']> {
  return (await client.call('get', '/v1/info')).data;
}

/** Searches with the default parameters. Rejects with `Problem`. */
export async function fetchSearch(asked: Asked, signal: AbortSignal): Promise<Found> {
  const request = 'id' in asked ? { json: asked } : { body: formWith(asked.picture) };
  const { data, headers }: Answer<SearchAnswer> = await client.call('post', '/v1/search', {
    ...request,
    signal,
  });
  const total = /total;dur=([\d.]+)/.exec(headers.get('server-timing') ?? '')?.[1];
  return { body: data, serverMs: total === undefined ? undefined : Number(total) };
}

function formWith(picture: Blob): FormData {
  const body = new FormData();
  body.append('image', picture, 'picture');
  return body;
}

/** Path of the thumbnail of a picture of the collection. */
export const thumbnailOf = (id: string): string => `/v1/images/${encodeURIComponent(id)}/thumbnail`;

/** Fetched rather than put into `src`: a picture element can send no key. */
export async function fetchThumbnail(path: string, signal: AbortSignal): Promise<Blob> {
  return (await client.fetch(path, { signal })).blob();
}
