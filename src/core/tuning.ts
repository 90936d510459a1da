import { LookalikeError } from './errors.js';

/** Which of several ways to run is the fastest, from times that were taken side by side, and whether that can be told at all. */
export interface Trial {
  name: string;
  times: readonly number[]; // milliseconds, one a round; the rounds of all trials are the same
}

export interface Choice {
  best: number; // position among the trials
  gain: number; // how many times as fast as the standard, the median over the rounds
}

/** Another way than the standard has to be this much faster, … */
export const LEAST_GAIN = 1.05;
/** … in this share of the rounds. */
const LEAST_WINS = 0.8;
/** The same work may take this much longer in a slow round (third quartile) than in a quick one (first). */
export const MOST_SPREAD = 1.3;

/**
 * The trial to take: the standard one, unless another is faster by more than chance. Throws `overloaded` when the times
 * of the standard vary so much that nothing can be told.
 */
export function chooseTrial(trials: readonly Trial[], standard: number): Choice {
  const usual = trials[standard]!.times;
  const [quick, slow] = [quantile(usual, 0.25), quantile(usual, 0.75)];
  if (!(slow <= MOST_SPREAD * quick))
    throw new LookalikeError(
      'overloaded',
      `the machine is too busy to measure on: the same work took ${quick.toFixed(1)} ms in one round and ${slow.toFixed(1)} ms in another`,
    );
  let choice: Choice = { best: standard, gain: 1 };
  for (const [i, { times }] of trials.entries()) {
    const gains = times.map((time, round) => usual[round]! / time);
    const gain = quantile(gains, 0.5);
    const wins = gains.filter((one) => one > 1).length / gains.length;
    if (gain >= LEAST_GAIN && wins >= LEAST_WINS && gain > choice.gain) choice = { best: i, gain };
  }
  return choice;
}

/** The value below which this share of the list lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))]!;
}
