import { kthLargest } from '../core/kth-largest.js';
import {
  fineScore,
  LEAST_THRESHOLD,
  queryLimit,
  slackOf,
  type WholeQuery,
  wholeQuery,
} from '../core/planes.js';
import { createTopK } from '../core/top-k.js';
import { BATCH_LIMIT, type Batch, openBatch } from './exact-batch.js';
import { BYTE_LIMIT, openKernel, RECORD, RECORD_BYTES } from './exact-kernel.js';
import { GROUP, LIST, type PlaneMemory, planesIn, regionsOf, threadRegions, WORD } from './exact-memory.js';
import type { VectorReader } from './vector-source.js';

/**
 * One thread's part of a scan. Every row has an interval that its canonical score lies in: from the high plane at
 * first, from both planes where that leaves too many open, from the vectors themselves at last. A row is dropped
 * only when k rows are certain to score more, so what is left holds the true list, proven by construction.
 */

/** Rows a thread takes at a time. */
const BLOCK = LIST;

/** Queries, and rows, from which a batch is multiplied by onnxruntime: below, its calls cost more than they save. */
const BATCH_FROM = 8;
const BATCH_ROWS = 2 * BLOCK;

/** Candidates of a query are looked through again when they are more than this. */
export const mostCandidates = (k: number): number => 4 * k + 512;
/** Candidates of a query that there must be room for: those, and all rows of one more block. */
export const roomFor = (k: number): number => mostCandidates(k) + BLOCK;

export interface Scanner {
  /** Scans blocks of the task in the control words until none is left; then `candidates` are this thread's.
   * Resolves to whether the queries were multiplied as a batch. */
  run(): Promise<boolean>;
  /** Of these rows, those that may be among the best k of them for query q: indices into `rows`, ascending. */
  narrow(q: number, rows: Int32Array, options: { k: number; most: number }): Int32Array;
  /** The rows that thread `thread` found for query q. */
  candidates(thread: number, q: number): Int32Array;
}

interface QueryState {
  query: Float32Array;
  whole: WholeQuery;
  slack: number; // of scores from `whole`
  scanSlack: number; // of the scores that the scan finds: by bytes and as a batch it has fewer bits of the query
  threshold: number;
}

