import { z } from 'zod';

/** The 0th to the 100th percentile of a collection's scores (cosine), ascending: 101 values, however many there were. */
export const percentileTable = z
  .array(z.number())
  .length(101)
  .refine((table) => table.every((value, i) => i === 0 || table[i - 1]! <= value), 'must ascend');
export type PercentileTable = z.infer<typeof percentileTable>;

/** The percentiles of `scores`, between two of them by a straight line; null without scores. */
export function tabulate(scores: readonly number[]): PercentileTable | null {
  if (scores.length === 0) return null;
  const sorted = Float64Array.from(scores).sort();
  return Array.from({ length: 101 }, (_, percent) => {
    const place = (percent * (sorted.length - 1)) / 100;
    const low = sorted[Math.floor(place)]!;
    const high = sorted[Math.ceil(place)]!;
    return Math.min(high, low + (high - low) * (place - Math.floor(place))); // rounding must not pass `high`
  });
}

/**
 * The share, 0 to 100, of the scores behind the table that are at most `score`: between two percentiles by a straight
 * line, never falling as the score grows. Below the smallest 0, from the largest on 100.
 */
export function percentileOf(score: number, table: PercentileTable): number {
  let below = table.length - 1;
  while (below >= 0 && table[below]! > score) below--;
  const low = table[below];
  const high = table[below + 1];
  if (low === undefined) return 0;
  return high === undefined ? 100 : below + (score - low) / (high - low);
}
