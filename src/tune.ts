import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { abortedError } from './core/check-search.js';
import { LookalikeError } from './core/errors.js';
import type { Embedder } from './core/ports.js';
import { chooseTrial, quantile } from './core/tuning.js';
import { joinCalls } from './engines/embed-batches.js';
import { writeDurably } from './engines/files.js';
import { type ListedImage, listImages } from './engines/folder.js';
import { type Model, readModel } from './engines/manifest.js';
import { createOnnxEmbedder } from './engines/onnx-embedder.js';
import { type DecodedFile, decodeAll, evenly } from './sample-pictures.js';
import { SETTINGS, type Settings } from './settings.js';
import { type ExactTrial, exactCounts, tuneExact } from './tune-exact.js';
import { TUNED_FILE, type TunedSettings, thisMachine } from './tuned.js';

/** Thread settings by measurement: the ways take turns, of the encoder on real pictures; the best is written down. */
export interface TuneOptions {
  settings: Pick<Settings, 'model' | 'dataDir'>;
  pictures: string; // folder
  rounds: number;
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

export interface Tuned {
  machine: string;
  model: string; // name
  trials: { threads: number; spinning: boolean; alone_ms: number; together_ms: number; chosen: boolean }[];
  gain: number; // of the encoder, over the defaults
  exact: ExactTrial[];
  exact_gain: number;
  file: string;
}

interface Way {
  threads: number;
  spinning: boolean;
}

const PICTURES = 16;
const TOGETHER = 4; // requests at once: what runs at once unless LOOKALIKE_CONCURRENCY says otherwise

/** Throws `overloaded` when the machine is too busy to tell the ways apart; then nothing is written. */
export async function tune(options: TuneOptions): Promise<Tuned> {
  const { settings, pictures } = options;
  const model = await readModel(settings.model);
  const listed = await listImages(pictures);
  const files = evenly(listed, Math.min(PICTURES, listed.length));
  const { images } = await decodeAll(files, model.manifest.preprocess);
  if (images.length === 0)
    throw new LookalikeError('nothing_to_index', `${pictures} holds no picture that can be read`, {
      field: '--pictures',
    });
  const cores = availableParallelism();
  const ways = waysOf(cores);
  const { rounds, signal } = options;
  const total = rounds * (ways.length + exactCounts(cores).length);
  let done = 0;
  const onRound = () => options.onProgress(++done, total);
  const readable = images.map(({ file }) => file);
  const times = await measure(ways, { model, readable }, { rounds, signal, onRound });
  // One request and many at once count alike.
  const trials = times.map(({ alone, together }, i) => ({
    name: nameOf(ways[i]!),
    times: alone.map((one, round) => Math.sqrt(one * together[round]!)),
  }));
  const { best, gain } = chooseTrial(trials, standardOf(ways));
  const { dimension } = model.manifest;
  const exact = await tuneExact({ cores, dimension, rounds, signal, onRound });
  const middle = (list: readonly number[]) => quantile(list, 0.5);
  const result = {
    machine: thisMachine(),
    model: model.manifest.name,
    trials: ways.map((way, i) => ({
      ...way,
      alone_ms: middle(times[i]!.alone),
      together_ms: middle(times[i]!.together),
      chosen: i === best,
    })),
    gain,
    exact: exact.trials,
    exact_gain: exact.gain,
    file: join(settings.dataDir, TUNED_FILE),
  };
  await writeDurably(result.file, tunedFile(ways[best]!, result));
  return result;
}

const nameOf = ({ threads, spinning }: Way) => `${threads}${spinning ? ', spinning' : ''}`;

/** Threads in powers of two up to the cores, and all of them; spinning is of threads that wait for others. */
export function waysOf(cores: number): Way[] {
  const counts = new Set([1, cores]);
  for (let count = 2; count < cores && count <= 16; count *= 2) counts.add(count);
  return [...counts]
    .sort((a, b) => a - b)
    .flatMap((threads) => [
      { threads, spinning: false },
      ...(threads > 1 ? [{ threads, spinning: true }] : []),
    ]);
}

/** The way that a service goes that was not tuned, as far as there are cores for it. */
const standardOf = (ways: readonly Way[]) =>
  ways.findLastIndex(
    ({ threads, spinning }) => !spinning && threads <= Number(SETTINGS.embedThreads.fallback),
  );

function tunedFile({ threads, spinning }: Way, { file: _, ...measured }: Tuned): string {
  const settings = {
    [SETTINGS.embedThreads.variable]: String(threads),
    [SETTINGS.embedSpinning.variable]: String(spinning),
    [SETTINGS.exactThreads.variable]: String(measured.exact.find(({ chosen }) => chosen)!.threads),
  };
  const { machine } = measured;
  const content: TunedSettings = { format_version: 1, machine, settings, measured };
  return `${JSON.stringify(content, null, 2)}\n`;
}

interface Times {
  alone: number[]; // milliseconds of one picture, embedded when nothing else runs
  together: number[]; // milliseconds a picture, decoded and embedded with others
}

/** The ways take turns, so that what else the machine does meets all of them. */
async function measure(
  ways: readonly Way[],
  { model, readable }: { model: Model; readable: readonly ListedImage[] },
  { rounds, signal, onRound }: Pick<TuneOptions, 'rounds' | 'signal'> & { onRound(): void },
): Promise<Times[]> {
  const { manifest, onnxPath } = model;
  const most = Number(SETTINGS.embedBatch.fallback);
  const asInService = (embedder: Embedder) => joinCalls(embedder, { most, waitMs: 0 });
  const embedders: Embedder[] = [];
  const times = ways.map((): Times => ({ alone: [], together: [] }));
  try {
    for (const { threads: intraOpThreads, spinning } of ways)
      embedders.push(
        asInService(await createOnnxEmbedder({ modelPath: onnxPath, manifest, intraOpThreads, spinning })),
      );
    for (let round = -1; round < rounds; round++)
      for (const [i, embedder] of embedders.entries()) {
        if (signal.aborted) throw abortedError();
        const found = await oneRound(embedder, manifest, readable);
        if (round < 0) continue; // the first is for warming up
        times[i]!.alone.push(found.alone);
        times[i]!.together.push(found.together);
        onRound();
      }
    return times;
  } finally {
    await Promise.all(embedders.map((embedder) => embedder.close()));
  }
}

async function oneRound(
  embedder: Embedder,
  { preprocess }: Model['manifest'],
  files: readonly ListedImage[],
): Promise<{ alone: number; together: number }> {
  const { images } = await decodeAll(files, preprocess);
  const embed = ({ image }: DecodedFile) => embedder.embed([image]);
  const alone = await timed(async () => {
    for (const one of images) await embed(one);
  });
  // Decoder and encoder at once, as with several clients: threads that spin take cores from the decoder.
  const work = [...files];
  const client = async () => {
    for (let file = work.pop(); file; file = work.pop()) {
      for (const one of (await decodeAll([file], preprocess)).images) await embed(one);
    }
  };
  const together = await timed(() => Promise.all(Array.from({ length: TOGETHER }, client)));
  return { alone: alone / images.length, together: together / images.length };
}

async function timed(step: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await step();
  return performance.now() - start;
}
