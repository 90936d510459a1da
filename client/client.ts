import { problemOf } from './problem.js';
import type { paths } from './schema.js';

/** A thin layer over `fetch`: paths, parameters and answers are checked by the types of the contract. */
export interface ClientOptions {
  /** Where the server is, e.g. `http://localhost:8080`; in a page, its own origin when absent. */
  url?: string;
  /** An API key, sent as a bearer token. */
  key?: string | undefined;
  /** Another `fetch`, e.g. one with an agent of its own. */
  fetch?: typeof fetch;
}

type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';
/** Paths that know this method. */
type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];
type OperationOf<M extends Method, P extends keyof paths> = paths[P][M & keyof paths[P]];

type PartOf<O, Part extends string> = O extends { parameters: Record<Part, infer T> } ? T : never;
type OptionalPartOf<O, Part extends string> = O extends { parameters: { [K in Part]?: infer T } } ? T : never;
type ContentOf<O> = O extends { requestBody?: { content: infer C } } ? C : never;
type JsonOf<C> = C extends { 'application/json': infer T } ? T : never;

/** What a call takes: `path` where the path has parameters, `json` or `body` where the route reads one. */
export type Request<O> = {
  query?: Exclude<OptionalPartOf<O, 'query'>, undefined>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
} & (PartOf<O, 'path'> extends never ? { path?: never } : { path: PartOf<O, 'path'> }) &
  (ContentOf<O> extends never ? { body?: never } : { json?: JsonOf<ContentOf<O>>; body?: BodyInit });

type Success = 200 | 201 | 202 | 204;
type DataOf<O> = O extends { responses: infer R }
  ? { [S in keyof R & Success]: R[S] extends { content: infer C } ? BodyOf<C> : undefined }[keyof R & Success]
  : never;
/** JSON as its type; anything else as the response, to be read or streamed by the caller. */
type BodyOf<C> = C extends { 'application/json': infer T } ? T : Response;

export interface Answer<T> {
  data: T;
  status: number;
  headers: Headers;
}

export interface Client {
  /**
   * Calls a route, e.g. `call('get', '/v1/images/{id}', { path: { id } })`. Rejects with `Problem` when the server refuses,
   * and with what `fetch` throws when it cannot be reached.
   */
  call<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    ...request: Record<string, never> extends Request<OperationOf<M, P>>
      ? [Request<OperationOf<M, P>>?]
      : [Request<OperationOf<M, P>>]
  ): Promise<Answer<DataOf<OperationOf<M, P>>>>;
  /** A path that the server gave (`Location`, `Link`, a thumbnail) with the client's key. Rejects with `Problem`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** Any request, as `call` sees it once the types have done their work. */
interface Loose {
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  json?: unknown;
  body?: BodyInit;
}

export function createClient({ url = '', key, fetch: own = fetch }: ClientOptions = {}): Client {
  const base = url.replace(/\/+$/, '');

  async function send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (key) headers.set('Authorization', `Bearer ${key}`);
    const response = await own(base + path, { ...init, headers });
    if (response.ok || response.status === 304) return response;
    throw await problemOf(response);
  }

  async function call(method: Method, path: string, request: Loose = {}): Promise<Answer<unknown>> {
    const { json, body, headers, signal } = request;
    const response = await send(filled(path, request), {
      method: method.toUpperCase(),
      headers: { ...(json === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(body === undefined ? {} : { body }),
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}), // undici asks for it, lib.dom does not know it
      ...(signal === undefined ? {} : { signal }),
    });
    return { data: await dataOf(response), status: response.status, headers: response.headers };
  }

  return { call: call as unknown as Client['call'], fetch: (path, init = {}) => send(path, init) };
}

function filled(template: string, { path = {}, query = {} }: Loose): string {
  const place = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) search.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one));
  return search.size > 0 ? `${place}?${search}` : place;
}

async function dataOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const type = response.headers.get('content-type') ?? '';
  return /^application\/json\b/.test(type) ? response.json() : response;
}
