/** The paper's weighted vote: hand-computed numbers, extreme temperatures, and what holds for every vote. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { vote } from '../../../src/core/vote.js';

const voters = fc.array(
  fc.record({
    label: fc.constantFrom('a', 'b', 'c', 'd'),
    score: fc.float({ min: -1, max: 1, noNaN: true }),
  }),
  { minLength: 1, maxLength: 300 },
);
const temperatures = fc.double({ min: 0.001, max: 100, noNaN: true });
const sum = (values: readonly number[]) => values.reduce((whole, value) => whole + value, 0);

describe('vote', () => {
  it('weighs every voter with exp(score / temperature), as computed by hand', () => {
    // Scores whose weights at temperature 0.07 are 8, 4, 2 and 2: the shares are 8/16, 4/16, 2/16, 2/16.
    const score = (weight: number) => 0.07 * Math.log(weight);
    const { labels, shares } = vote(
      [
        { label: 'cat', score: score(8) },
        { label: 'dog', score: score(4) },
        { label: 'cat', score: score(2) },
        { label: 'owl', score: score(2) },
      ],
      0.07,
    );
    [0.5, 0.25, 0.125, 0.125].forEach((share, i) => {
      expect(shares[i]).toBeCloseTo(share, 12);
    });
    expect(labels.map(({ label }) => label)).toEqual(['cat', 'dog', 'owl']);
    expect(labels[0]!.share).toBeCloseTo(0.625, 12);
  });

  it('lets three fair neighbours outvote one near one, and the near one win when cold', () => {
    const four = [
      { label: 'near', score: 0.9 },
      ...[0.85, 0.85, 0.85].map((score) => ({ label: 'many', score })),
    ];
    expect(vote(four, 0.07).labels[0]!.label).toBe('many'); // 3 exp(-0.05/0.07) = 1.47
    expect(vote(four, 0.01).labels[0]!.label).toBe('near'); // 3 exp(-5) = 0.02
  });

  it('neither overflows nor divides by zero at any temperature', () => {
    const two = [
      { label: 'a', score: 1 },
      { label: 'b', score: -1 },
    ];
    expect(vote(two, 1e-300).shares).toEqual([1, 0]);
    expect(vote(two, 1e300).shares).toEqual([0.5, 0.5]);
    expect(vote([{ label: 'a', score: -1 }], 1e-9).shares).toEqual([1]);
  });

  it('has no labels without voters, and breaks a tie by the label', () => {
    expect(vote([], 0.07)).toEqual({ labels: [], shares: [] });
    const tied = ['b', 'a', 'c'].map((label) => ({ label, score: 0.5 }));
    expect(vote(tied, 0.07).labels.map(({ label }) => label)).toEqual(['a', 'b', 'c']);
  });

  it('shares out exactly one vote, in order, whoever votes', () => {
    fc.assert(
      fc.property(voters, temperatures, (given, temperature) => {
        const { labels, shares } = vote(given, temperature);
        expect(sum(shares)).toBeCloseTo(1, 9);
        expect(sum(labels.map(({ share }) => share))).toBeCloseTo(1, 9);
        expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
        for (let i = 1; i < labels.length; i++)
          expect(labels[i]!.share).toBeLessThanOrEqual(labels[i - 1]!.share);
        expect(new Set(labels.map(({ label }) => label))).toEqual(new Set(given.map(({ label }) => label)));
      }),
    );
  });

  it('never gives a nearer voter the smaller share, and does not depend on the order of the voters', () => {
    fc.assert(
      fc.property(voters, temperatures, (given, temperature) => {
        const { shares, labels } = vote(given, temperature);
        const nearestFirst = given
          .map(({ score }, i) => ({ score, share: shares[i]! }))
          .sort((a, b) => b.score - a.score);
        for (let i = 1; i < nearestFirst.length; i++)
          expect(nearestFirst[i]!.share).toBeLessThanOrEqual(nearestFirst[i - 1]!.share);
        const turned = new Map(
          vote(given.toReversed(), temperature).labels.map(({ label, share }) => [label, share]),
        );
        for (const { label, share } of labels) expect(turned.get(label)).toBeCloseTo(share, 9);
      }),
    );
  });
});
