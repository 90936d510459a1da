import type { CalibrationRecord } from '../core/calibrate.js';
import type { CalibrationFit } from '../core/ports.js';
import { DEFAULT_VOTE_K } from '../core/vote.js';
import type { Active } from './collections.js';
import type { Progress } from './jobs.js';
import { type SurveyParts, sampleOfLabelled, surveyVotes } from './survey.js';

/**
 * Learns what the shares of a collection's votes are worth: the others vote about a sample of the labelled rows, and how
 * often they are right is fitted. Its cost does not grow with the collection but for the searches themselves.
 */
export interface CalibrateParts extends SurveyParts, Pick<Active, 'collection' | 'manifest'> {
  precision: number; // of the answers that do not abstain
  startFit: () => Promise<CalibrationFit>;
}

/** Enough for an error of the threshold's precision of about a percent. */
const SAMPLES = 2000;

/** Saves the record, by which answers go from now on; resolves to it. Throws `aborted`. */
export async function calibrateCollection(
  parts: CalibrateParts,
  { signal }: Pick<Progress, 'signal'>,
): Promise<CalibrationRecord> {
  const vote = { k: DEFAULT_VOTE_K, temperature: parts.manifest.temperature };
  const rows = sampleOfLabelled(parts, SAMPLES);
  const fit = await parts.startFit();
  try {
    for await (const batch of surveyVotes(parts, { rows, vote, signal }))
      await fit.add(batch.map(({ label, labels, nearest }) => ({ label, shares: labels, nearest })));
    const record = await fit.finish({ vote, precision: parts.precision });
    parts.collection.calibrateBy(record);
    return record;
  } finally {
    await fit.close();
  }
}
