/** Training with everything around the loop: where to start, what to measure, what to tell, when to stop. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError } from '../../dist/offline.js';
import type { Outcome } from './build.js';
import { readCheckpoint, readState } from './checkpoint.js';
import { MEAN, type Settings, STD } from './config.js';
import { features, knnAccuracy, labelledPart } from './evaluate.js';
import { Feed } from './feed.js';
import type { Network } from './network.js';
import type { Pack } from './pack.js';
import type { Place } from './place.js';
import { duration, percent } from './report.js';
import { type EpochReport, groupsOf, type Progress, type Run, train, viewsOf } from './train.js';

/** What a checkpoint says about itself. */
export interface CheckpointState {
  settings: Settings;
  data_sha256: string;
  progress: Progress;
}

const BEGINNING: Progress = { epoch: 0, step: 0, lossSum: 0 };

export async function trainRun(place: Place, run: Run, pack: Pack): Promise<Outcome> {
  const { request, report, checkpoint } = place;
  const { settings } = run;
  const from = request.resume ? loadCheckpoint(checkpoint, run, pack) : BEGINNING;
  await writeSettings(request.out, settings, pack);
  const tell = createTeller(place, from, await heldOutMeasure(place));
  const { batch, seed } = settings;
  const feed = new Feed(pack, {
    batch,
    seed,
    views: viewsOf(settings),
    augmentation: { ...settings, mean: MEAN, std: STD },
  });
  const minutes = request.timeLimitMinutes ?? Number.POSITIVE_INFINITY;
  const deadline = performance.now() + minutes * 60_000;
  report.record('start', {
    from,
    pictures: pack.count,
    held_out: place.split.heldOut.length,
    steps: feed.steps,
  });
  report.say(
    `${pack.count} pictures, ${feed.steps} steps an epoch, epochs ${from.epoch + 1} to ${settings.epochs}`,
  );
  try {
    const reached = await train(run, from, {
      feed,
      checkpoint,
      state: { settings, data_sha256: pack.dataSha256 },
      shouldStop: () => request.interrupted() || performance.now() > deadline,
      onStep: (step, loss) => report.live(`step ${step} of ${feed.steps}, loss ${loss.toFixed(3)}`),
      onEpoch: (epoch) => tell(epoch, run.network),
    });
    if (reached.epoch >= settings.epochs) return 'done';
    report.record('stop', { progress: reached });
    report.say(`stopped in epoch ${reached.epoch + 1}; go on with the same command and --resume`);
    return request.interrupted() ? 'interrupted' : 'time-limit';
  } finally {
    await feed.close();
  }
}

/** Fills the run from the checkpoint. The pictures must be the same: orders and bank rows depend on them. */
export function loadCheckpoint(path: string, run: Run, pack: Pack): Progress {
  if (!existsSync(path))
    throw new LookalikeError('invalid_parameter', `there is no checkpoint: ${path} does not exist`);
  const { data_sha256 } = readState<CheckpointState>(path);
  if (data_sha256 !== pack.dataSha256)
    throw new LookalikeError(
      'invalid_parameter',
      `the pictures have changed since ${path} was written: train anew`,
    );
  return readCheckpoint<CheckpointState>(path, groupsOf(run)).progress;
}

/** One line an epoch for people, one for the log; the time left counts everything since the start. */
function createTeller({ report, request }: Place, from: Progress, measure: Measure | null) {
  const { epochs, knn_every: every } = request.settings;
  const started = performance.now();
  return (done: EpochReport, network: Network) => {
    const due = done.epoch === epochs || (every > 0 && (done.epoch % every === 0 || done.epoch <= 2));
    const knn = due && measure ? measure(network) : null;
    report.record('epoch', { ...done, knn });
    const each = (performance.now() - started) / 1000 / (done.epoch - from.epoch);
    const parts = [
      `epoch ${done.epoch} of ${epochs}: loss ${done.loss.toFixed(3)}`,
      ...(knn === null ? [] : [`kNN ${percent(knn)}`]),
      `${done.viewsPerSecond.toFixed(0)} views/s`,
      `waited ${percent(done.waitShare)}`,
      `${duration(each * (epochs - done.epoch))} left`,
    ];
    report.say(parts.join(', '));
  };
}

/** kNN accuracy of a network on the held-out pictures, 0..1. */
type Measure = (network: Network) => number;

/** Null when nothing is held out. Known are the training pictures; both are seen clean, at the training size. */
async function heldOutMeasure({ request, split, pack }: Place): Promise<Measure | null> {
  if (split.heldOut.length === 0) return null;
  const { size, knn_k: k, knn_temperature: temperature } = request.settings;
  const known = await pack(
    split.training.filter((image) => image.label !== null),
    size,
  );
  const asked = await pack(split.heldOut, size);
  const of = (network: Network, part: Pack) => labelledPart(part, features(network, part));
  return (network) => knnAccuracy(of(network, asked), of(network, known), { k, temperature });
}

async function writeSettings(out: string, settings: Settings, pack: Pack): Promise<void> {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  const about = {
    settings,
    data: { pictures: pack.count, sha256: pack.dataSha256, unreadable: pack.unreadable.length },
    git_revision: status === 0 ? stdout.trim() : null,
    started_at: new Date().toISOString(),
  };
  await writeFile(join(out, 'settings.json'), `${JSON.stringify(about, null, 2)}\n`);
}
