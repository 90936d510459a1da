/** The training loop: batches in, weights moved, checkpoints out. It knows nothing of folders and files of pictures. */
import { setImmediate } from 'node:timers/promises';
import { type Groups, writeCheckpoint } from './checkpoint.js';
import type { Settings } from './config.js';
import type { Feed } from './feed.js';
import { memoryBankLoss, twoViewLoss } from './loss.js';
import { createMemoryBank, remember } from './memory-bank.js';
import { embed, type Network } from './network.js';
import { createOptimiser, type Optimiser } from './optimiser.js';
import { learningRate } from './schedule.js';
import { type Scalar, type Tensor2D, type Tensor4D, tf, type Variable } from './tensorflow.js';

/** Where a run stands; saved in every checkpoint. `step` steps of epoch `epoch` (from 0) are done. */
export interface Progress {
  epoch: number;
  step: number;
  lossSum: number; // over the steps of this epoch
}

export interface EpochReport {
  epoch: number; // finished, from 1
  loss: number; // mean over the epoch's steps
  viewsPerSecond: number;
  waitShare: number; // of the time, for input
  seconds: number;
}

/** Everything that is trained, and what a checkpoint holds. */
export interface Run {
  settings: Settings;
  network: Network;
  optimiser: Optimiser;
  bank: Variable | null; // pictures x dimension, of the memory-bank objective
}

/** Views of a picture that the objective needs in a step. */
export function viewsOf(settings: Settings): number {
  return settings.objective === 'two-view' ? 2 : 1;
}

export function createRun(settings: Settings, network: Network, pictures: number): Run {
  const { momentum, weight_decay: decay, dimension, seed } = settings;
  const optimiser = createOptimiser(network.trained, { momentum, decay });
  const bank = settings.objective === 'memory-bank' ? createMemoryBank(pictures, dimension, seed) : null;
  return { settings, network, optimiser, bank };
}

/** The variables of a run by group, for a checkpoint. */
export function groupsOf({ network, optimiser, bank }: Run): Groups {
  return {
    weights: network.trained,
    statistics: network.statistics,
    slots: optimiser.slots,
    bank: new Map(bank ? [['vectors', bank]] : []),
  };
}

/** The loss became NaN or infinite; the last checkpoint is still good. */
export class DivergedError extends Error {}

function diverged(loss: number, { epoch, step }: Progress, { lr }: Settings): DivergedError {
  const kept = epoch + step > 0 ? 'The last checkpoint is kept. ' : '';
  return new DivergedError(
    `the loss became ${loss} in epoch ${epoch + 1}. ${kept}Train anew with a lower --lr (it is ${lr}) or more --warmup-epochs`,
  );
}

export interface LoopOptions {
  feed: Pick<Feed, 'epoch' | 'steps'>;
  checkpoint: string; // path
  state: object; // kept in every checkpoint beside the progress
  /** Asked after every step: true ends the loop with a checkpoint. */
  shouldStop(): boolean;
  onStep?(step: number, loss: number): void;
  onEpoch(report: EpochReport): void;
}

/** Trains from `from` to the last epoch; returns where it stopped. A checkpoint is written after each epoch. */
export async function train(run: Run, from: Progress, options: LoopOptions): Promise<Progress> {
  let progress = from;
  while (progress.epoch < run.settings.epochs) {
    const { at, report } = await trainEpoch(run, progress, options);
    progress = at;
    writeCheckpoint(options.checkpoint, groupsOf(run), { ...options.state, progress });
    if (report === null) return progress;
    options.onEpoch(report);
    if (options.shouldStop()) return progress;
  }
  return progress;
}

async function trainEpoch(run: Run, from: Progress, { feed, shouldStop, onStep }: LoopOptions) {
  const started = performance.now();
  let { step, lossSum } = from;
  let waited = 0;
  let views = 0;
  for await (const batch of feed.epoch(from.epoch, from.step)) {
    waited += batch.waitedMs;
    const lr = learningRate(run.settings, from.epoch + step / feed.steps);
    const loss = trainStep(run, batch, lr);
    if (!Number.isFinite(loss)) throw diverged(loss, from, run.settings);
    step++;
    lossSum += loss;
    views += batch.pictures.length * viewsOf(run.settings);
    onStep?.(step, loss);
    await setImmediate(); // the step blocks: without this turn of the event loop Ctrl-C would never arrive
    if (step < feed.steps && shouldStop()) return { at: { epoch: from.epoch, step, lossSum }, report: null };
  }
  const seconds = (performance.now() - started) / 1000;
  const report: EpochReport = {
    epoch: from.epoch + 1,
    loss: lossSum / step,
    viewsPerSecond: views / seconds,
    waitShare: waited / 1000 / seconds,
    seconds,
  };
  return { at: { epoch: from.epoch + 1, step: 0, lossSum: 0 }, report };
}

/** One step on `views` ((v x b) x size x size x 3); returns the loss. */
export function trainStep(
  run: Run,
  batch: { views: Float32Array; pictures: Int32Array },
  lr: number,
): number {
  const { settings, network, optimiser, bank } = run;
  const { size, temperature, bank_momentum: momentum } = settings;
  return tf.tidy(() => {
    const pictures = tf.tensor1d(batch.pictures, 'int32');
    const count = batch.pictures.length * viewsOf(settings);
    const images: Tensor4D = tf.tensor4d(batch.views, [count, size, size, 3]);
    let vectors: Tensor2D | undefined;
    const objective = (): Scalar => {
      const embedded = embed(network, images, true);
      vectors = tf.keep(tf.clone(embedded));
      return bank
        ? memoryBankLoss(embedded, bank as unknown as Tensor2D, { pictures, temperature })
        : twoViewLoss(embedded, temperature);
    };
    const { value, grads } = tf.variableGrads(objective, [...network.trained.values()]);
    optimiser.step(grads, lr);
    if (bank) remember(bank, { pictures, vectors: vectors!, momentum });
    vectors!.dispose();
    return value.dataSync()[0]!;
  });
}
