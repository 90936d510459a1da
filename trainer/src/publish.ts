/** After training: the best form, the exported encoder, what it is worth, the bank. */
import { basename, join } from 'node:path';
import { type Embedder, writeModel } from '../../dist/offline.js';
import { writeCard } from './card.js';
import { chooseForm } from './choose.js';
import { features, knnAccuracy, labelledPart } from './evaluate.js';
import {
  type Draft,
  draftManifest,
  embedPack,
  encodeNetwork,
  exportBank,
  verifyExport,
  withExported,
} from './export.js';
import { stoppable } from './interrupt.js';
import type { Network } from './network.js';
import type { Pack } from './pack.js';
import type { ModelWords, Place } from './place.js';
import { percent } from './report.js';
import { fetchValues } from './tensorflow.js';
import type { Run } from './train.js';

export async function publish(place: Place, run: Run): Promise<void> {
  const { request, report, split } = place;
  const { network, side: size, embedding } = await chooseForm(place, run.network);
  const training = await place.pack(split.training, size);
  const heldOut = split.heldOut.length > 0 ? await place.pack(split.heldOut, size) : null;
  const words = describe(place, training);
  const { settings } = request;
  const draft = draftManifest({ settings, size, embedding, dataSha256: training.dataSha256 }, words);
  await fetchValues([...network.trained.values(), ...network.statistics.values()]);
  const onnx = encodeNetwork(network);
  const embedded = await withExported({ onnx, draft, out: request.out }, async (exported) => {
    const embedder = stoppable(exported, request.interrupted);
    const difference = await verifyExport(network, embedder, heldOut ?? training);
    report.record('verified', { difference, size, embedding });
    report.say(
      `exported encoder agrees with the trained one: largest difference ${difference.toExponential(1)}`,
    );
    return embedAll(embedder, training, heldOut);
  });
  const accuracy = heldOut ? await measure(place, network, { training, heldOut, ...embedded }) : {};
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

/** kNN on the held-out pictures with the exported encoder's vectors, beside the trainer's own. */
async function measure(
  { request, report }: Place,
  network: Network,
  { training, heldOut, known, asked }: { training: Pack; heldOut: Pack } & Embedded,
): Promise<Draft['accuracy']> {
  const { knn_k: k, knn_temperature: temperature } = request.settings;
  const of = (knownVectors: Float32Array, askedVectors: Float32Array) =>
    knnAccuracy(labelledPart(heldOut, askedVectors), labelledPart(training, knownVectors), {
      k,
      temperature,
    });
  const exported = await of(known, asked!);
  const trained = await of(await features(network, training), await features(network, heldOut));
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
