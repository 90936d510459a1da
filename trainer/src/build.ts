/** The story of a training: folder -> pack -> train -> export -> bank. Each step is a file of its own. */
import { type ListedImage, LookalikeError } from '../../dist/offline.js';
import { readCheckpoint } from './checkpoint.js';
import { cannotWrite, makeFolder } from './disk.js';
import { MINIMUM_PICTURES } from './folder.js';
import { Interrupted } from './interrupt.js';
import { createNetwork } from './network.js';
import type { ObjectiveSetup } from './objectives/index.js';
import type { Pack } from './pack.js';
import { type BuildRequest, openPlace, type Place } from './place.js';
import { publish } from './publish.js';
import { createRun, type Run, weightsOf } from './train.js';
import { loadCheckpoint, trainRun } from './training.js';

/** The last two left a checkpoint and no encoder. */
export type Outcome = 'done' | 'time-limit' | 'interrupted';

/** Runs the chain, or the part of it that was asked for. */
export async function build(request: BuildRequest): Promise<Outcome> {
  makeFolder(request.out);
  const place = await openPlace(request);
  try {
    return await buildIn(place);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    place.report.say(
      'interrupted; nothing is half written, the same command goes through the pictures again',
    );
    return 'interrupted';
  } finally {
    place.report.live(''); // an error begins on a clear line
  }
}

async function buildIn(place: Place): Promise<Outcome> {
  const { request } = place;
  const learned = learnedFrom(place);
  const pack = await place.pack(learned, request.settings.pack);
  checkEnough(pack, learned.length);
  // A batch is never larger than the collection.
  const settings = { ...request.settings, batch: Math.min(request.settings.batch, pack.count) };
  const network = createNetwork(settings);
  if (request.startFrom !== null) readCheckpoint(request.startFrom, weightsOf(network));
  const run = createRun(settings, network, { pictures: pack.count, classes: classesOf(pack) });
  const outcome = request.exportOnly ? await loadOnly() : await trainRun(place, run, pack);
  return outcome === 'done' ? publishOrStop(place, run) : outcome;

  async function loadOnly(): Promise<Outcome> {
    loadCheckpoint(place.checkpoint, run, pack);
    return 'done';
  }
}

/** The training is done and in the checkpoint, whatever happens here. */
async function publishOrStop(place: Place, run: Run): Promise<Outcome> {
  const { out } = place.request;
  try {
    await publish(place, run);
    return 'done';
  } catch (error) {
    if (!(error instanceof Interrupted))
      throw cannotWrite({ what: 'the encoder and its bank to', path: out, bytes: 0, out }, error);
    place.report.say('interrupted after the training: --export-only writes the encoder from the checkpoint');
    return 'interrupted';
  }
}

/** All pictures; supervised training needs those with labels. */
function learnedFrom({ request, split }: Place): ListedImage[] {
  if (request.settings.objective !== 'supervised') return split.training;
  const labelled = split.training.filter((image) => image.label !== null);
  if (new Set(labelled.map((image) => image.label)).size > 1) return labelled;
  throw new LookalikeError(
    'nothing_to_index',
    `${request.folder} has fewer than two labels; the objective "supervised" learns labels, which are the names of sub-folders`,
  );
}

function classesOf(pack: Pack): ObjectiveSetup['classes'] {
  const labels = [...new Set(pack.images.map((image) => image.label))].filter((label) => label !== null);
  return { labels, of: Int32Array.from(pack.images, ({ label }) => labels.indexOf(label!)) };
}

function checkEnough(pack: Pack, found: number): void {
  if (pack.count >= MINIMUM_PICTURES) return;
  throw new LookalikeError(
    'nothing_to_index',
    `only ${pack.count} of ${found} pictures can be read; training needs at least ${MINIMUM_PICTURES}`,
  );
}
