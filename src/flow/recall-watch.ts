/**
 * Live recall. A share of what the graph answered is asked again of the exact index, and a rolling estimate
 * says which part of the true neighbours callers get. Searches come first: a sample waits until no search
 * has run for a moment, one is measured at a time, few wait, and what finds no room is dropped.
 */

/**
 * Asks the exact index what the graph was asked. Resolves to the part of the true neighbours that the graph
 * had found, 0 to 1, or to null when that cannot be told any more.
 */
export type Rerun = (signal: AbortSignal) => Promise<number | null>;

export interface Recall {
  ratio: number | null; // mean over the samples; null before the first
  samples: number; // that it is the mean of, at most 200
}

/** The estimate of one collection. */
export interface RecallEstimate {
  /** A search was answered by the graph; it may be taken as a sample. */
  offer(rerun: Rerun): void;
  recall(): Recall;
  /** Another graph answers from now on, or one with another breadth: forgets what was measured of the one before, and what waits. */
  reset(): void;
}

export interface RecallWatch {
  estimate(): RecallEstimate;
  /** Runs a search; samples wait meanwhile. */
  during<T>(search: () => Promise<T>): Promise<T>;
  /** Ends what is being measured and takes no more. */
  close(): Promise<void>;
}

export interface RecallWatchParts {
  share: number; // of the offered searches, 0 to 1; 0 takes none
  random: () => number; // 0 to 1
  now: () => number; // milliseconds
  /** The moment that must pass without a search; rejects when `signal` fires. */
  moment: (signal: AbortSignal) => Promise<void>;
}

/** Samples that an estimate is the mean of. */
const WINDOW = 200;
/** Samples that may wait: a query and a list each. */
const WAITING = 4;
/** Milliseconds between two that are taken. */
const APART = 1000;

interface Sample {
  rerun: Rerun;
  ratios: number[]; // where its result goes
}

export function createRecallWatch({ share, random, now, moment }: RecallWatchParts): RecallWatch {
  const stop = new AbortController();
  let waiting: Sample[] = [];
  let measuring: Promise<void> | null = null;
  let running = 0;
  let begun = 0;
  let taken = Number.NEGATIVE_INFINITY;

  function isTaken(): boolean {
    if (stop.signal.aborted || waiting.length >= WAITING || !(random() < share)) return false;
    if (now() - taken < APART) return false;
    taken = now();
    return true;
  }

  /** Measures until nothing waits; looks again after each moment in which a search ran. */
  async function measure(): Promise<void> {
    while (waiting.length > 0) {
      const before = begun;
      await moment(stop.signal);
      if (running > 0 || begun > before) continue;
      const sample = waiting.shift();
      if (sample) await take(sample);
    }
  }

  /** A sample that fails is only a sample less: the engine that failed has said so itself. */
  async function take({ rerun, ratios }: Sample): Promise<void> {
    const ratio = await rerun(stop.signal).catch(() => null);
    if (ratio === null) return;
    ratios.push(ratio);
    if (ratios.length > WINDOW) ratios.shift();
  }

  function begin(): void {
    measuring ??= measure()
      .catch(() => {
        waiting = []; // the moment was ended: closed
      })
      .finally(() => {
        measuring = null;
        if (waiting.length > 0) begin(); // offered in between
      });
  }

  const queue: Queue = {
    offer(sample) {
      if (!isTaken()) return;
      waiting.push(sample);
      begin();
    },
    drop(ratios) {
      waiting = waiting.filter((sample) => sample.ratios !== ratios);
    },
  };

  return {
    estimate: () => createEstimate(queue),
    async during(search) {
      running++;
      begun++;
      try {
        return await search();
      } finally {
        running--;
      }
    },
    async close() {
      waiting = [];
      stop.abort();
      await measuring;
    },
  };
}

/** What an estimate asks of its watch. */
interface Queue {
  offer(sample: Sample): void;
  drop(ratios: number[]): void;
}

function createEstimate(queue: Queue): RecallEstimate {
  let ratios: number[] = [];
  return {
    offer: (rerun) => queue.offer({ rerun, ratios }),
    recall: () => ({ ratio: meanOf(ratios), samples: ratios.length }),
    reset() {
      queue.drop(ratios);
      ratios = []; // what is being measured goes into the old ones
    },
  };
}

const meanOf = (ratios: readonly number[]): number | null =>
  ratios.length === 0 ? null : ratios.reduce((sum, one) => sum + one, 0) / ratios.length;
