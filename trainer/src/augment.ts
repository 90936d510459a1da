/**
 * One picture to one random view: crop, resize, flip, colour. Pure and seeded.
 *
 * All colour changes are affine in (r, g, b), so they are composed into one 3 x 4 matrix and applied in one
 * pass. This differs from torchvision in two ways: values are clamped once at the end, and hue is a rotation
 * in YIQ instead of a shift in HSV.
 */
import { type Draw, uniform } from './random.js';

export interface Augmentation {
  size: number; // side of the view, pixels
  crop: readonly [number, number]; // smallest and largest share of the picture's area
  flip: number; // probability
  jitter: number; // probability of the four below
  brightness: number; // factor in 1 -+ this
  contrast: number;
  saturation: number;
  hue: number; // in turns
  grey: number; // probability
  mean: readonly [number, number, number]; // of the normalisation, values in 0..1
  std: readonly [number, number, number];
}

/** A square picture within a larger array: interleaved RGB, 8 bits, `side` x `side` from `offset`. */
export interface Square {
  data: Uint8Array;
  offset: number;
  side: number;
}

/** A rectangle in source pixels; fractions are allowed. */
interface Crop {
  left: number;
  top: number;
  width: number;
  height: number;
}

const LUMA = [0.299, 0.587, 0.114] as const;

/** Random share of the area and aspect ratio in (3/4, 4/3); the whole square when ten tries do not fit. */
export function drawCrop(draw: Draw, side: number, [smallest, largest]: readonly [number, number]): Crop {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = side * side * uniform(draw, smallest, largest);
    const ratio = Math.exp(uniform(draw, Math.log(3 / 4), Math.log(4 / 3)));
    const width = Math.sqrt(area * ratio);
    const height = Math.sqrt(area / ratio);
    if (width > side || height > side) continue;
    return { left: draw() * (side - width), top: draw() * (side - height), width, height };
  }
  return { left: 0, top: 0, width: side, height: side };
}

/** Row-major 3 x 4: out = m * (r, g, b, 1), in units of 0..255. */
type ColourMatrix = number[];

const IDENTITY: ColourMatrix = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];

/** The linear map `left` (3 x 3) after the affine map `m`. */
function after(left: readonly number[], m: ColourMatrix): ColourMatrix {
  const out: ColourMatrix = [];
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 4; column++) {
      let sum = 0;
      for (let i = 0; i < 3; i++) sum += left[row * 3 + i]! * m[i * 4 + column]!;
      out.push(sum);
    }
  return out;
}

/** Blends a colour with its own grey: 1 keeps it, 0 is grey. */
function saturate(amount: number): number[] {
  return [0, 1, 2].flatMap((row) =>
    LUMA.map((weight, column) => (1 - amount) * weight + (row === column ? amount : 0)),
  );
}

/** Rotates the colour about the grey axis: to YIQ, turn I and Q, and back. */
function rotateHue(turns: number): number[] {
  const c = Math.cos(2 * Math.PI * turns);
  const s = Math.sin(2 * Math.PI * turns);
  const toYiq = [0.299, 0.587, 0.114, 0.596, -0.274, -0.322, 0.211, -0.523, 0.312];
  const fromYiq = [1, 0.956, 0.621, 1, -0.272, -0.647, 1, -1.106, 1.703];
  const turned = [0, 1, 2].flatMap((i) => [
    toYiq[i]!,
    c * toYiq[3 + i]! - s * toYiq[6 + i]!,
    s * toYiq[3 + i]! + c * toYiq[6 + i]!,
  ]); // transposed: turned[i * 3 + row]
  return [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map(
      (i) =>
        fromYiq[row * 3]! * turned[i * 3]! +
        fromYiq[row * 3 + 1]! * turned[i * 3 + 1]! +
        fromYiq[row * 3 + 2]! * turned[i * 3 + 2]!,
    ),
  );
}

