import { createLabelDoubts, type LabelDoubt, type LabelSummary } from '../core/label-doubts.js';
import { DEFAULT_VOTE_K } from '../core/vote.js';
import type { Active } from './collections.js';
import type { Progress } from './jobs.js';
import type { ReportHead, ReportParts } from './report-duplicates.js';
import { rowsOf, surveyVotes } from './survey.js';

/** Pictures whose label the others disagree with, and how well each label hangs together. */
export interface LabelsHead extends ReportHead {
  judged: number; // labelled pictures that others voted about
  doubtful: number; // of them, found in doubt
  label_count: number;
  labels: LabelSummary[]; // the 1,000 that agree least
}

export const LABELS_RECORD = 'labels';

/** One picture in doubt as it is saved. */
export type SavedDoubt = LabelDoubt;

const MOST_DOUBTS = 10_000;
const MOST_LABELS = 1000;

/**
 * Makes the report anew and saves it. A label that one picture alone has is not judged: nobody could agree with it.
 * Throws `aborted`; then the one before stays.
 */
export async function reportLabels(
  parts: ReportParts & Pick<Active, 'manifest'>,
  { signal, report }: Progress,
): Promise<Record<string, unknown>> {
  const { store, collection, manifest } = parts;
  const head = { computed_at: parts.now(), changes: store.changes() };
  const counts = collection.labels.counts();
  const sums = createLabelDoubts(store.identity.dimension, MOST_DOUBTS);
  const vote = { k: DEFAULT_VOTE_K, temperature: manifest.temperature };
  report({ total: collection.size - collection.labels.unlabelled });
  let done = 0;
  for await (const batch of surveyVotes(parts, { rows: rowsOf(store), vote, signal })) {
    for (const { row, label, labels, vector, others } of batch)
      if (labels.length > 0 && (counts.get(label) ?? 0) > 1)
        sums.add({ row, label, shares: labels, vector, neighbours: others });
    done += batch.length;
    report({ done });
  }
  const { judged, total, doubts, labels } = sums.finish();
  const value: LabelsHead = {
    ...head,
    judged,
    doubtful: total,
    label_count: labels.length,
    labels: labels.slice(0, MOST_LABELS),
  };
  store.saveRecord(LABELS_RECORD, value, doubts);
  return { judged, doubtful: total };
}
