import { readFile } from 'node:fs/promises';
import { type Client, Problem } from '../../client/dist/index.js';
import { LookalikeError } from '../core/errors.js';
import { listImages } from '../engines/folder.js';
import { type Spread, spreadOf, stageSpreads, type TimedSearch, timedSearch } from './timed-search.js';

/**
 * How fast a service answers, through its HTTP API: the pictures of a folder are uploaded in turn, by one client and by
 * several at once. What it tells is of this machine, this collection and this moment.
 */
export interface BenchOptions {
  folder: string; // absolute
  client: Client;
  signal?: AbortSignal;
  collection?: string;
  mode: 'auto' | 'hnsw' | 'exact';
  requests: number; // measured, at each number of clients
  clients: readonly number[];
  onProgress: (done: number, total: number) => void;
}

export interface Bench {
  pictures: number; // that were sent in turn
  requests: number;
  rows: number; // that were searched
  mode: string; // asked for
  used: string[]; // the indexes that answered
  levels: BenchLevel[];
}

export interface BenchLevel {
  clients: number;
  answers_per_second: number;
  refused: number; // 429 or 503: the service is full or the quota is used up
  answer_ms: Spread; // seen by the client
  stages_ms: Record<string, Spread>; // from Server-Timing
}

/** Pictures that are kept in memory: reading them is not what is measured. */
const MOST_PICTURES = 256;
/** Before the clock runs: sessions, caches and connections. */
const WARM_UP = 10;

/**
 * Throws `nothing_to_index` for a folder without pictures, `Problem` for what the service refuses, except that it is
 * full: that is counted.
 */
export async function bench(options: BenchOptions): Promise<Bench> {
  const listed = (await listImages(options.folder)).slice(0, MOST_PICTURES);
  if (listed.length === 0)
    throw new LookalikeError('nothing_to_index', `${options.folder} holds no JPEG, PNG or WebP file`);
  const pictures = await Promise.all(listed.map(({ path }) => readFile(path)));
  const total = options.clients.length * options.requests;
  let done = 0;
  const onAnswer = () => options.onProgress(++done, total);
  const levels: BenchLevel[] = [];
  const used = new Set<string>();
  let rows = 0;
  await ask({ ...options, requests: WARM_UP }, { pictures, clients: 1, onAnswer: () => undefined });
  for (const clients of options.clients) {
    const started = performance.now();
    const searches = await ask(options, { pictures, clients, onAnswer });
    const seconds = (performance.now() - started) / 1000;
    for (const { answer } of searches) used.add(answer.index.mode);
    rows = searches.at(-1)?.answer.index.rows ?? rows;
    levels.push({
      clients,
      answers_per_second: searches.length / seconds,
      refused: options.requests - searches.length,
      answer_ms: spreadOf(searches.map(({ milliseconds }) => milliseconds)),
      stages_ms: stageSpreads(searches),
    });
  }
  const { requests, mode } = options;
  return { pictures: pictures.length, requests, rows, mode, used: [...used], levels };
}

interface Round {
  pictures: readonly Uint8Array<ArrayBuffer>[];
  clients: number;
  onAnswer: () => void;
}

/** The answers; fewer than requests when some were refused because the service is full. */
async function ask(options: BenchOptions, { pictures, clients, onAnswer }: Round): Promise<TimedSearch[]> {
  const { client, collection, mode, signal } = options;
  const query = { mode, ...(collection !== undefined && { collection }) };
  const searches: TimedSearch[] = [];
  let next = 0;
  const work = async () => {
    while (next < options.requests) {
      const picture = pictures[next++ % pictures.length]!;
      const asked = await timedSearch(client, picture, { query, ...(signal && { signal }) }).catch(isFull);
      if (asked) searches.push(asked);
      onAnswer();
    }
  };
  await Promise.all(Array.from({ length: clients }, work));
  return searches;
}

function isFull(error: unknown): null {
  if (error instanceof Problem && [429, 503].includes(error.status)) return null;
  throw error;
}
