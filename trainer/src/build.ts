/** The story of a training: folder -> pack -> train -> export -> bank. Each step is a file of its own. */
import { mkdir } from 'node:fs/promises';
import { LookalikeError } from '../../dist/offline.js';
import { MINIMUM_PICTURES } from './folder.js';
import { createNetwork } from './network.js';
import type { Pack } from './pack.js';
import { type BuildRequest, openPlace } from './place.js';
import { publish } from './publish.js';
import { createRun } from './train.js';
import { loadCheckpoint, trainRun } from './training.js';

/** The last two left a checkpoint and no encoder. */
export type Outcome = 'done' | 'time-limit' | 'interrupted';

/** Runs the chain, or the part of it that was asked for. */
export async function build(request: BuildRequest): Promise<Outcome> {
  await mkdir(request.out, { recursive: true });
  const place = await openPlace(request);
  const pack = await place.pack(place.split.training, request.settings.pack);
  checkEnough(pack, place.split.training.length);
  // A batch is never larger than the collection.
  const settings = { ...request.settings, batch: Math.min(request.settings.batch, pack.count) };
  const run = createRun(settings, createNetwork(settings), pack.count);
  const outcome = request.exportOnly ? await loadOnly() : await trainRun(place, run, pack);
  if (outcome === 'done') await publish(place, run);
  return outcome;

  async function loadOnly(): Promise<Outcome> {
    loadCheckpoint(place.checkpoint, run, pack);
    return 'done';
  }
}

function checkEnough(pack: Pack, found: number): void {
  if (pack.count >= MINIMUM_PICTURES) return;
  throw new LookalikeError(
    'nothing_to_index',
    `only ${pack.count} of ${found} pictures can be read; training needs at least ${MINIMUM_PICTURES}`,
  );
}
