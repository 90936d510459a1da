/** After training: the best input size, the exported encoder, what it is worth, the bank. */
import { basename, join } from 'node:path';
import { type Embedder, writeModel } from '../../dist/offline.js';
import { writeCard } from './card.js';
import { features, innerAccuracy, knnAccuracy, labelledPart } from './evaluate.js';
import {
  type Draft,
  draftManifest,
  embedPack,
  encodeNetwork,
  exportBank,
  verifyExport,
  withExported,
} from './export.js';
import { type Network, wholeStride } from './network.js';
import type { Pack } from './pack.js';
import type { ModelWords, Place } from './place.js';
import { percent } from './report.js';
import type { Run } from './train.js';

const CHOOSING_PICTURES = 10_000; // at most so many are decoded again at every size
const SCALE_WITHOUT_LABELS = 1.25; // pictures look larger in random crops than when whole: Touvron et al. 2019

export async function publish(place: Place, { network }: Run): Promise<void> {
  const { request, report, split } = place;
  const size = await chooseSize(place, network);
  const training = await place.pack(split.training, size);
  const heldOut = split.heldOut.length > 0 ? await place.pack(split.heldOut, size) : null;
  const words = describe(place, training);
  const { settings } = request;
  const draft = draftManifest({ settings, size, dataSha256: training.dataSha256 }, words);
  const onnx = encodeNetwork(network);
  const embedded = await withExported({ onnx, draft, out: request.out }, async (embedder) => {
    const difference = await verifyExport(network, embedder, heldOut ?? training);
    report.record('verified', { difference, size });
    report.say(
      `exported encoder agrees with the trained one: largest difference ${difference.toExponential(1)}`,
    );
    return embedAll(embedder, training, heldOut);
  });
  const accuracy = heldOut ? measure(place, network, { training, heldOut, ...embedded }) : {};
  const manifest = await writeModel(request.out, onnx, { ...draft, accuracy });
  const whole =
    heldOut && request.heldOut === null
      ? joined(training, heldOut, embedded)
      : { pack: training, vectors: embedded.known };
  const about = { modelSha256: manifest.sha256, dimension: manifest.dimension, words };
  await exportBank(join(request.out, 'index'), whole, about);
  await writeCard(request.out, manifest);
  report.say(
    `wrote encoder.onnx, manifest.json, README.md and a bank of ${whole.pack.count} pictures to ${request.out}`,
  );
}

interface Embedded {
  known: Float32Array; // of the training pictures
  asked: Float32Array | null; // of the held-out ones
}

async function embedAll(embedder: Embedder, training: Pack, heldOut: Pack | null): Promise<Embedded> {
  const known = await embedPack(embedder, training);
  return { known, asked: heldOut ? await embedPack(embedder, heldOut) : null };
}

/** The size with the best kNN among the training pictures; all are told and logged. */
async function chooseSize({ request, report, split, pack }: Place, network: Network): Promise<number> {
  const { size, eval_scales: scales, knn_k: k, knn_temperature: temperature } = request.settings;
  const stride = wholeStride(network.architecture);
  const fitting = (scale: number) => Math.max(1, Math.round((size * scale) / stride)) * stride;
  const labelled = split.training.filter((image) => image.label !== null);
  if (new Set(labelled.map((image) => image.label)).size < 2) return fitting(SCALE_WITHOUT_LABELS);
  const every = Math.ceil(labelled.length / CHOOSING_PICTURES);
  const sample = labelled.filter((_, i) => i % every === 0);
  let best = { side: size, inner: -1 };
  for (const side of new Set(scales.map(fitting))) {
    const known = await pack(sample, side);
    const clean = labelledPart(known, features(network, known));
    const inner = innerAccuracy(clean, { k, temperature });
    const asked = split.heldOut.length > 0 ? await pack(split.heldOut, side) : null;
    const held =
      asked && knnAccuracy(labelledPart(asked, features(network, asked)), clean, { k, temperature });
    report.record('size', { side, knn_training: inner, knn_held_out: held });
    report.say(
      `input ${side} px: kNN ${percent(inner)} among training pictures${held === null ? '' : `, ${percent(held)} held out`}`,
    );
    if (inner > best.inner) best = { side, inner };
  }
  return best.side;
}

/** kNN on the held-out pictures with the exported encoder's vectors, beside the trainer's own. */
function measure(
  { request, report }: Place,
  network: Network,
  { training, heldOut, known, asked }: { training: Pack; heldOut: Pack } & Embedded,
): Draft['accuracy'] {
  const { knn_k: k, knn_temperature: temperature } = request.settings;
  const of = (knownVectors: Float32Array, askedVectors: Float32Array) =>
    knnAccuracy(labelledPart(heldOut, askedVectors), labelledPart(training, knownVectors), {
      k,
      temperature,
    });
  const exported = of(known, asked!);
  const trained = of(features(network, training), features(network, heldOut));
  report.say(
    `kNN held out: ${percent(exported)} exported, ${percent(trained)} in the trainer (k ${k}, temperature ${temperature})`,
  );
  const accuracy = {
    knn_top1: exported,
    knn_top1_trainer: trained,
    k,
    temperature,
    known_pictures: training.count,
    held_out_pictures: heldOut.count,
    held_out_sha256: heldOut.dataSha256,
  };
  report.record('measured', accuracy);
  return accuracy;
}

function describe({ request }: Place, training: Pack): ModelWords {
  const folder = basename(request.folder);
  return {
    name: request.words.name ?? folder,
    trained_on:
      request.words.trained_on ?? `${training.count} pictures of the folder "${folder}", without labels`,
    terms: request.words.terms ?? 'those of the training pictures',
  };
}

/** Training and held-out pictures as one collection: a tenth that was only held back belongs to the bank. */
function joined(
  training: Pack,
  heldOut: Pack,
  { known, asked }: Embedded,
): { pack: Pack; vectors: Float32Array } {
  const vectors = new Float32Array(known.length + asked!.length);
  vectors.set(known);
  vectors.set(asked!, known.length);
  const images = [...training.images, ...heldOut.images];
  return { pack: { ...training, count: images.length, images }, vectors };
}
