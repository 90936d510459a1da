import { type CalibrationRecord, calibrate } from '../core/calibrate.js';
import type { LabelShare } from '../core/types.js';
import type { Query, SearchAnswer, SearchOptions } from './service.js';

type Calibrated = Pick<SearchAnswer, 'labels' | 'abstained' | 'calibration'>;

/**
 * The labels of a vote with their probabilities, and whether the answer abstains. Both are absent where the record says
 * nothing of such a vote; then the reason is there.
 */
export function calibratedVote(
  labels: readonly LabelShare[],
  record: CalibrationRecord | null,
  asked: Pick<SearchOptions, 'vote_k' | 'min_score' | 'labels' | 'where'> & {
    temperature: number;
    kind: Query['kind'];
  },
): Calibrated {
  const reason = whyNot(record, asked);
  if (reason !== null) return { labels: [...labels], calibration: { applied: false, reason } };
  const { abstained, labels: judged } = calibrate(labels, record!);
  return {
    labels: judged.map(({ probability, ...one }) => ({ ...one, probability: probability! })),
    abstained,
    calibration: { applied: true, reason: null },
  };
}

function whyNot(
  record: CalibrationRecord | null,
  { vote_k, temperature, min_score, labels, where, kind }: Parameters<typeof calibratedVote>[2],
): string | null {
  if (!record) return 'this collection has no calibration yet; a rebuild of its index makes one';
  if (!record.fit) return record.reason ?? 'the calibration has no fit';
  const { vote } = record;
  if (temperature !== vote.temperature)
    return `temperature is ${temperature}, calibrated is the vote with ${vote.temperature}`;
  if (vote_k !== vote.k) return `vote_k is ${vote_k}, calibrated is the vote with ${vote.k}`;
  if (labels && labels.length > 0) return 'label lets only some pictures vote, calibrated is the vote of all';
  if (where && where.length > 0) return 'where lets only some pictures vote, calibrated is the vote of all';
  if (kind === 'examples') return 'examples were given, calibrated is the vote over one picture';
  if (min_score !== undefined) return 'min_score lets only some pictures vote, calibrated is the vote of all';
  return null;
}
