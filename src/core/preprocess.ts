import type { PreprocessRecord } from './manifests.js';
import type { Image } from './types.js';

/** A rectangle in pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/**
 * Where the crop of `record` lies in a source of this size, in source pixels: what the centre of the picture
 * after "shorter side to R (or all to W x H), then cut w x h out of the middle" was before the resize. Cutting
 * first and resizing once gives the same picture and touches fewer pixels.
 * A crop larger than the resized side takes the whole side (the result is then stretched by the difference).
 */
export function cropBox(sourceWidth: number, sourceHeight: number, record: PreprocessRecord): Box {
  const { resize, crop } = record;
  const shorter = Math.min(sourceWidth, sourceHeight);
  // Source pixels in a pixel of the resized picture, across and down.
  const across = 'width' in resize ? sourceWidth / resize.width : shorter / resize.shorter_side;
  const down = 'height' in resize ? sourceHeight / resize.height : shorter / resize.shorter_side;
  const width = Math.max(1, Math.min(sourceWidth, Math.round(crop.width * across)));
  const height = Math.max(1, Math.min(sourceHeight, Math.round(crop.height * down)));
  return {
    left: Math.floor((sourceWidth - width) / 2),
    top: Math.floor((sourceHeight - height) / 2),
    width,
    height,
  };
}

/** A picture that is made smaller first, and what is cut from it. */
export interface ShrunkCut {
  width: number; // of the whole picture
  height: number;
  box: Box; // in its pixels
}

/**
 * How a source of this size is made smaller so that `box` becomes three to four times as large as `crop` (more along one side
 * where it is of another shape): of those sizes the one with which all edges lie nearest to whole pixels, as a cut there can be on no others.
 */
export function shrunkCut(
  source: { width: number; height: number },
  box: Box,
  crop: { width: number; height: number },
): ShrunkCut {
  const wide = box.width / crop.width <= box.height / crop.height; // else it is the height that comes nearest to `crop`
  const [length, side] = wide ? [box.width, crop.width] : [box.height, crop.height];
  let [best, least] = [1, Number.POSITIVE_INFINITY];
  for (let shrunk = 3 * side; shrunk <= 4 * side; shrunk++) {
    const scale = shrunk / length;
    const lengths = [source.width, source.height, box.left, box.top, box.width, box.height];
    const edges = lengths.map((edge) => edge * scale);
    const off = edges.reduce((sum, edge) => sum + Math.abs(edge - Math.round(edge)), 0);
    if (off < least) [best, least] = [scale, off];
  }
  const [width, height, left, top] = [source.width, source.height, box.left, box.top].map((edge) =>
    Math.round(edge! * best),
  ) as [number, number, number, number];
  return {
    width,
    height,
    box: {
      left,
      top,
      width: Math.min(width - left, Math.round(box.width * best)),
      height: Math.min(height - top, Math.round(box.height * best)),
    },
  };
}

/**
 * Writes one picture into a tensor as float32, channel planes first (3 x height x width), at `offset`.
 * (value / 255 - mean) / std, folded into one multiply and one add a value.
 */
export function writeTensor(image: Image, record: PreprocessRecord, tensor: Float32Array, offset = 0): void {
  const pixels = image.width * image.height;
  for (let channel = 0; channel < 3; channel++) {
    const scale = 1 / (255 * record.std[channel]!);
    const shift = -record.mean[channel]! / record.std[channel]!;
    const plane = offset + channel * pixels;
    for (let i = 0; i < pixels; i++) tensor[plane + i] = image.data[i * 3 + channel]! * scale + shift;
  }
}

/** The pictures as one n x 3 x height x width tensor. All have the size of `record.crop`. */
export function toTensor(images: readonly Image[], record: PreprocessRecord): Float32Array {
  const size = 3 * record.crop.width * record.crop.height;
  const tensor = new Float32Array(images.length * size);
  images.forEach((image, i) => {
    writeTensor(image, record, tensor, i * size);
  });
  return tensor;
}

/** n x 3 x height x width as n x height x width x 3, for encoders that want the channels last. */
export function toChannelsLast(tensor: Float32Array, n: number): Float32Array {
  const moved = new Float32Array(tensor.length);
  const size = tensor.length / n;
  const pixels = size / 3;
  for (let start = 0; start < tensor.length; start += size)
    for (let channel = 0; channel < 3; channel++) {
      const plane = start + channel * pixels;
      for (let i = 0; i < pixels; i++) moved[start + i * 3 + channel] = tensor[plane + i]!;
    }
  return moved;
}
