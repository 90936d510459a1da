import { LookalikeError } from '../core/errors.js';
import type { Embedder } from '../core/ports.js';
import type { Image } from '../core/types.js';

/**
 * An embedder that joins calls: those that come while the encoder is busy run together once it is free. A batch costs
 * less than its pictures alone, and uploads that come at once need not queue one behind the other.
 */
export interface BatchOptions {
  most: number; // pictures in a joined batch; a call with more runs by itself
  /** How long after it came a call may wait for others, once the encoder is free. One that finds it idle never waits. */
  waitMs: number;
}

interface Call {
  images: readonly Image[];
  since: number;
  resolve(vectors: Float32Array): void;
  reject(error: unknown): void;
}

/** Takes `inner` over: closing the one closes the other. Vectors are within 1e-6 of those of a call by itself. */
export function joinCalls(inner: Embedder, { most, waitMs }: BatchOptions): Embedder {
  const waiting: Call[] = [];
  let busy = false;
  let timer: NodeJS.Timeout | undefined;

  /** The calls that run next, in the order they came. */
  function nextGroup(): { calls: number; full: boolean } {
    let [calls, n] = [0, 0];
    for (const call of waiting) {
      const { length } = call.images;
      if (calls > 0 && n + length > most) return { calls, full: true };
      calls++;
      n += length;
    }
    return { calls, full: n >= most };
  }

  /** `atOnce`: without waiting for others. */
  function depart({ atOnce }: { atOnce: boolean }): void {
    if (busy || waiting.length === 0) return;
    clearTimeout(timer);
    const { calls, full } = nextGroup();
    const left = waiting[0]!.since + waitMs - performance.now();
    if (!atOnce && !full && left > 0) {
      timer = setTimeout(() => depart({ atOnce: true }), left);
      return;
    }
    busy = true;
    void run(inner, waiting.splice(0, calls)).then((tell) => {
      busy = false; // before the callers know: who calls again then finds the encoder idle
      tell();
      depart({ atOnce: false });
    });
  }

  return {
    dimension: inner.dimension,
    modelSha256: inner.modelSha256,
    embed(images) {
      if (images.length === 0) return inner.embed(images);
      return new Promise((resolve, reject) => {
        const idle = !busy && waiting.length === 0;
        waiting.push({ images, since: performance.now(), resolve, reject });
        depart({ atOnce: idle });
      });
    },
    close: () => inner.close(),
  };
}

/** What one picture is refused with: it has no direction, or another size. */
const OF_A_PICTURE = new Set<unknown>(['invalid_vector', 'invalid_parameter']);

/** Runs calls together and returns what tells each of them what became of it. Never rejects. */
async function run(inner: Embedder, calls: readonly Call[]): Promise<() => void> {
  try {
    const vectors = await inner.embed(calls.flatMap(({ images }) => images));
    return () => {
      let at = 0;
      for (const call of calls) {
        const end = at + call.images.length * inner.dimension;
        call.resolve(vectors.slice(at, end));
        at = end;
      }
    };
  } catch (error) {
    const fault = error instanceof LookalikeError ? error.code : null;
    if (calls.length === 1 || !OF_A_PICTURE.has(fault))
      return () => {
        for (const call of calls) call.reject(error);
      };
    // One picture refuses a whole batch; the others are not to suffer for it.
    const tells: (() => void)[] = [];
    for (const call of calls) tells.push(await run(inner, [call]));
    return () => {
      for (const tell of tells) tell();
    };
  }
}
