/** The learning rate and the size of the views over a run. */

export interface Schedule {
  lr: number; // the highest rate
  epochs: number;
  warmup_epochs: number; // rises in equal steps from near 0
  drops: readonly number[]; // epochs at which the rate falls to a tenth; none means cosine to 0
}

/** The rate for a step, `progress` being epochs done so far as a fraction (epoch 3, half way: 3.5). */
export function learningRate(schedule: Schedule, progress: number): number {
  const { lr, epochs, warmup_epochs: warmup, drops } = schedule;
  if (progress < warmup) return (lr * progress) / warmup;
  if (drops.length > 0) return lr * 0.1 ** drops.filter((epoch) => progress >= epoch).length;
  const share = Math.min(1, (progress - warmup) / Math.max(epochs - warmup, 1e-9));
  return (lr * (1 + Math.cos(Math.PI * share))) / 2;
}

export interface Growth {
  size: number;
  start_size: number; // of the first epoch; 0 means size
  grow_until: number; // share of the epochs
  epochs: number;
}

/**
 * The side of the views in an epoch (from 0): from start_size to size in equal steps of `stride` pixels, the
 * pixels that make one before the mean. Small views cost less and teach the coarse part as well.
 */
export function viewSize(
  { size, start_size: start, grow_until, epochs }: Growth,
  stride: number,
  epoch: number,
) {
  const rounds = Math.floor((size - start) / stride);
  if (start === 0 || rounds <= 0) return size;
  const share = Math.min(1, epoch / Math.max(grow_until * epochs, 1));
  return size - stride * (rounds - Math.floor(share * rounds));
}
