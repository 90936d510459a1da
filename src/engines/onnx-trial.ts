import { LookalikeError, messageOf } from '../core/errors.js';
import type { Inspection } from '../core/inspection.js';
import type { PreprocessRecord } from '../core/manifests.js';
import { toTensor } from '../core/preprocess.js';
import { noisePicture, scenePicture } from '../core/trial-pictures.js';
import type { EncoderRun } from './onnx-session.js';

/** The runs of an inspection. */

export const DIMENSIONS = { least: 16, most: 2048 } as const;

/**
 * Two unit vectors closer than this count as the same (the length of their difference; a cosine above
 * 1 - 5e-7). float32 kernels that differ with the batch stay below 1e-5, a dynamically quantised batch does not.
 */
export const SAME = 1e-3;

const TIMED_RUNS = 5;
const TIME_LIMIT = 5000; // milliseconds for all timed runs; a slow encoder has fewer

export type Trial = Pick<Inspection, 'dimension' | 'unit_length' | 'milliseconds'> & {
  /** Why pictures have to be run one at a time, or null when a batch gives what its pictures give alone. */
  batchFault: string | null;
};

/** Tries the encoder on three pictures: alone, again, and together. Throws `model_invalid`. */
export async function tryEncoder(run: EncoderRun, preprocess: PreprocessRecord): Promise<Trial> {
  const { width, height } = preprocess.crop;
  const pictures = [
    scenePicture(width, height, 2),
    noisePicture(width, height),
    scenePicture(width, height, 3),
  ];
  const tensor = (some: typeof pictures) => toTensor(some, preprocess);
  const alone: Float32Array[] = [];
  const lengths: number[] = [];
  for (const picture of pictures) {
    const row = (await run(tensor([picture]), 1)).slice();
    checkDimension(row.length);
    lengths.push(toUnit(row));
    alone.push(row);
  }
  const again = (await run(tensor([pictures[0]!]), 1)).slice();
  toUnit(again);
  if (distance(again, alone[0]!) > SAME)
    throw unfit('it gives another vector when it sees the same picture again');
  if (alone.every((row) => distance(row, alone[0]!) <= SAME))
    throw unfit('it gives the same vector for every picture');
  return {
    dimension: again.length,
    unit_length: lengths.every((length) => Math.abs(length - 1) < 1e-3),
    batchFault: await batchFault(run, tensor(pictures), alone),
    milliseconds: Number((await medianTime(() => run(tensor([pictures[0]!]), 1))).toPrecision(3)),
  };
}

const unfit = (why: string) => new LookalikeError('model_invalid', why);

function checkDimension(dimension: number): void {
  const { least, most } = DIMENSIONS;
  if (dimension < least || dimension > most)
    throw unfit(`it gives vectors of ${dimension} numbers, ${least} to ${most} are allowed`);
}

/** Brings a vector to unit length in place and returns the length that it had. */
function toUnit(row: Float32Array): number {
  const bad = row.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw unfit(`it gives ${row[bad]} as number ${bad + 1} of the vector of an ordinary picture`);
  const length = Math.hypot(...row);
  if (!(length > 1e-12)) throw unfit('it gives a vector of zeros for an ordinary picture');
  row.forEach((value, i) => {
    row[i] = value / length;
  });
  return length;
}

const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - b[i]!));

async function batchFault(
  run: EncoderRun,
  batch: Float32Array,
  alone: Float32Array[],
): Promise<string | null> {
  const dimension = alone[0]!.length;
  try {
    const rows = (await run(batch, alone.length)).slice();
    for (const [i, expected] of alone.entries()) {
      const row = rows.slice(i * dimension, (i + 1) * dimension);
      toUnit(row);
      const apart = distance(row, expected);
      if (!(apart <= SAME))
        return `in a batch a picture gets a vector that is ${apart.toPrecision(2)} away from its own`;
    }
    return null;
  } catch (error) {
    return `a batch of ${alone.length} fails (${messageOf(error)})`;
  }
}

async function medianTime(step: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let left = TIME_LIMIT; times.length < TIMED_RUNS && left > 0; left -= times.at(-1)!) {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
