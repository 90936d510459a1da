/** The training loop: batches in, weights moved, checkpoints out. It knows nothing of folders and files of pictures. */
import { setImmediate } from 'node:timers/promises';
import { type Groups, writeCheckpoint } from './checkpoint.js';
import type { Settings } from './config.js';
import type { Batch, Feed } from './feed.js';
import type { Network } from './network.js';
import { createObjective, type Objective, type ObjectiveSetup } from './objectives/index.js';
import { createOptimiser, type Optimiser } from './optimiser.js';
import { learningRate } from './schedule.js';
import { createStepper, type Stepper } from './step.js';
import { fetchValues } from './tensorflow.js';

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
  objective: Objective;
  optimiser: Optimiser;
}

export function createRun(settings: Settings, network: Network, about: Omit<ObjectiveSetup, 'network'>): Run {
  const { momentum, weight_decay: decay } = settings;
  const objective = createObjective(settings, { ...about, network });
  const trained = new Map([...network.trained, ...objective.trained]);
  return { settings, network, objective, optimiser: createOptimiser(trained, { momentum, decay }) };
}

/** The network's part of a checkpoint. */
export function weightsOf({ trained, statistics }: Network): Groups {
  return { weights: trained, statistics };
}

/** The variables of a run by group, for a checkpoint. */
export function groupsOf({ network, optimiser, objective }: Run): Groups {
  return {
    ...weightsOf(network),
    slots: optimiser.slots,
    learned: objective.trained,
    objective: objective.state,
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
  onEpoch(report: EpochReport): void | Promise<void>;
}

/** Trains from `from` to the last epoch; returns where it stopped. A checkpoint is written after each epoch. */
export async function train(run: Run, from: Progress, options: LoopOptions): Promise<Progress> {
  const stepper = await createStepper(run);
  let progress = from;
  try {
    while (progress.epoch < run.settings.epochs) {
      const { at, report } = await trainEpoch({ ...run, stepper }, progress, options);
      progress = at;
      await fetchValues(Object.values(groupsOf(run)).flatMap((group) => [...group.values()]));
      writeCheckpoint(options.checkpoint, groupsOf(run), { ...options.state, progress });
      if (report === null) break;
      await options.onEpoch(report);
      if (options.shouldStop()) break;
    }
    return progress;
  } finally {
    stepper.close();
  }
}

async function trainEpoch(
  run: Run & { stepper: Stepper },
  from: Progress,
  { feed, shouldStop, onStep }: LoopOptions,
) {
  const started = performance.now();
  let { step, lossSum } = from;
  let waited = 0;
  let views = 0;
  for await (const batch of feed.epoch(from.epoch, from.step)) {
    waited += batch.waitedMs;
    const lr = learningRate(run.settings, from.epoch + step / feed.steps);
    const loss = await run.stepper.step(batch, { lr, epoch: from.epoch, step });
    if (!Number.isFinite(loss)) throw diverged(loss, from, run.settings);
    step++;
    lossSum += loss;
    views += viewsIn(batch);
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

function viewsIn({ parts }: Batch): number {
  return parts.reduce((sum, { views, side }) => sum + views.length / (side * side * 3), 0);
}
