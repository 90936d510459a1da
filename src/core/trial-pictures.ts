import { seeded } from './random.js';
import type { Image } from './types.js';

/** Pictures to try an encoder with, made from numbers alone: the same on every machine. */

/** Every value of every pixel on its own. */
export function noisePicture(width: number, height: number): Image {
  const next = seeded(1);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => next() * 256) };
}

const DISCS = 6;

/**
 * What a photograph has: a large gradient, smooth shapes of several sizes before it, a little grain. Another seed,
 * other colours and places.
 */
export function scenePicture(width: number, height: number, seed: number): Image {
  const next = seeded(seed);
  const colour = () => [next() * 255, next() * 255, next() * 255];
  const [top, bottom] = [colour(), colour()];
  const discs = Array.from({ length: DISCS }, () => {
    return { x: next(), y: next(), radius: 0.05 + 0.2 * next(), colour: colour() };
  });
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [across, down] = [x / width, y / height];
      const disc = discs.find((d) => Math.hypot(across - d.x, down - d.y) < d.radius);
      for (let channel = 0; channel < 3; channel++) {
        const ground = top[channel]! * (1 - down) + bottom[channel]! * down;
        const value = (disc ? disc.colour[channel]! : ground) + 8 * (next() - 0.5);
        data[(y * width + x) * 3 + channel] = Math.min(255, Math.max(0, value));
      }
    }
  return { width, height, data };
}
