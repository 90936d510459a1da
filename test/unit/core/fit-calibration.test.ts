/** The fit: votes whose right mapping is known, unsure and too sure ones, and what cannot be fitted. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrate, calibrationRecord } from '../../../src/core/calibrate.js';
import { fitCalibration, MIN_SAMPLES, type VotedRow } from '../../../src/core/fit-calibration.js';
import { refusal } from '../../fixtures/errors.js';
import { distortedVotes, toShares } from '../../fixtures/votes.js';

const vote = { k: 200, temperature: 0.07 };

/** Rows whose neighbours all say `a`; `own` gives the label that they really have. */
const unanimous = (rows: number, own: (i: number) => string): VotedRow[] =>
  Array.from({ length: rows }, (_, i) => ({
    label: own(i),
    shares: [{ label: 'a', share: 1 }],
    nearest: i / (rows - 1),
  }));

describe('fitCalibration', () => {
  it('keeps what unanimous votes are worth, as computed by hand', () => {
    // Three of four are right, in every fold: certain votes (error 0.25) become 0.75 (no error).
    const rows = unanimous(60, (i) => (i % 4 === 0 ? 'b' : 'a'));
    const { fit, ...rest } = fitCalibration(rows, { vote, precision: 0.5 });
    expect(rest).toMatchObject({ format_version: 1, vote, samples: 60, labels: 2, reason: null });
    expect(fit).toMatchObject({
      mapping: { power: 1, keep: 0.75 },
      accuracy: 0.75,
      calibration_error: { bins: 10, folds: 5, before: 0.25 },
      abstention: { asked_precision: 0.5, threshold: 0.75, coverage: 1, precision: 0.75 },
    });
    expect(fit!.calibration_error.after).toBeCloseTo(0, 12);
    expect(rest.nearest_scores).toHaveLength(101);
    expect(rest.nearest_scores![50]).toBeCloseTo(0.5, 12);
  });

  it('judges every row by a fit without it', () => {
    // Every fifth row, one whole fold, is wrong and no other. The fit of the others alone keeps 49/50 and is wrong there;
    // the four that see it keep 36/48. On its own rows the fit would have no error: it keeps 48/60, and 48 are right.
    const rows = unanimous(60, (i) => (i % 5 === 0 ? 'b' : 'a'));
    const { mapping, calibration_error, abstention } = fitCalibration(rows, { vote, precision: 0.5 }).fit!;
    expect(mapping.keep).toBeCloseTo(0.8, 12);
    expect(calibration_error.after).toBeCloseTo((48 * (1 - 0.75) + 12 * 0.98) / 60, 12);
    expect(abstention).toMatchObject({ coverage: 1, precision: 0.8 });
  });

  it('answers at its own threshold', () => {
    const record = fitCalibration(
      unanimous(60, (i) => (i % 4 === 0 ? 'b' : 'a')),
      { vote, precision: 0.5 },
    );
    expect(calibrate([{ label: 'a', share: 1 }], record).abstained).toBe(false);
    expect(calibrate(toShares([2, 1]), record).abstained).toBe(true);
  });

  it('always abstains when no threshold reaches the precision', () => {
    const record = fitCalibration(
      unanimous(60, (i) => (i % 4 === 0 ? 'b' : 'a')),
      { vote },
    );
    expect(record.fit!.abstention).toMatchObject({
      asked_precision: 0.95,
      threshold: null,
      coverage: 0,
      precision: null,
    });
    expect(calibrate([{ label: 'a', share: 1 }], record).abstained).toBe(true);
  });

  it('is never certain, however well all went', () => {
    const rows = unanimous(60, (i) => (i < 30 ? 'a' : 'b')).map((row) => ({
      ...row,
      shares: [{ label: row.label, share: 1 }],
    }));
    expect(fitCalibration(rows, { vote }).fit!.mapping.keep).toBe(61 / 62);
  });

  it('gives all to "none of these" when nobody ever voted for the right label', () => {
    const record = fitCalibration(
      unanimous(60, (i) => (i % 2 === 0 ? 'b' : 'c')),
      { vote },
    );
    expect(record.fit).toMatchObject({ mapping: { keep: 0 }, accuracy: 0 });
    expect(calibrate([{ label: 'a', share: 1 }], record).labels[0]!.probability).toBe(0);
  });

  it.each([
    { what: 'unsure', distortion: 0.4 },
    { what: 'too sure', distortion: 2.5 },
  ])('mends votes that are $what: the error falls to less than a fifth', ({ distortion }) => {
    const record = fitCalibration(distortedVotes({ rows: 2000, distortion, seed: 5 }), { vote });
    const { mapping, calibration_error: error } = record.fit!;
    expect(error.after).toBeLessThan(error.before / 5);
    expect(mapping.power * distortion).toBeGreaterThan(0.85);
    expect(mapping.power * distortion).toBeLessThan(1.15);
    expect(mapping.keep).toBeGreaterThan(0.97);
  });

  it('leaves votes alone that are right as they are', () => {
    const { mapping, calibration_error } = fitCalibration(
      distortedVotes({ rows: 2000, distortion: 1, seed: 6 }),
      { vote },
    ).fit!;
    expect(Math.abs(Math.log(mapping.power))).toBeLessThan(0.12);
    expect(calibration_error.before).toBeLessThan(0.03);
    expect(calibration_error.after).toBeLessThan(0.03);
  });

  it('holds the precision on votes that it has not seen, and answers most of what it may', () => {
    const record = fitCalibration(distortedVotes({ rows: 2000, distortion: 0.4, seed: 7 }), {
      vote,
      precision: 0.9,
    });
    const answered = distortedVotes({ rows: 5000, distortion: 0.4, seed: 8 })
      .map(({ label, shares }) => ({ label, ...calibrate(shares, record) }))
      .filter(({ abstained }) => !abstained);
    const right = answered.filter(({ label, labels }) => {
      const top = labels.reduce((best, one) => (one.probability! > best.probability! ? one : best));
      return top.label === label;
    });
    expect(right.length / answered.length).toBeGreaterThanOrEqual(0.9);
    expect(right.length / answered.length).toBeLessThan(0.95);
    expect(Math.abs(answered.length / 5000 - record.fit!.abstention.coverage)).toBeLessThan(0.05);
  });

  it('makes a record that the schema takes after a trip through JSON, whatever the votes', () => {
    const weights = fc.array(fc.constantFrom(0, 1e-12, 0.5, 1, 3), { maxLength: 5 });
    const row = fc
      .record({ weights, label: fc.constantFrom('a', 'b', 'z'), nearest: fc.constantFrom(null, -1, 0.2, 1) })
      .map(({ weights, ...rest }) => ({
        ...rest,
        shares: weights.some((weight) => weight > 0) ? toShares(weights) : [],
      }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 0, maxLength: 80 }), (rows) => {
        const record = fitCalibration(rows, { vote });
        expect(calibrationRecord.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
        expect(record.fit === null).toBe(record.reason !== null);
      }),
      { numRuns: 50 },
    );
  });
});

