import { z } from 'zod';
import { percentileTable } from './percentile.js';
import type { LabelShare } from './types.js';

const fraction = z.number().min(0).max(1);
const count = z.int().nonnegative();

/**
 * probability_c = keep x share_c^power / (sum of share^power): temperature scaling (Guo et al. 2017) of the vote's
 * logarithms, and what is not kept says 'none of these'.
 */
export const calibrationMapping = z.strictObject({ power: z.number().positive(), keep: fraction });
export type CalibrationMapping = z.infer<typeof calibrationMapping>;

/** What a collection knows of its own votes, made by `fitCalibration`. */
export const calibrationRecord = z.strictObject({
  format_version: z.literal(1),
  /** The vote that was calibrated; probabilities of any other vote would be wrong. */
  vote: z.strictObject({ k: z.int().positive(), temperature: z.number().positive() }),
  samples: count,
  labels: count, // different ones among the samples
  /** Why there is no `fit`, in words; null when there is one. */
  reason: z.string().nullable(),
  fit: z
    .strictObject({
      mapping: calibrationMapping,
      accuracy: fraction, // of the label with the largest share
      /** Expected calibration error of the top label: bins of equal mass; `after` is cross-validated. */
      calibration_error: z.strictObject({
        bins: count,
        folds: count,
        before: fraction,
        after: fraction,
      }),
      abstention: z.strictObject({
        asked_precision: fraction,
        confidence: fraction, // of the lower bound that the threshold was chosen by
        threshold: fraction.nullable(), // null: no threshold reaches the precision, so all votes abstain
        coverage: fraction, // share of the samples that do not abstain, cross-validated
        precision: fraction.nullable(), // of those, cross-validated; null when all abstain
      }),
    })
    .nullable(),
  /** Of each sample's nearest other picture, for `percentileOf`; null when no sample has one. */
  nearest_scores: percentileTable.nullable(),
});
export type CalibrationRecord = z.infer<typeof calibrationRecord>;

export interface CalibratedLabel extends LabelShare {
  probability: number | null; // null when the record has no fit
}

export interface CalibratedVote {
  labels: CalibratedLabel[]; // in the order given
  /** True unless the top label is right as often as was asked for; so also without a fit and without labels. */
  abstained: boolean;
}

/**
 * Probabilities for the shares of one vote: each in 0..1, never smaller for a larger share, together at most 1; the
 * rest is 'none of these'. The shares must be of the vote that the record names.
 */
export function calibrate(labels: readonly LabelShare[], record: CalibrationRecord): CalibratedVote {
  if (!record.fit) return { labels: labels.map((one) => ({ ...one, probability: null })), abstained: true };
  const { mapping, abstention } = record.fit;
  const probabilities = toProbabilities(
    labels.map(({ share }) => share),
    mapping,
  );
  const top = Math.max(0, ...probabilities);
  return {
    labels: labels.map((one, i) => ({ ...one, probability: probabilities[i]! })),
    abstained: labels.length === 0 || abstention.threshold === null || top < abstention.threshold,
  };
}

/** The mapping alone. Shares are divided by the largest first, so that no power makes all of them vanish. */
export function toProbabilities(shares: readonly number[], { power, keep }: CalibrationMapping): number[] {
  const top = Math.max(0, ...shares);
  if (top === 0) return shares.map(() => 0);
  const weights = shares.map((share) => (share / top) ** power);
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (keep * weight) / whole);
}
