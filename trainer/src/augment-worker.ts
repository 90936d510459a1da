/** A thread that fills batches with views while the main thread trains. It shares the pack and the slots. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Augmentation, writeView } from './augment.js';
import { drawFor } from './random.js';

export interface AugmentSetup {
  pack: SharedArrayBuffer; // n x side x side x 3, uint8
  side: number;
  slots: SharedArrayBuffer[][]; // by slot and part, each views x batch x size x size x 3, float32
  parts: { views: number; crop: readonly [number, number] }[];
  augmentation: Omit<Augmentation, 'size' | 'crop'>;
  seed: number;
}

/** Fill `slot`: in each part all first views of the pictures, then all second ones. */
export interface AugmentOrder {
  slot: number;
  epoch: number;
  sizes: number[]; // of the views, by part
  pictures: Int32Array; // positions in the pack
}

const setup = workerData as AugmentSetup;
const data = new Uint8Array(setup.pack);
const slots = setup.slots.map((parts) => parts.map((part) => new Float32Array(part)));
const pictureBytes = setup.side * setup.side * 3;

parentPort!.on('message', (order: AugmentOrder) => {
  let number = 0; // of a view among all views of its picture
  setup.parts.forEach(({ views, crop }, part) => {
    for (let view = 0; view < views; view++, number++) fill(order, { part, view, number, crop });
  });
  parentPort!.postMessage(order.slot);
});

interface ViewOf {
  part: number;
  view: number; // within the part
  number: number; // within the picture: its random numbers
  crop: readonly [number, number];
}

function fill({ slot, epoch, sizes, pictures }: AugmentOrder, { part, view, number, crop }: ViewOf): void {
  const size = sizes[part]!;
  const options = { ...setup.augmentation, size, crop };
  pictures.forEach((picture, i) => {
    const draw = drawFor(setup.seed, epoch, picture, number);
    const source = { data, offset: picture * pictureBytes, side: setup.side };
    writeView(source, options, draw, slots[slot]![part]!, (view * pictures.length + i) * size * size * 3);
  });
}
