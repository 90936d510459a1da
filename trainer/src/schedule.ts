/** The learning rate over a run. */

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
