/** The few calls of the page to its server, and the key that goes with them. */

/** A refusal of the server, in its own words (RFC 9457). */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The part of a search's answer that the page shows; `openapi.yaml` has all of it. */
export interface Answer {
  body: {
    labels: { label: string; share: number }[];
    neighbours: { id: string; label: string | null; score: number; thumbnail: string }[];
    index: { rows: number; exact: boolean; mode: string };
    query: { duplicate_of: string[] };
  };
  /** Milliseconds by the server's own count, when it says. */
  serverMs: number | undefined;
}

export interface Info {
  bank: { rows: number; labels: number };
}

/** Kept until the tab is closed, and sent to this server only. */
let apiKey = sessionStorage.getItem('lookalike-key');

export function setKey(key: string): void {
  apiKey = key;
  sessionStorage.setItem('lookalike-key', key);
}

export async function fetchInfo(): Promise<Info> {
  return (await call('/v1/info')).json() as Promise<Info>;
}

/** Searches with the default parameters. Rejects with `Refusal`. */
export async function fetchSearch(picture: Blob, signal: AbortSignal): Promise<Answer> {
  const form = new FormData();
  form.append('image', picture, 'picture');
  const response = await call('/v1/search', { method: 'POST', body: form, signal });
  const total = /total;dur=([\d.]+)/.exec(response.headers.get('server-timing') ?? '')?.[1];
  return {
    body: (await response.json()) as Answer['body'],
    serverMs: total === undefined ? undefined : Number(total),
  };
}

/** Fetched rather than put into `src`: a picture element can send no key. */
export async function fetchThumbnail(path: string, signal: AbortSignal): Promise<Blob> {
  return (await call(path, { signal })).blob();
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers: HeadersInit = apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
  const response = await fetch(path, { ...init, headers });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new Refusal(response.status, problem.detail ?? `the server answered ${response.status}`);
}
