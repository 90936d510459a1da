import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalScore, checkUnitRows, compareIds, normaliseRows } from '../../../src/core/vector.js';

describe('canonical score', () => {
  it('adds in float64 and rounds once', () => {
    // Three terms that float32 sums would lose: 1 + 2^-25 + 2^-25 is 1 + 2^-24 before the one rounding.
    const a = Float32Array.of(1, 2 ** -25, 2 ** -25, 2 ** -40);
    const ones = Float32Array.of(1, 1, 1, 1);
    expect(Math.fround(Math.fround(1 + 2 ** -25) + 2 ** -25)).toBe(1);
    expect(canonicalScore(a, 0, ones, 0, 4)).toBe(1 + 2 ** -23);
  });

  it('reads both vectors from their offsets', () => {
    const table = Float32Array.of(9, 9, 0.5, 0.25, 9);
    expect(canonicalScore(table, 2, Float32Array.of(7, 1, 2), 1, 2)).toBe(1);
  });

  it('does not depend on the order of the two', () => {
    const value = fc.float({ min: -1, max: 1, noNaN: true });
    const vector = fc.array(value, { minLength: 5, maxLength: 5 }).map((values) => Float32Array.from(values));
    fc.assert(
      fc.property(vector, vector, (a, b) => canonicalScore(a, 0, b, 0, 5) === canonicalScore(b, 0, a, 0, 5)),
    );
  });
});

describe('normaliseRows', () => {
  it('gives every row unit length in place', () => {
    const vectors = Float32Array.of(3, 4, 0, -2);
    expect(normaliseRows(vectors, 2, 2)).toBe(vectors);
    expect([...vectors]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, -1]);
    expect(() => checkUnitRows(vectors, 2, 2)).not.toThrow();
  });

  it.each([
    ['zero', [0, 0]],
    ['NaN', [Number.NaN, 1]],
    ['infinite', [Number.POSITIVE_INFINITY, 1]],
  ])('refuses a row of %s', (_, values) => {
    expect(() => normaliseRows(Float32Array.of(1, 0, ...values), 2, 2)).toThrow(
      expect.objectContaining({ code: 'invalid_vector', message: expect.stringContaining('row 1') }),
    );
  });
});

describe('checkUnitRows', () => {
  it('takes what is within 1e-5 of unit length and refuses what is not', () => {
    expect(() => checkUnitRows(Float32Array.of(1 + 9e-6, 0), 1, 2)).not.toThrow();
    for (const value of [1 + 2e-5, 1 - 2e-5, 0, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => checkUnitRows(Float32Array.of(1, 0, value, 0), 2, 2)).toThrow(
        expect.objectContaining({ code: 'invalid_vector', message: expect.stringContaining('vector 1') }),
      );
  });

  it('names what was given when the length is wrong', () => {
    expect(() => checkUnitRows(new Float32Array(5), 2, 3)).toThrow('need 6 numbers, got 5');
  });
});

describe('compareIds', () => {
  it('orders as the UTF-8 bytes do, for every pair', () => {
    const id = fc.string({ unit: 'grapheme', maxLength: 6 });
    fc.assert(
      fc.property(
        id,
        id,
        (a, b) => Math.sign(compareIds(a, b)) === Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))),
      ),
    );
  });

  it('differs from the order of UTF-16 units past U+FFFF', () => {
    const [astral, late] = ['\u{1f600}', '\uffee'];
    expect(astral < late).toBe(true);
    expect(compareIds(astral, late)).toBeGreaterThan(0);
  });
});
