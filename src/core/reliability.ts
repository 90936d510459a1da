/** An answer's top probability, and whether its label turned out right. */
export interface Judged {
  probability: number;
  correct: boolean;
}

/**
 * The smallest threshold for which the answers at or above it are right with at least `precision`, by the lower bound
 * (Wilson, one-sided, `deviate` standard deviations) and not by the plain ratio, which three lucky answers would reach.
 * Null when no threshold does.
 */
export function chooseThreshold(
  judged: readonly Judged[],
  { precision, deviate }: { precision: number; deviate: number },
): number | null {
  const sorted = judged.toSorted((a, b) => b.probability - a.probability);
  let threshold: number | null = null;
  let correct = 0;
  sorted.forEach((one, i) => {
    if (one.correct) correct++;
    const tied = sorted[i + 1]?.probability === one.probability; // equal ones come in together
    if (!tied && wilsonLowerBound(correct, i + 1, deviate) >= precision) threshold = one.probability;
  });
  return threshold;
}

/** Wilson 1927: the smallest ratio that `correct` of `n` is within `deviate` standard deviations of. */
export function wilsonLowerBound(correct: number, n: number, deviate: number): number {
  if (n === 0) return 0;
  const ratio = correct / n;
  const square = deviate ** 2 / n;
  const spread = Math.sqrt(ratio * (1 - ratio) * square + square ** 2 / 4);
  return (ratio + square / 2 - spread) / (1 + square);
}

/**
 * Expected calibration error: bins of equal mass by probability (Nguyen and O'Connor 2015; equal ones stay together),
 * in each the distance of the mean probability from the share that is right, weighted by size.
 * Even perfect probabilities show about 0.8 x sqrt(p (1 - p) x bins / n) by chance.
 */
export function expectedCalibrationError(judged: readonly Judged[], bins: number): number {
  const sorted = judged.toSorted((a, b) => a.probability - b.probability);
  let error = 0;
  let gap = 0; // of the open bin: sum of probabilities less the number that is right
  let closed = 0;
  sorted.forEach((one, i) => {
    gap += one.probability - Number(one.correct);
    const full = i + 1 >= ((closed + 1) * sorted.length) / bins;
    if (!full || sorted[i + 1]?.probability === one.probability) return;
    error += Math.abs(gap) / sorted.length;
    gap = 0;
    closed = Math.floor(((i + 1) * bins) / sorted.length);
  });
  return error;
}
