import { abortedError } from './core/check-search.js';
import type { Index } from './core/ports.js';
import { seeded } from './core/random.js';
import { chooseTrial, quantile } from './core/tuning.js';
import { normaliseRows } from './core/vector.js';
import { createExactIndex } from './engines/exact-index.js';
import { SETTINGS } from './settings.js';

/** Threads of the exact index by measurement, for `tune.ts`: counts take turns at searches of one bank. */
export interface ExactTrial {
  threads: number;
  search_ms: number; // median
  chosen: boolean;
}

export interface TuneExactOptions {
  cores: number;
  dimension: number;
  rounds: number;
  signal: AbortSignal;
  onRound(): void;
}

/** More than the caches hold of most machines, and made in a second. */
const ROWS = 131_072;
const K = 200;
const SEARCHES = 8; // a round; their median is its time

/** Powers of two up to the cores, and all of them, as far as the setting allows. */
export function exactCounts(cores: number): number[] {
  const counts = new Set([1, 2, 4, 8].filter((count) => count <= cores));
  if (SETTINGS.exactThreads.check.safeParse(String(cores)).success) counts.add(cores);
  return [...counts].sort((a, b) => a - b);
}

/** Throws `overloaded` when the machine is too busy to tell the counts apart. Needs about 300 MB while it runs. */
export async function tuneExact(options: TuneExactOptions): Promise<{ trials: ExactTrial[]; gain: number }> {
  const { cores, dimension } = options;
  const counts = exactCounts(cores);
  const vectors = knownVectors(dimension);
  const indexes: Index[] = [];
  try {
    for (const threads of counts)
      indexes.push(await createExactIndex({ vectors, rows: ROWS, dimension, provider: 'cpu', threads }));
    const times = await measure(indexes, vectors, options);
    const trials = counts.map((count, i) => ({ name: String(count), times: times[i]! }));
    const usual = counts.findLastIndex((count) => count <= Number(SETTINGS.exactThreads.fallback));
    const { best, gain } = chooseTrial(trials, usual);
    return {
      gain,
      trials: counts.map((threads, i) => ({
        threads,
        search_ms: quantile(times[i]!, 0.5),
        chosen: i === best,
      })),
    };
  } finally {
    await Promise.all(indexes.map((index) => index.close()));
  }
}

/** Milliseconds of a search, by index and round; the first round is for warming up. */
async function measure(
  indexes: readonly Index[],
  vectors: Float32Array,
  { dimension, rounds, signal, onRound }: TuneExactOptions,
): Promise<number[][]> {
  const times = indexes.map((): number[] => []);
  for (let round = -1; round < rounds; round++)
    for (const [i, index] of indexes.entries()) {
      if (signal.aborted) throw abortedError();
      const found: number[] = [];
      for (let at = 0; at < SEARCHES; at++) {
        const query = vectors.slice(at * dimension, (at + 1) * dimension);
        const start = performance.now();
        await index.search(query, 1, { k: K });
        found.push(performance.now() - start);
      }
      if (round < 0) continue;
      times[i]!.push(quantile(found, 0.5));
      onRound();
    }
  return times;
}

/** Directions without any order: what a scan costs depends on them little, and they are the worst case. */
function knownVectors(dimension: number): Float32Array {
  const next = seeded(1);
  const vectors = new Float32Array(new SharedArrayBuffer(ROWS * dimension * 4));
  for (let i = 0; i < vectors.length; i++) vectors[i] = next() - 0.5;
  return normaliseRows(vectors, ROWS, dimension);
}
