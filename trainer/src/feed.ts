/** Batches of views, made ahead on other threads so that the training step hardly ever waits for input. */
import { Worker } from 'node:worker_threads';
import type { Augmentation } from './augment.js';
import type { AugmentOrder, AugmentSetup } from './augment-worker.js';
import type { Pack } from './pack.js';
import { drawFor, permutation } from './random.js';

/** Views of one kind: `views` of each picture, a share of its area within `crop`. */
export interface ViewPart {
  views: number;
  crop: readonly [number, number];
  size: number; // the largest side, pixels
  /** The side in an epoch (from 0), at most `size`. */
  sizeAt(epoch: number): number;
}

export interface FeedOptions {
  batch: number; // pictures
  parts: readonly ViewPart[];
  seed: number;
  augmentation: Omit<Augmentation, 'size' | 'crop'>;
  threads?: number;
}

/** `parts`: by kind, (views x batch) x side x side x 3, valid until the next batch is asked for. */
export interface Batch {
  parts: { views: Float32Array; side: number }[];
  pictures: Int32Array;
}

export interface TimedBatch extends Batch {
  waitedMs: number; // how long the training step had to wait for it
}

const SLOTS = 4;

/** Holds the threads; whoever creates it closes it. */
export class Feed {
  readonly steps: number; // full batches in an epoch; the rest of the pictures waits for another order
  readonly #pack: Pack;
  readonly #options: FeedOptions;
  readonly #slots: Float32Array[][]; // by slot and part
  readonly #workers: Worker[];
  readonly #waiting = new Map<number, { done: () => void; failed: (error: Error) => void }>();

  constructor(pack: Pack, options: FeedOptions) {
    this.#pack = pack;
    this.#options = options;
    this.steps = Math.floor(pack.count / options.batch);
    const buffers = Array.from({ length: SLOTS }, () =>
      options.parts.map(
        ({ views, size }) => new SharedArrayBuffer(4 * views * options.batch * viewLength(size)),
      ),
    );
    this.#slots = buffers.map((parts) => parts.map((part) => new Float32Array(part)));
    const setup: AugmentSetup = {
      pack: pack.data,
      side: pack.side,
      slots: buffers,
      parts: options.parts.map(({ views, crop }) => ({ views, crop })),
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
  async *epoch(epoch: number, fromStep = 0): AsyncGenerator<TimedBatch> {
    const { batch, seed, parts } = this.#options;
    const order = permutation(drawFor(seed, epoch), this.#pack.count);
    const sizes = parts.map((part) => part.sizeAt(epoch));
    const picturesOf = (step: number) => order.slice(step * batch, (step + 1) * batch);
    const ready = new Map<number, Promise<void>>();
    const ask = (step: number) => {
      if (step >= this.steps) return;
      const slot = step % SLOTS;
      ready.set(step, this.#fill({ slot, epoch, sizes, pictures: picturesOf(step) }, step));
    };
    for (let step = fromStep; step < fromStep + SLOTS; step++) ask(step);
    for (let step = fromStep; step < this.steps; step++) {
      const from = performance.now();
      await ready.get(step);
      ready.delete(step);
      yield {
        parts: this.#slots[step % SLOTS]!.map((values, i) => {
          const side = sizes[i]!;
          return { side, views: values.subarray(0, parts[i]!.views * batch * viewLength(side)) };
        }),
        pictures: picturesOf(step),
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

/** Numbers in a view. */
export function viewLength(side: number): number {
  return side * side * 3;
}
