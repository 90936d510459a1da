/**
 * Which form of a trained network is exported: the input size, and the embedding, which is the head's projection
 * or the backbone's features whitened (`whitening.ts`). Chosen by a kNN among the training pictures, so that
 * held-out pictures are only ever measured with.
 */
import type { ListedImage } from '../../dist/offline.js';
import { backboneChannels } from './architecture.js';
import {
  backboneFeatures,
  embedFeatures,
  innerAccuracy,
  knnAccuracy,
  type Labelled,
  labelledPart,
} from './evaluate.js';
import { type Network, wholeStride } from './network.js';
import type { Pack } from './pack.js';
import type { Place } from './place.js';
import { percent } from './report.js';
import { whitening, withWhitening } from './whitening.js';

/** What is exported. `embedding` in words: projection, or whitening and its power. */
export interface Form {
  network: Network;
  side: number; // of the input, pixels
  embedding: string;
}

const CHOOSING_PICTURES = 10_000; // at most so many are decoded again at every size
const SCALE_WITHOUT_LABELS = 1.25; // pictures look larger in random crops than when whole: Touvron et al. 2019
const PICTURES_A_CHANNEL = 20; // fewer do not tell the variances well; then the projection is kept without labels

/** The form with the best kNN among the training pictures; all are told and logged. */
export async function chooseForm(place: Place, network: Network): Promise<Form> {
  const { settings } = place.request;
  const stride = wholeStride(network.architecture);
  const fitting = (scale: number) => Math.max(1, Math.round((settings.size * scale) / stride)) * stride;
  const labelled = place.split.training.filter((image) => image.label !== null);
  if (new Set(labelled.map((image) => image.label)).size < 2)
    return withoutLabels(place, network, fitting(SCALE_WITHOUT_LABELS));
  let best: { form: Form; inner: number } | null = null;
  for (const side of new Set(settings.eval_scales.map(fitting))) {
    const known = await place.pack(sampleOf(labelled), side);
    const asked = place.split.heldOut.length > 0 ? await place.pack(place.split.heldOut, side) : null;
    const rows = await backboneFeatures(network, known);
    const askedRows = asked && (await backboneFeatures(network, asked));
    for (const { form, vectorsOf } of formsAt(side, { place, network, rows, count: known.count })) {
      const clean = labelledPart(known, await vectorsOf(rows));
      const heldOut = asked && labelledPart(asked, await vectorsOf(askedRows!));
      const inner = await measure(place, form, { known: clean, asked: heldOut });
      if (best === null || inner > best.inner) best = { form, inner };
    }
  }
  return best!.form;
}

/** At most `CHOOSING_PICTURES`, evenly. */
function sampleOf(images: readonly ListedImage[]): ListedImage[] {
  const every = Math.ceil(images.length / CHOOSING_PICTURES);
  return images.filter((_, i) => i % every === 0);
}

interface Candidate {
  form: Form;
  /** Unit vectors from features of the backbone. */
  vectorsOf(rows: Float32Array): Promise<Float32Array>;
}

/** The projection, and the whitenings that the settings name, learned from these features (count x channels). */
function formsAt(
  side: number,
  { place, network, rows, count }: { place: Place; network: Network; rows: Float32Array; count: number },
): Candidate[] {
  const candidate = (network: Network, embedding: string): Candidate => ({
    form: { network, side, embedding },
    vectorsOf: (rows) => embedFeatures(network, rows),
  });
  const { dimension, whitening: powers } = place.request.settings;
  const whitenings = backboneChannels(network.architecture) < dimension ? [] : powers;
  return [
    candidate(network, 'projection'),
    ...whitenings.map((power) =>
      candidate(withWhitening(network, whitening(rows, { count, dimension, power })), `whitening ${power}`),
    ),
  ];
}

/** kNN among the training pictures, 0..1; the held-out figure is told beside it and decides nothing. */
async function measure(
  { request, report }: Place,
  { side, embedding }: Form,
  { known, asked }: { known: Labelled; asked: Labelled | null },
): Promise<number> {
  const { knn_k: k, knn_temperature: temperature } = request.settings;
  const inner = await innerAccuracy(known, { k, temperature });
  const held = asked && (await knnAccuracy(asked, known, { k, temperature }));
  report.record('form', { side, embedding, knn_training: inner, knn_held_out: held });
  const beside = held === null ? '' : `, ${percent(held)} held out`;
  report.say(`${side} px, ${embedding}: kNN ${percent(inner)} among training pictures${beside}`);
  return inner;
}

/** Nothing can be measured: the size that fits the training views, and a mild whitening from enough pictures. */
async function withoutLabels(place: Place, network: Network, side: number): Promise<Form> {
  const { dimension, whitening: powers } = place.request.settings;
  const channels = backboneChannels(network.architecture);
  const power = powers[Math.floor((powers.length - 1) / 2)]; // the middle one
  const pack: Pack = await place.pack(sampleOf(place.split.training), side);
  if (power === undefined || channels < dimension || pack.count < PICTURES_A_CHANNEL * channels)
    return { network, side, embedding: 'projection' };
  const rows = await backboneFeatures(network, pack);
  const transform = whitening(rows, { count: pack.count, dimension, power });
  return { network: withWhitening(network, transform), side, embedding: `whitening ${power}` };
}
