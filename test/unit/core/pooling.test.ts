/** Vectors out of an encoder's output, against numbers worked out by hand. */
import { describe, expect, it } from 'vitest';
import type { Pooling } from '../../../src/core/manifests.js';
import { poolRows } from '../../../src/core/pooling.js';
import { refusal } from '../../fixtures/errors.js';

const output = (...dims: number[]) => {
  const length = dims.reduce((product, size) => product * size, 1);
  return { dims, data: Float32Array.from({ length }, (_, i) => i) };
};

describe('poolRows', () => {
  it('gives a vector back as it is, whatever axes of 1 are around it', () => {
    for (const dims of [
      [2, 3],
      [2, 3, 1, 1],
      [2, 1, 3],
      [2, 1, 1, 3],
    ])
      expect([...poolRows(output(...dims), 2, 'none')]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('takes the first token, or the mean of all', () => {
    // Two pictures of three tokens of two numbers: 0 1, 2 3, 4 5; 6 7, 8 9, 10 11.
    expect([...poolRows(output(2, 3, 2), 2, 'cls')]).toEqual([0, 1, 6, 7]);
    expect([...poolRows(output(2, 3, 2), 2, 'mean')]).toEqual([2, 3, 8, 9]);
  });

  const refused: [number[], Pooling, RegExp][] = [
    [[2, 3, 4], 'none', /2 pictures has the shape \[2,3,4\], a vector a token: .*cls.*mean/],
    [[2, 3, 4, 4], 'none', /\[2,3,4,4\], which is no vector/],
    [[6], 'none', /\[6\]: one vector a picture, \[2, d\]/],
    [[2], 'none', /\[2\]: one vector a picture/],
    [[1, 6], 'none', /\[1,6\]: one vector a picture/],
    [[2, 3], 'cls', /\[2,3\]: the pooling cls needs \[2, tokens, d\]/],
    [[2, 3, 2, 2], 'mean', /the pooling mean needs/],
  ];
  it.each(refused)('refuses %j with the pooling %s', async (dims, pooling, message) => {
    const error = await refusal('model_invalid', () => poolRows(output(...dims), 2, pooling));
    expect(error.message).toMatch(message);
    expect(error.field).toBe('pooling');
  });
});
