/**
 * Numbers as 8-bit integers: value = scale x (integer - zero point). Activations are unsigned and share one scale a
 * tensor, weights are signed and have one an output channel.
 */

export interface Range {
  min: number;
  max: number;
}

export interface ActivationScale {
  scale: number;
  zeroPoint: number; // 0..255
}

/**
 * Weights stay within -64..64. Without VNNI, processors add two products u8 x s8 in 16 bits and cut off what does not
 * fit: 2 x 255 x 64 = 32,640 does, 2 x 255 x 127 does not.
 */
export const WEIGHT_LIMIT = 64;

/** Zero is always a value of its own: padding and ReLU need it exactly. */
export function activationScale({ min, max }: Range): ActivationScale {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.fround(Math.max((high - low) / 255, 1e-8));
  return { scale, zeroPoint: Math.max(0, Math.min(255, Math.round(-low / scale))) };
}

export interface QuantisedWeights {
  values: Int8Array;
  scales: Float32Array; // one a channel
}

/**
 * `weights`: `channels` equal parts, one an output channel. `leastScale(c)` keeps the scale of a channel from
 * becoming so small that its bias would not fit into 32 bits.
 */
export function quantiseWeights(
  weights: Float32Array,
  channels: number,
  leastScale: (channel: number) => number = () => 0,
): QuantisedWeights {
  const size = weights.length / channels;
  const values = new Int8Array(weights.length);
  const scales = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const part = weights.subarray(c * size, (c + 1) * size);
    const most = part.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
    const scale = Math.fround(Math.max(most / WEIGHT_LIMIT, leastScale(c), 1e-12));
    scales[c] = scale;
    part.forEach((weight, i) => {
      const level = Math.round(weight / scale);
      values[c * size + i] = Math.max(-WEIGHT_LIMIT, Math.min(WEIGHT_LIMIT, level));
    });
  }
  return { values, scales };
}

/** Counts of values in equal steps over a range; values outside count in the outermost. */
export const BINS = 2048;

export function addToHistogram(bins: Float64Array, values: Float32Array, { min, max }: Range): void {
  const perUnit = max > min ? BINS / (max - min) : 0;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i]! - min) * perUnit);
    bins[bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin]!++;
  }
}

/**
 * The part of `whole` that 256 steps are best laid over: cutting off the rarest values costs them much and makes the
 * steps of all others finer. Chooses by the least sum of squared errors among shares of the range.
 */
export function bestRange(bins: Float64Array, whole: Range): Range {
  const width = (whole.max - whole.min) / BINS;
  const error = (range: Range) => {
    const step = (range.max - range.min) / 255;
    const inside = (step * step) / 12;
    let sum = 0;
    bins.forEach((count, bin) => {
      if (count === 0) return;
      const value = whole.min + (bin + 0.5) * width;
      const beyond = Math.max(0, value - range.max, range.min - value);
      sum += count * (inside + beyond * beyond);
    });
    return sum;
  };
  let best = whole;
  let least = error(whole);
  for (let share = 0.98; share > 0.3; share -= 0.02) {
    const range = { min: whole.min * share, max: whole.max * share };
    const found = error(range);
    if (found < least) [best, least] = [range, found];
  }
  return best;
}
