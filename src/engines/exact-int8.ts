import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { concatenated } from '../core/concatenated.js';
import { createTopK } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { bytesWork } from './exact-kernel-probe.js';
import { ARENA, GROUP, type PlaneMemory, regionsOf, STATE, WORD, WORTH_HELP } from './exact-memory.js';
import { createScanner, roomFor } from './exact-scan.js';
import type { ScanData } from './exact-scan.worker.js';
import { openVectors, type VectorSource } from './vector-source.js';
import { workerUrl } from './worker-call.js';

/**
 * The certified scan over 8-bit planes on the CPU: this thread and its helpers take blocks of rows until none is
 * left, then this thread puts together what they found. Blocks the thread it runs on.
 */
export interface Int8Session {
  /** `queries`: q x dimension unit vectors; `positions`: the only rows that may be returned. */
  search(
    queries: Float32Array,
    q: number,
    options: { k: number; positions?: Int32Array | undefined },
  ): Promise<Hits[]>;
  /** What searches cost so far. */
  readonly counts: {
    queries: number;
    left: number; // rows that the threads' scans left open
    scored: number; // rows whose vectors were read
    scanned: number; // queries for which all were
    batches: number; // tasks that onnxruntime multiplied
  };
  close(): Promise<void>;
}

/** A helper that has not answered after this many milliseconds is dead: none works on a task for seconds. */
const HELPER_LIMIT = 30_000;

/** Throws where the machine has no vectors in WebAssembly. `bytes`: by the scan of bytes, where it works unless told. */
export function openInt8Session(
  bank: PlaneMemory,
  source: VectorSource,
  { bytes = bytesWork(bank.dimension) } = {},
): Int8Session {
  const { memory, rows, dimension } = bank;
  const regions = regionsOf(rows, dimension, bank.threads);
  const vectors = openVectors(source, { rows, dimension });
  const scanner = createScanner(bank, vectors, { thread: 0, bytes });
  const words = new Int32Array(memory.buffer, 0, regions.floats / 4);
  const counts = { queries: 0, left: 0, scored: 0, scanned: 0, batches: 0 };
  const helpers = Array.from({ length: bank.threads - 1 }, (_, i) =>
    startHelper({ bank, source, thread: i + 1, bytes }),
  );

  async function run(
    queries: Float32Array,
    q: number,
    { k, positions }: { k: number; positions: Int32Array | undefined },
  ) {
    new Float32Array(memory.buffer, regions.floats, queries.length).set(queries);
    if (positions) new Int32Array(memory.buffer, regions.positions, positions.length).set(positions);
    words[WORD.queries] = q;
    words[WORD.k] = k;
    words[WORD.listed] = positions ? positions.length : -1;
    Atomics.store(words, WORD.next, 0);
    const work = (positions?.length ?? rows) * q;
    if (work >= WORTH_HELP && helpers.length > 0) invite(words, helpers.length);
    if (await scanner.run()) counts.batches++;
    return [0, ...joined(words, helpers.length)];
  }

  /** The list of query i: what the threads found, narrowed by both planes, scored by the vectors. */
  function listOf(i: number, query: Float32Array, { k, threads }: { k: number; threads: number[] }): Hits {
    const found = threads.map((thread) => scanner.candidates(thread, i));
    const all = concatenated(Int32Array, found);
    const open = scanner
      .narrow(i, all, { k, most: Number.POSITIVE_INFINITY })
      .map((at) => all[at]!)
      .sort();
    counts.left += all.length;
    counts.scored += open.length;
    const top = createTopK(Math.min(k, open.length));
    vectors.scores(query, open).forEach((score, at) => {
      top.offer(open[at]!, score);
    });
    return { ...top.take(), exact: true };
  }

  return {
    counts,
    async search(queries, q, { k, positions }) {
      const sorted = positions?.slice().sort();
      const most = Math.min(GROUP, Math.floor(ARENA / roomFor(k)));
      const hits: Hits[] = [];
      const rowsOf = (from: number, count: number) =>
        queries.subarray(from * dimension, (from + count) * dimension);
      counts.queries += q;
      if (most === 0) {
        counts.scanned += q;
        return Array.from({ length: q }, (_, i) => vectors.scan(rowsOf(i, 1), { k, positions: sorted }));
      }
      for (let from = 0; from < q; from += most) {
        const some = rowsOf(from, Math.min(most, q - from));
        const n = some.length / dimension;
        const threads = await run(some, n, { k, positions: sorted });
        for (let i = 0; i < n; i++) hits.push(listOf(i, rowsOf(from + i, 1), { k, threads }));
      }
      return hits;
    },
    async close() {
      helpers.forEach((_, i) => {
        Atomics.store(words, WORD.states + i + 1, STATE.stop);
      });
      Atomics.add(words, WORD.ticket, 1);
      Atomics.notify(words, WORD.ticket);
      await Promise.all(helpers.map((helper) => once(helper, 'exit')));
      vectors.close();
    },
  };
}

function startHelper(data: ScanData): Worker {
  const helper = new Worker(workerUrl('exact-scan.worker'), { workerData: data });
  helper.on('error', (error) => {
    throw error; // ends this thread, too: whoever started it starts all anew
  });
  return helper;
}

function invite(words: Int32Array, helpers: number): void {
  for (let thread = 1; thread <= helpers; thread++) Atomics.store(words, WORD.states + thread, STATE.invited);
  Atomics.add(words, WORD.ticket, 1);
  Atomics.notify(words, WORD.ticket);
}

/** Waits for the helpers that took part; one that has not begun need not: nothing is left to do. */
function joined(words: Int32Array, helpers: number): number[] {
  const threads: number[] = [];
  for (let thread = 1; thread <= helpers; thread++) {
    const state = WORD.states + thread;
    if (Atomics.compareExchange(words, state, STATE.invited, STATE.idle) === STATE.invited) continue;
    if (Atomics.load(words, state) === STATE.idle) continue;
    while (Atomics.load(words, state) === STATE.working)
      if (Atomics.wait(words, state, STATE.working, HELPER_LIMIT) === 'timed-out')
        throw new Error(`thread ${thread} of the exact index does not answer`);
    if (Atomics.exchange(words, state, STATE.idle) === STATE.failed)
      throw new Error(`thread ${thread} of the exact index failed`);
    threads.push(thread);
  }
  return threads;
}
