import { describe, expect, it } from 'vitest';
import {
  chanceOf,
  compareEncoders,
  type Fidelity,
  fidelityFault,
} from '../../../src/core/encoder-fidelity.js';
import { clusteredVectors, unitVectors } from '../../contract/vectors.js';

const vote = { k: 5, temperature: 0.07 };

describe('compareEncoders', () => {
  const { vectors, dimension, rows } = clusteredVectors({ rows: 60, dimension: 16, clusters: 3, seed: 4 });
  const own = { vectors, dimension };
  const other = { vectors: unitVectors({ rows, dimension, seed: 9 }).vectors, dimension };

  it('finds an encoder true to itself', () => {
    const labels = Array.from({ length: rows }, (_, i) => `label ${i % 3}`);
    const { cosine, knn, pictures } = compareEncoders(own, own, labels, vote);
    expect(pictures).toBe(rows);
    expect(cosine.least).toBeCloseTo(1, 5);
    expect(knn).toMatchObject({ lost: 0, gained: 0, pictures: rows });
    expect(knn!.before).toBe(knn!.after);
  });

  it('counts what another one loses, and refuses it', () => {
    // The rows of a cluster agree on a label: the encoder that made the clusters is always right.
    const anchor = (row: number) => {
      let sum = 0;
      for (let i = 0; i < dimension; i++) sum += vectors[i]! * vectors[row * dimension + i]!;
      return sum;
    };
    const labels = Array.from({ length: rows }, (_, row) => (anchor(row) > 0.5 ? 'near' : 'far'));
    const found = compareEncoders(own, other, labels, { k: 3, temperature: 0.01 });
    expect(found.knn!.before).toBeGreaterThan(found.knn!.after);
    expect(found.knn!.lost - found.knn!.gained).toBe(
      Math.round((found.knn!.before - found.knn!.after) * rows),
    );
    expect(fidelityFault(found)).toMatch(/mean cosine .* 0.99/);
  });

  it('says nothing of kNN without two labels; pictures without one are not counted', () => {
    const none = Array.from({ length: rows }, () => null);
    expect(compareEncoders(own, own, none, vote).knn).toBeNull();
    const some = none.map((_, i) => (i < 20 ? `label ${i % 2}` : null));
    expect(compareEncoders(own, own, some, vote).knn!.pictures).toBe(20);
  });
});

describe('fidelityFault', () => {
  const found = (mean: number, knn: Partial<NonNullable<Fidelity['knn']>> | null): Fidelity => ({
    pictures: 1000,
    cosine: { mean, p1: mean, least: mean },
    knn: knn && { before: 0.75, after: 0.75, pictures: 1000, lost: 0, gained: 0, ...vote, ...knn },
  });

  it('passes what is near enough', () => {
    expect(fidelityFault(found(0.99, null))).toBeNull();
    expect(fidelityFault(found(0.998, { after: 0.746, lost: 40, gained: 36 }))).toBeNull();
  });

  it('refuses a far cosine and a loss beyond chance, each in numbers', () => {
    expect(fidelityFault(found(0.9899, null))).toContain('0.9899');
    expect(fidelityFault(found(Number.NaN, null))).toContain('NaN');
    expect(fidelityFault(found(0.998, { after: 0.73, lost: 30, gained: 10 }))).toMatch(/73\.00 %.*75\.00 %/);
  });

  it('lets a loss pass that chance brings about just as well', () => {
    expect(fidelityFault(found(0.998, { after: 0.744, lost: 40, gained: 34 }))).toBeNull();
  });
});

describe('chanceOf', () => {
  it('is the upper tail of a fair coin', () => {
    expect(chanceOf(0, 10)).toBeCloseTo(1, 12);
    expect(chanceOf(10, 10)).toBeCloseTo(1 / 1024, 12);
    expect(chanceOf(6, 10)).toBeCloseTo(386 / 1024, 12);
    expect(chanceOf(0, 0)).toBe(1);
    expect(chanceOf(2000, 4000)).toBeCloseTo(0.506, 3);
  });
});