describe('what cannot be fitted', () => {
  it('says how many rows are needed, and still knows the nearest scores', () => {
    const few = distortedVotes({ rows: MIN_SAMPLES - 1, distortion: 1, seed: 1 });
    const record = fitCalibration(few, { vote });
    expect(record).toMatchObject({
      samples: 49,
      fit: null,
      reason: '49 labelled pictures were tried, at least 50 are needed',
    });
    expect(record.nearest_scores).not.toBeNull();
    const enough = distortedVotes({ rows: MIN_SAMPLES, distortion: 1, seed: 1 });
    expect(fitCalibration(enough, { vote }).fit).not.toBeNull();
  });

  it('has no fit for a single label, and nothing at all for no rows', () => {
    expect(
      fitCalibration(
        unanimous(60, () => 'a'),
        { vote },
      ),
    ).toMatchObject({
      labels: 1,
      fit: null,
      reason: 'all labelled pictures have the same label, at least 2 labels are needed',
    });
    expect(fitCalibration([], { vote })).toMatchObject({ samples: 0, fit: null, nearest_scores: null });
  });

  it.each([0, 1, -0.5, Number.NaN])('refuses a precision of %s', async (precision) => {
    const error = await refusal('invalid_parameter', () => fitCalibration([], { vote, precision }));
    expect(error.field).toBe('precision');
    expect(error.message).toBe(`precision is ${precision}, above 0 and below 1 is allowed`);
  });

  it.each([
    [{ shares: [{ label: 'x', share: 1.5 }] }, 'voted row 1: the share of "x" is 1.5, 0 to 1 is allowed'],
    [
      { shares: [{ label: 'x', share: Number.NaN }] },
      'voted row 1: the share of "x" is NaN, 0 to 1 is allowed',
    ],
    [{ shares: ['x', 'y'].map((label) => ({ label, share: 0.75 })) }, 'voted row 1: the shares sum to 1.5'],
    [{ nearest: Number.NaN }, 'voted row 1: the score of the nearest is NaN'],
  ])('refuses a row that cannot be: %j', async (wrong, message) => {
    const good: VotedRow = { label: 'x', shares: [{ label: 'x', share: 1 }], nearest: 0.5 };
    const error = await refusal('invalid_parameter', () =>
      fitCalibration([good, { ...good, ...wrong }], { vote }),
    );
    expect(error.message).toContain(message);
  });
});
