/** Training with everything around the loop: where to start, what to measure, what to tell, when to stop. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LookalikeError } from '../../dist/offline.js';
import type { Outcome } from './build.js';
import { readCheckpoint, readState } from './checkpoint.js';
import { MEAN, type Settings, STD } from './config.js';
import { writeWhole } from './disk.js';
import { features, knnAccuracy, labelledPart } from './evaluate.js';
import { Feed } from './feed.js';
import { thisMachine } from './machine.js';
import type { Network } from './network.js';
import type { Pack } from './pack.js';
import type { Place } from './place.js';
import { createTeller } from './teller.js';
import { groupsOf, type Progress, type Run, train } from './train.js';
import { viewParts } from './views.js';

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
  const measure = await heldOutMeasure(place);
  const { batch, seed } = settings;
  const augmentation = { ...settings, mean: MEAN, std: STD };
  const feed = new Feed(pack, { batch, seed, parts: viewParts(run), augmentation });
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
  const tell = createTeller({
    report,
    out: request.out,
    epochs: settings.epochs,
    knnEvery: settings.knn_every,
    from,
    steps: feed.steps,
    work: pixelsOf(run),
    measure,
  });
  tell.head();
  try {
    const reached = await train(run, from, {
      feed,
      checkpoint,
      state: { settings, data_sha256: pack.dataSha256 },
      shouldStop: () => request.interrupted() || performance.now() > deadline,
      onStep: tell.step,
      onEpoch: (epoch) => tell.epoch(epoch, run.network),
    });
    if (reached.epoch >= settings.epochs) return 'done';
    report.record('stop', { progress: reached });
    report.say(`stopped in epoch ${reached.epoch + 1}; go on with the same command and --resume`);
    return request.interrupted() ? 'interrupted' : 'time-limit';
  } finally {
    report.live(''); // what comes next, an error too, begins on a clear line
    await feed.close();
  }
}

/** Pixels of a picture's views in an epoch: what it costs to learn from them. */
function pixelsOf(run: Run): (epoch: number) => number {
  const parts = viewParts(run);
  return (epoch) => parts.reduce((sum, { views, sizeAt }) => sum + views * sizeAt(epoch) ** 2, 0);
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

/** kNN accuracy of a network on the held-out pictures, 0..1. */
type Measure = (network: Network) => Promise<number>;

/**
 * Null when no accuracy can be measured; then it is said why. Known are the training pictures; both are seen clean,
 * at the training size.
 */
async function heldOutMeasure({ request, split, pack, report }: Place): Promise<Measure | null> {
  const { size, knn_k: k, knn_temperature: temperature } = request.settings;
  const labelled = split.training.filter((image) => image.label !== null);
  const known = await pack(labelled, size);
  const asked = await pack(split.heldOut, size);
  const why = whyUnmeasurable(known, asked);
  if (why !== null) {
    report.say(`no accuracy can be measured, the loss is all there is to see: ${why}`);
    return null;
  }
  const of = async (network: Network, part: Pack) => labelledPart(part, await features(network, part));
  return async (network) =>
    knnAccuracy(await of(network, asked), await of(network, known), { k, temperature });
}

/** What is missing for a vote of neighbours, in words; null when nothing is. */
function whyUnmeasurable(known: Pack, asked: Pack): string | null {
  const labels = new Set(known.images.map(({ label }) => label));
  if (labels.size === 0)
    return 'the pictures have no labels (labels are the names of sub-folders, two of them are needed)';
  if (labels.size === 1)
    return `all labelled pictures have the one label "${[...labels][0]}", so every vote is right (two are needed)`;
  return asked.count === 0 ? 'no labelled picture is held out that can be read' : null;
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
    machine: await thisMachine(),
    started_at: new Date().toISOString(),
  };
  const path = join(out, 'settings.json');
  writeWhole({ what: 'the settings', path, out }, [`${JSON.stringify(about, null, 2)}\n`]);
}
