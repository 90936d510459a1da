import { type CalibrationMapping, toProbabilities } from './calibrate.js';
import type { Judged } from './reliability.js';
import type { LabelShare } from './types.js';

/** The powers tried: 1/16 to 16 in steps of 6 %, those nearest to 1 first, so that they win a tie. */
const POWERS = Array.from({ length: 97 }, (_, i) => 2 ** ((i - 48) / 12)).sort(
  (a, b) => Math.abs(Math.log(a)) - Math.abs(Math.log(b)),
);

/** A vote about a row whose label is known, as the fit reads it. */
export interface Sample {
  shares: number[];
  logs: Float64Array; // ln(share / largest share), -Infinity for a share of 0
  truth: number; // place of the row's own label, -1 when nobody voted for it
  correct: boolean; // the largest share is the row's own label's
}

export function toSample({ label, shares }: { label: string; shares: readonly LabelShare[] }): Sample {
  const values = shares.map(({ share }) => share);
  const top = Math.max(0, ...values);
  const truth = shares.findIndex((one) => one.label === label);
  return {
    shares: values,
    logs: Float64Array.from(values, (value) => (value > 0 ? Math.log(value / top) : -Infinity)),
    truth,
    correct: top > 0 && truth === values.indexOf(top),
  };
}

/** The top label under a mapping. */
export function judge({ shares, correct }: Sample, mapping: CalibrationMapping): Judged {
  return { probability: Math.max(0, ...toProbabilities(shares, mapping)), correct };
}

/** Sums over samples for one power, before anything is kept back: the Brier score needs no more. */
interface Sums {
  samples: number;
  hit: number; // of the true label's probability
  square: number; // of the squares of all probabilities
}

/** One power tried on all samples; sample i is in fold i % folds. */
export interface Trial {
  power: number;
  folds: Sums[];
}

/** Tries every power once; any choice of folds can then be fitted from the sums. */
export function tryPowers(samples: readonly Sample[], folds: number): Trial[] {
  return POWERS.map((power) => ({ power, folds: sumByFold(samples, { power, folds }) }));
}

function sumByFold(samples: readonly Sample[], { power, folds }: { power: number; folds: number }): Sums[] {
  const sums = Array.from({ length: folds }, () => ({ samples: 0, hit: 0, square: 0 }));
  samples.forEach(({ logs, truth }, i) => {
    let whole = 0;
    let square = 0;
    for (const log of logs) {
      const weight = Math.exp(power * log);
      whole += weight;
      square += weight * weight;
    }
    const fold = sums[i % folds]!;
    fold.samples += 1;
    if (whole === 0) return; // nobody voted
    if (truth >= 0) fold.hit += Math.exp(power * logs[truth]!) / whole;
    fold.square += square / whole ** 2;
  });
  return sums;
}

/** The mapping with the least Brier score over the samples, those of the fold `leftOut` not counted. */
export function bestMapping(trials: readonly Trial[], leftOut?: number): CalibrationMapping {
  const scored = trials.map(({ power, folds }) => {
    const used = folds.filter((_, fold) => fold !== leftOut);
    const total = (of: keyof Sums) => used.reduce((sum, fold) => sum + fold[of], 0);
    const [samples, hit, square] = [total('samples'), total('hit'), total('square')];
    // The Brier score is keep^2 x square - 2 x keep x hit + samples: least at hit / square. Never 1, by the rule of
    // succession: that no vote failed does not show that none can.
    const keep = Math.min((samples + 1) / (samples + 2), square > 0 ? hit / square : 0);
    return { power, keep, brier: keep ** 2 * square - 2 * keep * hit };
  });
  const { power, keep } = scored.reduce((best, one) => (one.brier < best.brier ? one : best));
  return { power, keep };
}
