import { candidates } from '../core/breadth.js';
import { concatenated } from '../core/concatenated.js';
import { lineThrough, type PlanRecord } from '../core/plan.js';
import type { Generation, Index, SearchOptions, Store } from '../core/ports.js';
import { recallAt } from '../core/recall.js';
import type { Hits } from '../core/types.js';
import type { Active } from './collections.js';

/**
 * Measures what the planner goes by, on a generation as it will be searched: what both indexes cost, and how broad a graph
 * search has to be for the wanted recall. The queries are rows of the generation, each left out of its own answer.
 */
export interface MeasureParts {
  store: Pick<Store, 'vector' | 'identity'>;
  clock: () => number; // milliseconds
  now: () => string; // ISO 8601
  machine: string;
  recallTarget: number;
  /** Lets waiting requests run; comes between any two searches. */
  yieldToRequests: () => Promise<void>;
}

/** Measures the generation that a collection is searched with, unless its plan is of it already. */
export async function planCollection(
  parts: MeasureParts & Pick<Active, 'collection'>,
  signal: AbortSignal,
): Promise<void> {
  const { generation, plan } = parts.collection;
  if (!generation || plan) return;
  const record = await measurePlan(generation, parts, signal);
  if (record) parts.collection.planBy(record);
}

/** Rows that are asked; the recall of a breadth is the mean over them. */
const SAMPLES = 64;
const KS = [10, 200, 1000];
/** Searches that a time is the median of. */
const REPEATS = 7;
const BATCH = 16;
const FEW = 200;

interface Bench {
  generation: Generation;
  queries: Float32Array; // positions.length x dimension
  positions: number[];
  dimension: number;
  parts: MeasureParts;
  signal: AbortSignal;
}

/** Null where there is nothing to choose: without a graph, or with so few rows that none could be left out. */
export async function measurePlan(
  generation: Generation,
  parts: MeasureParts,
  signal: AbortSignal,
): Promise<PlanRecord | null> {
  const { graph, exact, number } = generation;
  const rows = generation.rows.length;
  const bench = sample(generation, parts, signal);
  if (!graph || rows < 2 || bench.positions.length === 0) return null;
  const ks = [...new Set(KS.map((k) => Math.min(k, rows - 1)))];
  const [fewest, most] = [ks[0]!, ks.at(-1)!];
  await median(bench, exact, { k: fewest }); // warm
  await median(bench, graph, { k: fewest, ef: most });
  const over = async (
    index: Index,
    xs: readonly number[],
    options: (x: number) => SearchOptions,
    batch = 1,
  ) =>
    lineThrough(await inTurn(xs, async (x) => [x, await median(bench, index, options(x), batch)] as const));
  const filters = [Math.min(FEW, rows), Math.max(1, rows >> 1)]; // left by a filter
  return {
    generation: number,
    rows,
    machine: parts.machine,
    measured_at: parts.now(),
    recall_target: parts.recallTarget,
    trip: await median(bench, exact, { k: 1, allowed: new Set() }),
    exact: await over(exact, [fewest, most], (k) => ({ k })),
    exact_batch: await over(exact, [fewest, most], (k) => ({ k }), BATCH),
    exact_threads: exact.threads ?? 1,
    filtered: await over(exact, filters, (count) => ({ k: fewest, allowed: someOf(rows, count) })),
    graph: await over(graph, [fewest, most, Math.min(rows, 2 * most)], (ef) => ({ k: fewest, ef })),
    breadths: await tune(bench, graph, ks),
  };
}

function sample(generation: Generation, parts: MeasureParts, signal: AbortSignal): Bench {
  const { rows } = generation;
  const { dimension } = parts.store.identity;
  const count = Math.min(SAMPLES, rows.length);
  const spread = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * rows.length) / count));
  const found = spread.flatMap((position) => {
    const vector = parts.store.vector(rows[position]!);
    return vector ? [{ position, vector }] : [];
  });
  const queries = concatenated(
    Float32Array,
    found.map(({ vector }) => vector),
  );
  return { generation, queries, positions: found.map(({ position }) => position), dimension, parts, signal };
}

/** Positions spread over all rows. */
const someOf = (rows: number, count: number): Set<number> =>
  new Set(Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count)));

/** Milliseconds of one query, searched with `batch - 1` others. */
async function median(bench: Bench, index: Index, options: SearchOptions, batch = 1): Promise<number> {
  const { queries, positions, dimension, parts, signal } = bench;
  const times: number[] = [];
  for (let run = 0; run < REPEATS; run++) {
    await parts.yieldToRequests();
    const first = (run * batch) % Math.max(1, positions.length - batch + 1);
    const asked = queries.subarray(first * dimension, (first + batch) * dimension);
    const n = asked.length / dimension;
    const begun = parts.clock();
    await index.search(asked, n, { ...options, signal });
    times.push((parts.clock() - begun) / n);
  }
  return times.sort((a, b) => a - b)[REPEATS >> 1]!;
}

/**
 * Pictures that are not in the graph are found less well than its own rows: of what they miss, the samples were seen to
 * miss 0.8 (128-d embeddings of photographs, 1.28 million rows).
 */
const MISSED_BY_SAMPLES = 0.8;

/** The narrowest search for each k whose mean recall reaches the target, also for pictures that are not in the graph. */
async function tune(bench: Bench, graph: Index, ks: readonly number[]): Promise<PlanRecord['breadths']> {
  const { generation, parts } = bench;
  const enough = 1 - MISSED_BY_SAMPLES * (1 - parts.recallTarget);
  const truth = await searchEach(bench, generation.exact, { k: ks.at(-1)! + 1 });
  return inTurn(ks, async (k) => {
    let best = { k, ef: k, recall: 0 };
    for (const ef of candidates(k + 1, generation.rows.length)) {
      const found = await searchEach(bench, graph, { k: k + 1, ef });
      best = { k, ef, recall: mean(found.map((hits, i) => recallAt(k, hits, truth[i]!) ?? 1)) };
      if (best.recall >= enough) break;
    }
    return best;
  });
}

/** The scores of every sample's list, without the sample itself. */
async function searchEach(bench: Bench, index: Index, options: SearchOptions): Promise<Float32Array[]> {
  const { queries, positions, dimension, parts, signal } = bench;
  const lists: Float32Array[] = [];
  for (let from = 0; from < positions.length; from += BATCH) {
    await parts.yieldToRequests();
    const asked = queries.subarray(from * dimension, (from + BATCH) * dimension);
    const found = await index.search(asked, asked.length / dimension, { ...options, signal });
    lists.push(...found.map((hits, i) => others(hits, positions[from + i]!)));
  }
  return lists;
}

const others = ({ rows, scores }: Hits, own: number): Float32Array =>
  scores.filter((_, i) => rows[i] !== own);
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

async function inTurn<T, R>(all: readonly T[], step: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of all) results.push(await step(one));
  return results;
}
