import type { Job } from './types.js';

/** How fast a job goes. */
export interface Pace {
  rate: number | null; // entries a second; null while not yet known
  seconds_left: number | null; // null when it cannot be told
}

/**
 * The pace of a running job over its last half minute or so: a job that was taken up again first passes over what is
 * done already, and that says nothing of the rest. Times are milliseconds.
 */
export interface PaceKeeper {
  note(done: number, at: number): void;
  read(job: Pick<Job, 'done' | 'total' | 'state'>, at: number): Pace;
}

interface Sample {
  done: number;
  at: number;
}

const WINDOW_MS = 15_000;
/** Less time than this tells nothing. */
const LEAST_MS = 200;

export function createPace(): PaceKeeper {
  let earlier: Sample | undefined;
  let later: Sample | undefined;
  return {
    note(done, at) {
      later ??= { done, at };
      earlier ??= later;
      if (at - later.at < WINDOW_MS) return;
      earlier = later;
      later = { done, at };
    },
    read({ done, total, state }, at) {
      if (state !== 'running' || !earlier || at - earlier.at < LEAST_MS) return UNKNOWN_PACE;
      const rate = Math.max(0, (done - earlier.done) / ((at - earlier.at) / 1000));
      const known = rate > 0 && total !== null && total > done;
      return { rate: rounded(rate), seconds_left: known ? Math.ceil((total - done) / rate) : null };
    },
  };
}

/** Over its whole time. */
export function paceOfEnded({ done, started_at, finished_at }: Job): Pace {
  if (started_at === null || finished_at === null) return UNKNOWN_PACE;
  const seconds = (Date.parse(finished_at) - Date.parse(started_at)) / 1000;
  return { rate: seconds > 0 ? rounded(done / seconds) : null, seconds_left: null };
}

export const UNKNOWN_PACE: Pace = { rate: null, seconds_left: null };
const rounded = (rate: number): number => Math.round(rate * 100) / 100;
