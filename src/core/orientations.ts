import type { Image } from './types.js';

/**
 * The picture as it is, mirrored, and turned by quarters: 8 orientations, the first being the picture itself. A picture that is
 * not square has only the 4 that keep its shape, since the encoder takes no other.
 */
export function orientations(image: Image): Image[] {
  const upright = [image, mirrored(image)];
  const halfTurned = upright.map(reversed);
  const four = [...upright, ...halfTurned];
  return image.width === image.height ? [...four, ...four.map(transposed)] : four;
}

/** Left and right exchanged. */
const mirrored = (image: Image): Image => moved(image, (x, y) => y * image.width + (image.width - 1 - x));

/** Turned by half: the pixels in reverse order. */
const reversed = (image: Image): Image =>
  moved(image, (x, y) => image.width * image.height - 1 - (y * image.width + x));

/** Rows and columns of a square exchanged. */
const transposed = (image: Image): Image => moved(image, (x, y) => x * image.width + y);

/** The pixel at (x, y) is the one at `from(x, y)`, counted row by row. */
function moved({ width, height, data }: Image, from: (x: number, y: number) => number): Image {
  const moved = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const source = from(x, y) * 3;
      moved.set(data.subarray(source, source + 3), (y * width + x) * 3);
    }
  return { width, height, data: moved };
}
