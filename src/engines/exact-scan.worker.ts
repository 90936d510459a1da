import { workerData } from 'node:worker_threads';
import { type PlaneMemory, regionsOf, STATE, WORD } from './exact-memory.js';
import { createScanner, type Scanner } from './exact-scan.js';
import { openVectors, type VectorSource } from './vector-source.js';

/**
 * A helper of `exact-int8.ts`: sleeps until it is invited to a task, takes blocks of it until none is left. Told
 * by shared memory alone, so that neither side waits for an event loop.
 */
export interface ScanData {
  bank: PlaneMemory;
  source: VectorSource;
  thread: number;
  bytes: boolean; // by the scan of bytes
}

await serve(workerData as ScanData);

async function serve({ bank, source, thread, bytes }: ScanData): Promise<void> {
  const words = new Int32Array(
    bank.memory.buffer,
    0,
    regionsOf(bank.rows, bank.dimension, bank.threads).floats / 4,
  );
  const state = WORD.states + thread;
  const vectors = openVectors(source, bank);
  const scanner = createScanner(bank, vectors, { thread, bytes });
  for (;;) {
    const ticket = Atomics.load(words, WORD.ticket);
    const found = Atomics.compareExchange(words, state, STATE.invited, STATE.working);
    if (found === STATE.stop) break;
    if (found === STATE.invited) {
      await work(scanner, words, state);
    } else Atomics.wait(words, WORD.ticket, ticket);
  }
  vectors.close();
}

async function work(scanner: Scanner, words: Int32Array, state: number): Promise<void> {
  let end: number = STATE.failed;
  try {
    await scanner.run();
    end = STATE.done;
  } finally {
    Atomics.store(words, state, end);
    Atomics.notify(words, state);
  }
}