/** Brightness, contrast, saturation, hue and grey as one matrix; `mean` is the view's mean colour, 0..255. */
export function drawColour(draw: Draw, options: Augmentation, mean: readonly number[]): ColourMatrix {
  let m = IDENTITY;
  if (draw() < options.jitter) {
    const factor = (strength: number) => uniform(draw, 1 - strength, 1 + strength);
    const brightness = factor(options.brightness);
    m = m.map((value) => value * brightness);
    const contrast = factor(options.contrast);
    const grey = LUMA.reduce((sum, weight, i) => sum + weight * brightness * mean[i]!, 0);
    m = m.map((value, i) => value * contrast + (i % 4 === 3 ? (1 - contrast) * grey : 0));
    m = after(saturate(factor(options.saturation)), m);
    m = after(rotateHue(uniform(draw, -options.hue, options.hue)), m);
  }
  return draw() < options.grey ? after(saturate(0), m) : m;
}

/** Where `size` samples across `length` source pixels from `start` lie: left neighbour, right one, weight. */
function sampleTable(start: number, length: number, size: number, side: number, flip: boolean) {
  const near = new Int32Array(size);
  const far = new Int32Array(size);
  const weight = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const position = start + ((flip ? size - 1 - i : i) + 0.5) * (length / size) - 0.5;
    const clamped = Math.min(Math.max(position, 0), side - 1);
    near[i] = Math.floor(clamped);
    far[i] = Math.min(near[i]! + 1, side - 1);
    weight[i] = clamped - near[i]!;
  }
  return { near, far, weight };
}

/** Bilinear samples of the crop into `out` (size x size x 3, 0..255); returns the mean colour. */
function sampleCrop(source: Square, crop: Crop, flip: boolean, out: Float32Array): [number, number, number] {
  const size = Math.sqrt(out.length / 3);
  const { data, offset, side } = source;
  const xs = sampleTable(crop.left, crop.width, size, side, flip);
  const ys = sampleTable(crop.top, crop.height, size, side, false);
  const sums: [number, number, number] = [0, 0, 0];
  let at = 0;
  for (let y = 0; y < size; y++) {
    const upper = offset + ys.near[y]! * side * 3;
    const lower = offset + ys.far[y]! * side * 3;
    const fy = ys.weight[y]!;
    for (let x = 0; x < size; x++) {
      const left = xs.near[x]! * 3;
      const right = xs.far[x]! * 3;
      const fx = xs.weight[x]!;
      for (let c = 0; c < 3; c++) {
        const top = data[upper + left + c]! * (1 - fx) + data[upper + right + c]! * fx;
        const bottom = data[lower + left + c]! * (1 - fx) + data[lower + right + c]! * fx;
        const value = top + (bottom - top) * fy;
        out[at++] = value;
        sums[c]! += value;
      }
    }
  }
  const pixels = size * size;
  return [sums[0] / pixels, sums[1] / pixels, sums[2] / pixels];
}

let scratch = new Float32Array(0);

/** Writes one random view of `source` into `out` at `at`: size x size x 3 float32, normalised. */
export function writeView(
  source: Square,
  options: Augmentation,
  draw: Draw,
  out: Float32Array,
  at: number,
): void {
  const length = options.size * options.size * 3;
  if (scratch.length !== length) scratch = new Float32Array(length);
  const crop = drawCrop(draw, source.side, options.crop);
  const flip = draw() < options.flip;
  const mean = sampleCrop(source, crop, flip, scratch);
  const m = drawColour(draw, options, mean);
  const scale = options.std.map((std) => 1 / (255 * std));
  const shift = options.mean.map((value, c) => -value / options.std[c]!);
  for (let i = 0; i < length; i += 3) {
    const r = scratch[i]!;
    const g = scratch[i + 1]!;
    const b = scratch[i + 2]!;
    for (let c = 0; c < 3; c++) {
      const value = m[c * 4]! * r + m[c * 4 + 1]! * g + m[c * 4 + 2]! * b + m[c * 4 + 3]!;
      out[at + i + c] = Math.min(255, Math.max(0, value)) * scale[c]! + shift[c]!;
    }
  }
}
