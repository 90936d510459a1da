/** A thread that fills batches with views while the main thread trains. It shares the pack and the slots. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Augmentation, writeView } from './augment.js';
import { drawFor } from './random.js';

export interface AugmentSetup {
  pack: SharedArrayBuffer; // n x side x side x 3, uint8
  side: number;
  slots: SharedArrayBuffer[]; // each views x batch x size x size x 3, float32
  views: number; // of a picture
  augmentation: Augmentation;
  seed: number;
}

/** Fill `slot` with all first views of the pictures, then all second ones. */
export interface AugmentOrder {
  slot: number;
  epoch: number;
  pictures: Int32Array; // positions in the pack
}

const setup = workerData as AugmentSetup;
const data = new Uint8Array(setup.pack);
const slots = setup.slots.map((slot) => new Float32Array(slot));
const pictureBytes = setup.side * setup.side * 3;
const viewLength = setup.augmentation.size ** 2 * 3;

parentPort!.on('message', ({ slot, epoch, pictures }: AugmentOrder) => {
  const out = slots[slot]!;
  for (let view = 0; view < setup.views; view++)
    pictures.forEach((picture, i) => {
      const draw = drawFor(setup.seed, epoch, picture, view);
      const source = { data, offset: picture * pictureBytes, side: setup.side };
      writeView(source, setup.augmentation, draw, out, (view * pictures.length + i) * viewLength);
    });
  parentPort!.postMessage(slot);
});
