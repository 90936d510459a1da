/**
 * Random numbers that depend on their keys only, e.g. (seed, epoch, picture, view): whichever thread draws
 * them, in whatever order, a run gives the same views. Nothing here needs state in a checkpoint.
 */

/** Draws from [0, 1). */
export type Draw = () => number;

/** Mixes the keys into 32 bits (the finaliser of murmur3 after each key). */
function hash(keys: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const key of keys) {
    h = Math.imul(h ^ key, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/** A generator for these integer keys (mulberry32). */
export function drawFor(...keys: number[]): Draw {
  let state = hash(keys);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A draw from [low, high). */
export function uniform(draw: Draw, low: number, high: number): number {
  return low + (high - low) * draw();
}

/** `length` draws from the normal distribution of mean 0 and this deviation (Box and Muller). */
export function normals(draw: Draw, length: number, deviation = 1): Float32Array {
  return Float32Array.from({ length }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - draw()));
    return deviation * radius * Math.cos(2 * Math.PI * draw());
  });
}

/** The numbers 0 .. n-1 in random order (Fisher and Yates). */
export function permutation(draw: Draw, n: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
