/** Batches of views, made ahead on other threads so that the training step hardly ever waits for input. */
import { Worker } from 'node:worker_threads';
import type { Augmentation } from './augment.js';
import type { AugmentOrder, AugmentSetup } from './augment-worker.js';
import type { Pack } from './pack.js';
import { drawFor, permutation } from './random.js';

export interface FeedOptions {
  batch: number; // pictures
  views: number; // of each picture
  seed: number;
  augmentation: Augmentation;
  threads?: number;
}

/** `views`: (views x batch) x size x size x 3, valid until the next batch is asked for. */
export interface Batch {
  views: Float32Array;
  pictures: Int32Array;
  waitedMs: number; // how long the training step had to wait for it
}

const SLOTS = 4;

/** Holds the threads; whoever creates it closes it. */
export class Feed {
  readonly steps: number; // full batches in an epoch; the rest of the pictures waits for another order
  readonly #pack: Pack;
  readonly #options: FeedOptions;
  readonly #slots: Float32Array[];
  readonly #workers: Worker[];
  readonly #waiting = new Map<number, { done: () => void; failed: (error: Error) => void }>();

  constructor(pack: Pack, options: FeedOptions) {
    this.#pack = pack;
    this.#options = options;
    this.steps = Math.floor(pack.count / options.batch);
    const bytes = options.views * options.batch * options.augmentation.size ** 2 * 3 * 4;
    const slots = Array.from({ length: SLOTS }, () => new SharedArrayBuffer(bytes));
    this.#slots = slots.map((slot) => new Float32Array(slot));
    const setup: AugmentSetup = {
      pack: pack.data,
      side: pack.side,
      slots,
      views: options.views,
      augmentation: options.augmentation,
      seed: options.seed,
    };
    this.#workers = Array.from({ length: options.threads ?? 1 }, () => this.#start(setup));
  }

  #start(setup: AugmentSetup): Worker {
    const worker = new Worker(new URL('./augment-worker.js', import.meta.url), { workerData: setup });
    worker.on('message', (slot: number) => this.#waiting.get(slot)?.done());
    worker.on('error', (error) => {
      for (const { failed } of this.#waiting.values()) failed(error);
    });
    return worker;
  }

  /** The batches of one epoch in its own order, from `fromStep` on. */
  async *epoch(epoch: number, fromStep = 0): AsyncGenerator<Batch> {
    const { batch, seed } = this.#options;
    const order = permutation(drawFor(seed, epoch), this.#pack.count);
    const ready = new Map<number, Promise<void>>();
    const ask = (step: number) => {
      if (step >= this.steps) return;
      const pictures = order.slice(step * batch, (step + 1) * batch);
      ready.set(step, this.#fill({ slot: step % SLOTS, epoch, pictures }, step));
    };
    for (let step = fromStep; step < fromStep + SLOTS; step++) ask(step);
    for (let step = fromStep; step < this.steps; step++) {
      const from = performance.now();
      await ready.get(step);
      ready.delete(step);
      yield {
        views: this.#slots[step % SLOTS]!,
        pictures: order.slice(step * batch, (step + 1) * batch),
        waitedMs: performance.now() - from,
      };
      ask(step + SLOTS);
    }
  }

  #fill(order: AugmentOrder, step: number): Promise<void> {
    const filled = new Promise<void>((done, failed) => this.#waiting.set(order.slot, { done, failed }));
    filled.catch(() => {}); // reported where the batch is awaited
    this.#workers[step % this.#workers.length]!.postMessage(order);
    return filled;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
