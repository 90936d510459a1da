/** How far two encoders agree about the same pictures: what is looked at before one takes the other's place. */

/** What one encoder says of a picture, the picture itself left out. */
export interface Opinion {
  rows: readonly number[]; // nearest first
  scores: readonly number[]; // cosine, of the same rows
  label: string | null; // voted; null when no labelled picture is in reach
}

export interface Compared {
  label: string | null; // the picture's own
  before: Opinion;
  after: Opinion;
}

/** Shares and means are over the pictures that can tell; null where none can. */
export interface Agreement {
  pictures: number; // that were asked for
  /** Mean share of the 10 nearest that are the same under both. */
  overlap_at_10: number | null;
  /** Share of the pictures whose voted label is another. */
  label_changes: { share: number; of: number } | null;
  /** The score at each of the 10 ranks, after minus before: its mean, and the mean of its size. */
  score_drift: { mean: number; mean_absolute: number } | null;
  /** Share of the labelled pictures whose label is voted for by the others. */
  knn_accuracy: { before: number; after: number; of: number } | null;
}

const NEAREST = 10;

export function agreement(compared: readonly Compared[]): Agreement {
  const voted = compared.filter(({ before, after }) => before.label !== null && after.label !== null);
  const labelled = voted.filter(({ label }) => label !== null);
  const drifts = compared.flatMap(drift);
  return {
    pictures: compared.length,
    overlap_at_10: mean(compared.flatMap(overlap)),
    label_changes: voted.length === 0 ? null : { share: share(voted, changed), of: voted.length },
    score_drift:
      drifts.length === 0 ? null : { mean: mean(drifts)!, mean_absolute: mean(drifts.map(Math.abs))! },
    knn_accuracy:
      labelled.length === 0
        ? null
        : {
            before: share(labelled, ({ label, before }) => before.label === label),
            after: share(labelled, ({ label, after }) => after.label === label),
            of: labelled.length,
          },
  };
}

const changed = ({ before, after }: Compared) => before.label !== after.label;

/** Of as many as both have; nothing when one has none. */
function overlap({ before, after }: Compared): number[] {
  const n = Math.min(NEAREST, before.rows.length, after.rows.length);
  if (n === 0) return [];
  const same = new Set(before.rows.slice(0, n));
  return [after.rows.slice(0, n).filter((row) => same.has(row)).length / n];
}

function drift({ before, after }: Compared): number[] {
  const n = Math.min(NEAREST, before.scores.length, after.scores.length);
  return Array.from({ length: n }, (_, rank) => after.scores[rank]! - before.scores[rank]!);
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : rounded(values.reduce((sum, value) => sum + value, 0) / values.length);

const share = <T>(all: readonly T[], holds: (one: T) => boolean): number =>
  rounded(all.filter(holds).length / all.length);

/** More digits than that would be noise of the sample. */
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

/**
 * Which of the rows are looked at: the same on every machine, spread over all of them whatever their order. The
 * finaliser of MurmurHash3 orders them; the first `size` are taken.
 */
export function sampleOf(rows: Int32Array, size: number): number[] {
  if (rows.length <= size) return [...rows];
  // Below this hash lie about twice as many as are wanted, so that only those are sorted.
  const bound = Math.min(1, (2 * size + 50) / rows.length) * 2 ** 32;
  const few = [...rows].filter((row) => scattered(row) < bound);
  const enough = few.length >= size ? few : [...rows];
  return enough.sort((a, b) => scattered(a) - scattered(b) || a - b).slice(0, size);
}

function scattered(row: number): number {
  let hash = row | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
