import { expect, it } from 'vitest';
import type { CalibrationRecord } from '../../../src/core/calibrate.js';
import { parseWhere } from '../../../src/core/where.js';
import { calibratedVote } from '../../../src/flow/calibrated-vote.js';

const record: CalibrationRecord = {
  format_version: 1,
  vote: { k: 200, temperature: 0.07 },
  samples: 100,
  labels: 2,
  reason: null,
  fit: {
    mapping: { power: 2, keep: 0.9 },
    accuracy: 0.9,
    calibration_error: { bins: 10, folds: 5, before: 0.2, after: 0.1 },
    abstention: { asked_precision: 0.95, confidence: 0.95, threshold: 0.8, coverage: 0.5, precision: 0.96 },
  },
  nearest_scores: null,
};
const asked = { vote_k: 200, temperature: 0.07, kind: 'image' as const };
const shares = (cat: number) => [
  { label: 'cat', share: cat },
  { label: 'dog', share: 1 - cat },
];

it('gives each label its probability, and abstains below the threshold', () => {
  const sure = calibratedVote(shares(0.9), record, asked);
  expect(sure).toMatchObject({ abstained: false, calibration: { applied: true, reason: null } });
  expect(sure.labels[0]!.probability).toBeCloseTo((0.9 * 0.81) / 0.82);
  expect(calibratedVote(shares(0.6), record, asked).abstained).toBe(true);
  expect(calibratedVote([], record, asked)).toMatchObject({ labels: [], abstained: true });
});

it.each([
  ['no record', null, asked, /no calibration yet/],
  ['no fit', { ...record, fit: null, reason: 'too few' }, asked, /too few/],
  ['another temperature', record, { ...asked, temperature: 0.5 }, /temperature is 0.5, .* 0.07/],
  ['another vote_k', record, { ...asked, vote_k: 5 }, /vote_k is 5, .* 200/],
  ['a filter', record, { ...asked, labels: ['cat'] }, /label lets only some/],
  [
    'a filter on metadata',
    record,
    { ...asked, where: parseWhere({ colour: 'red' }) },
    /where lets only some/,
  ],
  ['examples', record, { ...asked, kind: 'examples' as const }, /examples were given/],
  ['a smallest score', record, { ...asked, min_score: 0.5 }, /min_score lets only some/],
])('says why it does not, with %s', (_, given, request, reason) => {
  const { labels, calibration, ...rest } = calibratedVote(shares(0.9), given, request);
  expect(labels).toEqual(shares(0.9));
  expect(calibration).toEqual({ applied: false, reason: expect.stringMatching(reason) });
  expect(rest).toEqual({});
});
