import { othersVote } from './leave-one-out.js';
import { scanTopK } from './top-k.js';

/** How true a changed encoder is to the one it was made of, over the same pictures. */

/** A changed encoder is refused below this mean cosine, … */
export const LEAST_COSINE = 0.99;
/** … and where more than this share of the pictures loses its right label, … */
export const MOST_LOSS = 0.005;
/** … unless chance alone does that as often as this. */
export const CHANCE = 0.05;

export interface Fidelity {
  pictures: number;
  cosine: { mean: number; p1: number; least: number };
  knn: KnnChange | null; // null without labels
}

export interface KnnChange {
  before: number; // share of right labels, 0..1
  after: number;
  pictures: number; // those with a label
  lost: number; // right before, wrong after
  gained: number;
  k: number;
  temperature: number;
}

export interface Embedded {
  vectors: Float32Array; // rows x dimension, unit length
  dimension: number;
}

/** `a` and `b` hold the vectors of the same pictures; `labels` the right answers where they are known. */
export function compareEncoders(
  a: Embedded,
  b: Embedded,
  labels: readonly (string | null)[],
  vote: { k: number; temperature: number },
): Fidelity {
  const cosines = cosinesOf(a, b).sort((x, y) => x - y);
  const mean = cosines.reduce((sum, one) => sum + one, 0) / cosines.length;
  const p1 = cosines[Math.floor(cosines.length / 100)]!;
  return {
    pictures: cosines.length,
    cosine: { mean, p1, least: cosines[0]! },
    knn: knnChange(a, b, labels, vote),
  };
}

function cosinesOf({ vectors: a, dimension }: Embedded, { vectors: b }: Embedded): number[] {
  return Array.from({ length: a.length / dimension }, (_, row) => {
    let sum = 0;
    for (let i = row * dimension; i < (row + 1) * dimension; i++) sum += a[i]! * b[i]!;
    return sum;
  });
}

function knnChange(
  a: Embedded,
  b: Embedded,
  labels: readonly (string | null)[],
  vote: { k: number; temperature: number },
): KnnChange | null {
  if (new Set(labels.filter((label) => label !== null)).size < 2) return null;
  const [before, after] = [rightAnswers(a, labels, vote), rightAnswers(b, labels, vote)];
  const pictures = labels.filter((label) => label !== null).length;
  const count = (is: (row: number) => boolean) => labels.filter((_, row) => is(row)).length;
  return {
    before: count((row) => before[row]!) / pictures,
    after: count((row) => after[row]!) / pictures,
    pictures,
    lost: count((row) => before[row]! && !after[row]!),
    gained: count((row) => !before[row]! && after[row]!),
    ...vote,
  };
}

/** Whether all the others, copies of it left out, give a picture its own label. */
function rightAnswers(
  { vectors, dimension }: Embedded,
  labels: readonly (string | null)[],
  vote: { k: number; temperature: number },
): boolean[] {
  const bank = { vectors, rows: labels.length, dimension };
  return labels.map((label, row) => {
    if (label === null) return false;
    const query = vectors.subarray(row * dimension, (row + 1) * dimension);
    const { rows, scores } = scanTopK(bank, query, { k: Math.min(labels.length, 2 * vote.k) });
    const others = [...rows]
      .map((other, i) => ({ row: other, score: scores[i]! }))
      .filter((o) => o.row !== row);
    return othersVote(others, (other) => labels[other]!, vote).labels[0]?.label === label;
  });
}

/** Why the changed encoder is not to be used, or null. */
export function fidelityFault({ cosine, knn }: Fidelity): string | null {
  if (!(cosine.mean >= LEAST_COSINE))
    return `the mean cosine to the vectors of the encoder it was made of is ${cosine.mean.toFixed(4)}, at least ${LEAST_COSINE} is needed`;
  if (!knn || knn.before - knn.after <= MOST_LOSS) return null;
  if (chanceOf(knn.lost, knn.lost + knn.gained) > CHANCE) return null;
  const points = (share: number) => (100 * share).toFixed(2);
  return `the weighted kNN names ${points(knn.after)} % of the pictures rightly instead of ${points(knn.before)} %, at most ${100 * MOST_LOSS} points less are allowed`;
}

/** How often a fair coin shows heads `heads` times or more in `tosses` (the sign test, one-sided). */
export function chanceOf(heads: number, tosses: number): number {
  let logTerm = -tosses * Math.LN2; // of no heads at all
  let sum = 0;
  for (let i = 0; i <= tosses; i++) {
    if (i >= heads) sum += Math.exp(logTerm);
    logTerm += Math.log((tosses - i) / (i + 1));
  }
  return Math.min(1, sum);
}
