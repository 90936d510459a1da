/** How broad a graph search has to be: tuned at the end of a build, corrected by the live recall. */

/** The least breadth that reached the target for lists of k. */
export interface Breadth {
  k: number;
  ef: number;
}

/** Of a graph whose breadth was not tuned yet. */
export const UNTUNED = 200;

/**
 * The breadth for lists of `k`, at least `k`: between two tuned ones in proportion, past them by the ratio of the last.
 * `breadths` is in the order of k; `boost` multiplies what was tuned.
 */
export function breadthFor(k: number, breadths: readonly Breadth[], boost: number): number {
  return Math.max(k, Math.ceil(tuned(k, breadths) * boost));
}

function tuned(k: number, breadths: readonly Breadth[]): number {
  const above = breadths.findIndex((one) => one.k >= k);
  if (breadths.length === 0) return UNTUNED;
  const [low, high] = [breadths[(above < 0 ? breadths.length : above) - 1], breadths[above]];
  if (!high) return (k * low!.ef) / low!.k;
  if (!low) return high.ef;
  return low.ef + ((high.ef - low.ef) * (k - low.k)) / (high.k - low.k);
}

/** Breadths to try for lists of k, from the narrowest on. */
export function candidates(k: number, rows: number): number[] {
  const wanted = FACTORS.map((factor) => Math.min(rows, Math.max(LEAST, Math.ceil(k * factor))));
  return [...new Set(wanted)].filter((ef) => ef >= Math.min(k, rows));
}

const FACTORS = [1, 1.1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.5, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 32];
const LEAST = 16;

/**
 * The factor after the live recall was seen: wider once enough samples miss the target, narrower again, never below
 * what was tuned, once many exceed it clearly. The same factor when there is nothing to change.
 */
export function corrected(
  boost: number,
  { ratio, samples }: { ratio: number | null; samples: number },
  target: number,
): number {
  if (ratio === null || samples < ENOUGH) return boost;
  if (ratio < target) return Math.min(WIDEST, boost * 1.25);
  if (samples >= MANY && ratio > target + (1 - target) / 2) return Math.max(1, boost / 1.1);
  return boost;
}

const ENOUGH = 50;
const MANY = 200;
const WIDEST = 4;