/** `bytes`: by the scan of bytes. Throws where the kernel cannot run. Blocks its thread while it runs. */
export function createScanner(
  bank: PlaneMemory,
  vectors: VectorReader,
  { thread, bytes }: { thread: number; bytes: boolean },
): Scanner {
  const { rows: size, dimension } = bank;
  const { buffer } = bank.memory;
  const regions = regionsOf(size, dimension, bank.threads);
  const planes = planesIn(bank);
  const { stride, padded, high, low } = planes.layout;
  const own = threadRegions(stride);
  const home = regions.threads + thread * regions.threadBytes;
  const kernel = openKernel(stride, bank.memory, { bytes });
  const words = new Int32Array(buffer, 0, regions.floats / 4);
  const ints = new Int32Array(buffer, 0, regions.planes / 4);
  const floats = new Float32Array(buffer, 0, regions.planes / 4);
  const productsAt = home + own.products;
  const products = ints.subarray(productsAt / 4, productsAt / 4 + 2 * LIST);
  const largestError = planes.errors.reduce((a, b) => Math.max(a, b), 0);
  const limit = queryLimit(dimension);
  let lowers = new Float64Array(0);
  let states: QueryState[] = [];
  let batch: Batch | null | undefined; // opened for the first batch; null where it cannot be used

  const recordOf = (q: number) => home + own.record + q * RECORD_BYTES;
  const queryOf = (q: number) => home + own.queries + q * stride * 2;
  const byteQueryOf = (q: number) => home + own.byteQueries + q * stride;
  const arenaOf = (t: number, q: number) =>
    regions.threads + t * regions.threadBytes + own.arena + q * roomFor(words[WORD.k]!) * 8;
  const countOf = (q: number) => (ints[(recordOf(q) + RECORD.out) / 4]! - arenaOf(thread, q)) / 8;
  const setCount = (q: number, count: number) => {
    ints[(recordOf(q) + RECORD.out) / 4] = arenaOf(thread, q) + count * 8;
  };
  const setThreshold = (q: number, threshold: number) => {
    states[q]!.threshold = threshold;
    floats[(recordOf(q) + RECORD.threshold) / 4] = threshold;
  };

  function prepare(q: number): QueryState {
    const query = floats.slice(regions.floats / 4 + q * dimension, regions.floats / 4 + (q + 1) * dimension);
    const whole = wholeQuery(query, new Int16Array(buffer, queryOf(q), dimension), limit);
    setScan(q, whole);
    const slack = slackOf(whole.error, largestError);
    return { query, whole, slack, scanSlack: slack, threshold: LEAST_THRESHOLD };
  }

  function setScan(q: number, { correction, scale }: WholeQuery): void {
    ints[(recordOf(q) + RECORD.correction) / 4] = correction;
    floats[(recordOf(q) + RECORD.scale) / 4] = scale;
  }

  /** Gives a query to the scan by bytes. */
  function prepareBytes(q: number): void {
    const state = states[q]!;
    const whole = wholeQuery(state.query, new Int8Array(buffer, byteQueryOf(q), dimension), BYTE_LIMIT);
    setScan(q, whole);
    state.scanSlack = slackOf(whole.error, largestError);
  }

  /** The lower bound of the k-th best of these, less what both bounds must allow for. */
  function thresholdOf(count: number, k: number, lower: (i: number) => number, slack: number): number {
    if (count < k) return LEAST_THRESHOLD;
    if (lowers.length < count) lowers = new Float64Array(count * 2);
    for (let i = 0; i < count; i++) lowers[i] = lower(i);
    return kthLargest(lowers, count, k) - 2 * slack;
  }

  /** Gives the queries to the batch, with the bits it takes. */
  function prepareBatch(): void {
    const wanted = states.map((state) => {
      const numbers = new Int8Array(dimension);
      const { scale, error } = wholeQuery(state.query, numbers, BATCH_LIMIT);
      state.scanSlack = slackOf(error, largestError);
      return { numbers, scale };
    });
    batch!.setQueries(wanted);
  }

  async function scanBatch(block: number): Promise<void> {
    const row = block * BLOCK;
    const end = Math.min(padded, row + BLOCK);
    states.forEach(({ threshold }, q) => {
      batch!.setThreshold(q, threshold);
    });
    await batch!.run({
      row,
      plane: planes.high.subarray(row * stride, end * stride),
      scales: planes.scales.subarray(row, end),
      errors: planes.errors.subarray(row, end),
    });
    states.forEach((_, q) => {
      const found = batch!.found(q);
      const count = countOf(q);
      ints.set(found, arenaOf(thread, q) / 4 + count * 2);
      setCount(q, count + found.length / 2);
    });
  }

  function scanBlock(q: number, block: number): void {
    const row = block * BLOCK;
    const end = Math.min(padded, row + BLOCK);
    const part = regions.planes + 4 * row;
    const { scales, errors } = planes.layout;
    const plane = regions.planes + high + row * stride;
    if (kernel.scanBytes)
      kernel.scanBytes(row, end, plane, part + scales, part + errors, byteQueryOf(q), recordOf(q));
    else kernel.scan(row, end, plane, part + scales, part + errors, queryOf(q), recordOf(q));
  }

  /** The same for a block of the rows listed. */
  function scanListed(q: number, block: number, total: number): void {
    const { threshold, whole } = states[q]!;
    const first = regions.positions / 4 + block * BLOCK;
    const count = Math.min(BLOCK, total - block * BLOCK);
    kernel.products(first * 4, count, regions.planes + high, queryOf(q), whole.correction, productsAt);
    let at = arenaOf(thread, q) / 4 + countOf(q) * 2;
    for (let i = 0; i < count; i++) {
      const row = ints[first + i]!;
      const score = products[i]! * planes.scales[row]! * whole.scale;
      if (score + planes.errors[row]! < threshold) continue;
      ints[at++] = row;
      floats[at++] = score;
    }
    setCount(q, (at * 4 - arenaOf(thread, q)) / 8);
  }

  /** Raises the threshold to what the candidates so far allow, and drops those below it. */
  function compact(q: number, k: number): void {
    const { errors } = planes;
    const { scanSlack, threshold: before } = states[q]!;
    const count = countOf(q);
    const start = arenaOf(thread, q) / 4;
    const errorOf = (i: number) => errors[ints[start + 2 * i]!]!;
    const lower = (i: number) => floats[start + 2 * i + 1]! - errorOf(i);
    const threshold = Math.max(before, thresholdOf(count, k, lower, scanSlack));
    setThreshold(q, threshold);
    keep(
      q,
      indicesWhere(count, (i) => floats[start + 2 * i + 1]! + errorOf(i) >= threshold),
    );
    if (countOf(q) <= mostCandidates(k)) return;
    const rows = Int32Array.from({ length: countOf(q) }, (_, i) => ints[start + 2 * i]!);
    keep(q, narrow(q, rows, { k, most: mostCandidates(k) >> 1 }));
  }

  /** Moves the candidates with these indices, ascending, to the front, and drops the others. */
  function keep(q: number, indices: ArrayLike<number>): void {
    const start = arenaOf(thread, q) / 4;
    for (let i = 0; i < indices.length; i++) {
      ints[start + 2 * i] = ints[start + 2 * indices[i]!]!;
      floats[start + 2 * i + 1] = floats[start + 2 * indices[i]! + 1]!;
    }
    setCount(q, indices.length);
  }

  function fineScores(q: number, rows: Int32Array): Float64Array {
    const { correction, scale } = states[q]!.whole;
    const list = home + own.list;
    const scores = new Float64Array(rows.length);
    for (let at = 0; at < rows.length; at += LIST) {
      const part = rows.subarray(at, at + LIST);
      ints.set(part, list / 4);
      kernel.products(list, part.length, regions.planes + high, queryOf(q), correction, productsAt);
      kernel.products(list, part.length, regions.planes + low, queryOf(q), correction, productsAt + 4 * LIST);
      part.forEach((row, i) => {
        scores[at + i] = fineScore(products[i]!, products[LIST + i]!, planes.scales[row]! * scale);
      });
    }
    return scores;
  }

  function narrow(q: number, rows: Int32Array, { k, most }: { k: number; most: number }): Int32Array {
    const { query, slack, threshold: before } = states[q]!;
    if (rows.length <= k) return indicesWhere(rows.length, () => true);
    const { fineErrors } = planes;
    const scores = fineScores(q, rows);
    const lower = (i: number) => scores[i]! - fineErrors[rows[i]!]!;
    const threshold = thresholdOf(rows.length, k, lower, slack);
    setThreshold(q, Math.max(before, threshold));
    const open = indicesWhere(rows.length, (i) => scores[i]! + fineErrors[rows[i]!]! >= threshold);
    if (open.length <= most) return open;
    const top = createTopK(k);
    const openRows = open.map((i) => rows[i]!);
    vectors.scores(query, openRows).forEach((score, i) => {
      top.offer(openRows[i]!, score);
    });
    const best = new Set(top.take().rows);
    return open.filter((i) => best.has(rows[i]!));
  }

  return {
    async run() {
      const [n, k, listed] = [words[WORD.queries]!, words[WORD.k]!, words[WORD.listed]!];
      const total = listed < 0 ? padded : listed;
      states = Array.from({ length: n }, (_, q) => prepare(q));
      for (let q = 0; q < n; q++) {
        setCount(q, 0);
        setThreshold(q, LEAST_THRESHOLD);
      }
      const many = listed < 0 && n >= BATCH_FROM && total >= BATCH_ROWS;
      if (many && batch === undefined) batch = await openBatch(stride);
      const batched = many && batch !== null;
      if (batched) prepareBatch();
      else if (listed < 0 && bytes) states.forEach((_, q) => void prepareBytes(q));
      let first = true;
      for (;;) {
        const block = Atomics.add(words, WORD.next, 1);
        if (block * BLOCK >= total) break;
        if (batched) await scanBatch(block);
        for (let q = 0; q < n; q++) {
          if (listed >= 0) scanListed(q, block, total);
          else if (!batched) scanBlock(q, block);
          if (first || countOf(q) > mostCandidates(k)) compact(q, k);
        }
        first = false;
      }
      for (let q = 0; q < n; q++) {
        compact(q, k);
        words[WORD.counts + thread * GROUP + q] = countOf(q);
      }
      return batched;
    },
    narrow,
    candidates(t, q) {
      const start = arenaOf(t, q) / 4;
      return Int32Array.from({ length: words[WORD.counts + t * GROUP + q]! }, (_, i) => ints[start + 2 * i]!);
    },
  };
}

function indicesWhere(count: number, fits: (i: number) => boolean): Int32Array {
  const indices = new Int32Array(count);
  let found = 0;
  for (let i = 0; i < count; i++) if (fits(i)) indices[found++] = i;
  return indices.subarray(0, found);
}
