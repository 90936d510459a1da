import type { Client, components, operations } from '../../client/dist/index.js';

/** One upload, as its client sees it. */
export interface TimedSearch {
  answer: components['schemas']['SearchAnswer'];
  milliseconds: number; // from the first byte sent to the answer read
  stages: Map<string, number>; // milliseconds, from Server-Timing
}

export interface Spread {
  p50: number;
  p99: number;
  max: number;
}

type Query = NonNullable<operations['search']['parameters']['query']>;

/** Asks with a picture. Rejects with the client's `Problem`. */
export async function timedSearch(
  client: Client,
  picture: Uint8Array<ArrayBuffer>,
  { query, signal }: { query: Query; signal?: AbortSignal },
): Promise<TimedSearch> {
  signal?.throwIfAborted();
  const body = new FormData();
  body.set('image', new Blob([picture]), 'image');
  const started = performance.now();
  const { data, headers } = await client.call('post', '/v1/search', { query, body });
  const milliseconds = performance.now() - started;
  return { answer: data, milliseconds, stages: parseServerTiming(headers.get('server-timing') ?? '') };
}

/** `decode;dur=1.2, embed;dur=3.4` as a map of milliseconds. */
function parseServerTiming(header: string): Map<string, number> {
  const entries = [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)];
  return new Map(entries.map(([, name, value]) => [name!, Number(value)]));
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

/** Each stage of the answers; one that an answer does not have took it no time. */
export function stageSpreads(searches: readonly TimedSearch[]): Record<string, Spread> {
  const names = new Set(searches.flatMap(({ stages }) => [...stages.keys()]));
  return Object.fromEntries(
    [...names].map((name) => [name, spreadOf(searches.map(({ stages }) => stages.get(name) ?? 0))]),
  );
}
