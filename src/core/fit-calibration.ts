import type { CalibrationMapping, CalibrationRecord } from './calibrate.js';
import { LookalikeError } from './errors.js';
import { bestMapping, judge, type Sample, toSample, tryPowers } from './fit-mapping.js';
import { tabulate } from './percentile.js';
import { chooseThreshold, expectedCalibrationError } from './reliability.js';
import type { LabelShare } from './types.js';

/** A labelled row of the collection and the vote about it by the others: itself and its near-duplicates left out. */
export interface VotedRow {
  label: string; // its own
  shares: readonly LabelShare[];
  nearest: number | null; // score (cosine) of the nearest of the others, labelled or not; null without any
}

export interface FitOptions {
  vote: { k: number; temperature: number }; // that gave the shares
  precision?: number; // how often an answer that does not abstain is to be right; above 0, below 1
}

export const DEFAULT_PRECISION = 0.95;
export const MIN_SAMPLES = 50;
const FOLDS = 5;
const BINS = 10;

/**
 * Of the lower bound that the threshold is chosen by: one-sided, and as a number of standard deviations. Strict, since
 * the best of many thresholds is taken and since new pictures are somewhat harder than a collection's own.
 */
const CONFIDENCE = { level: 0.99, deviate: 2.326 };

/**
 * Fits the mapping by the least Brier score, chooses the threshold, and judges both by doing it all again five times
 * without a fifth of the rows (every fifth row) and trying those. The same rows in the same order give the same record.
 * About 100 exponentials a share: 0.1 s for 2,000 rows of 10 labels, 1 s for 200 labels, without a pause.
 *
 * There is no fit, and `reason` says so, with fewer than `MIN_SAMPLES` rows or with one label only.
 * Throws `invalid_parameter` for a precision, a share or a score that cannot be.
 */
export function fitCalibration(rows: readonly VotedRow[], options: FitOptions): CalibrationRecord {
  const { vote, precision = DEFAULT_PRECISION } = options;
  checkPrecision(precision);
  rows.forEach(checkRow);
  const labels = new Set(rows.map(({ label }) => label)).size;
  const reason = whyNoFit(rows.length, labels);
  return {
    format_version: 1,
    vote: { ...vote },
    samples: rows.length,
    labels,
    reason,
    fit: reason === null ? fitSamples(rows.map(toSample), precision) : null,
    nearest_scores: tabulate(rows.flatMap(({ nearest }) => nearest ?? [])),
  };
}

function whyNoFit(samples: number, labels: number): string | null {
  if (samples < MIN_SAMPLES)
    return `${samples} labelled pictures were tried, at least ${MIN_SAMPLES} are needed`;
  if (labels < 2) return 'all labelled pictures have the same label, at least 2 labels are needed';
  return null;
}

function fitSamples(samples: readonly Sample[], precision: number): CalibrationRecord['fit'] {
  const trials = tryPowers(samples, FOLDS);
  const choose = (leftOut?: number): Choice => {
    const mapping = bestMapping(trials, leftOut);
    const used = samples.filter((_, i) => i % FOLDS !== leftOut).map((sample) => judge(sample, mapping));
    const { deviate } = CONFIDENCE;
    return { mapping, threshold: chooseThreshold(used, { precision, deviate }) };
  };
  const { mapping, threshold } = choose();
  const byFold = Array.from({ length: FOLDS }, (_, fold) => choose(fold));
  const { error, coverage, achieved } = crossValidate(samples, byFold);
  return {
    mapping,
    accuracy: ratioCorrect(samples)!,
    calibration_error: { bins: BINS, folds: FOLDS, before: rawError(samples), after: error },
    abstention: {
      asked_precision: precision,
      confidence: CONFIDENCE.level,
      threshold,
      coverage,
      precision: achieved,
    },
  };
}

interface Choice {
  mapping: CalibrationMapping;
  threshold: number | null;
}

/** Every sample under the choice that was made without its fold. */
function crossValidate(samples: readonly Sample[], byFold: readonly Choice[]) {
  const judged = samples.map((sample, i) => {
    const { mapping, threshold } = byFold[i % FOLDS]!;
    const one = judge(sample, mapping);
    return { ...one, answered: threshold !== null && one.probability >= threshold };
  });
  const answered = judged.filter((one) => one.answered);
  return {
    error: expectedCalibrationError(judged, BINS),
    coverage: answered.length / samples.length,
    achieved: ratioCorrect(answered),
  };
}

/** With the largest share itself as the probability. */
function rawError(samples: readonly Sample[]): number {
  const asTheyAre = samples.map(({ shares, correct }) => ({
    probability: Math.min(1, Math.max(0, ...shares)),
    correct,
  }));
  return expectedCalibrationError(asTheyAre, BINS);
}

const ratioCorrect = (judged: readonly { correct: boolean }[]) =>
  judged.length === 0 ? null : judged.filter(({ correct }) => correct).length / judged.length;

function checkPrecision(precision: number): void {
  if (precision > 0 && precision < 1) return;
  throw new LookalikeError('invalid_parameter', `precision is ${precision}, above 0 and below 1 is allowed`, {
    field: 'precision',
  });
}

function checkRow({ shares, nearest }: VotedRow, place: number): void {
  const refuse = (fault: string) => {
    throw new LookalikeError('invalid_parameter', `voted row ${place}: ${fault}`, { field: 'rows' });
  };
  // Shares are sums of floating-point numbers: a little above 1 is 1.
  const wrong = shares.find(({ share }) => !(share >= 0 && share <= 1 + 1e-9));
  if (wrong) refuse(`the share of ${JSON.stringify(wrong.label)} is ${wrong.share}, 0 to 1 is allowed`);
  const whole = shares.reduce((sum, { share }) => sum + share, 0);
  if (whole > 1 + 1e-6) refuse(`the shares sum to ${whole}, at most 1 is allowed`);
  if (nearest !== null && !Number.isFinite(nearest))
    refuse(`the score of the nearest is ${nearest}, a finite number or null is allowed`);
}
