import type { SwapResult } from '../flow/swap-model.js';
import { percent } from './output.js';
import { duration } from './progress.js';

/** What a swap to another model did, and how far both agree, in sentences. */
export function describeSwap(result: SwapResult, seconds: number): string[] {
  const { name, embedded, missing, switched, report } = result;
  return [
    `${name}: ${embedded} pictures embedded in ${duration(seconds)}`,
    ...(missing.count > 0
      ? [`${missing.count} pictures have no vector of it, the first: ${missing.first[0]?.id}`]
      : []),
    ...(report ? inWords(report) : []),
    switched ? `${name} answers now` : `prepared; "lookalike reindex switch" lets ${name} answer`,
  ];
}

function inWords(report: NonNullable<SwapResult['report']>): string[] {
  const { pictures, overlap_at_10, label_changes, score_drift, knn_accuracy, before, after } = report;
  const lines = [`${before.name} and ${after.name}, asked for the neighbours of ${pictures} pictures:`];
  if (overlap_at_10 !== null) lines.push(`  of the ten nearest the same  ${percent(overlap_at_10)}`);
  if (label_changes) lines.push(`  other label                  ${percent(label_changes.share)}`);
  if (score_drift) lines.push(`  scores                       ${signed(score_drift.mean)} on average`);
  if (knn_accuracy)
    lines.push(
      `  own label found              ${percent(knn_accuracy.before)} before, ${percent(knn_accuracy.after)} after`,
    );
  return lines;
}

const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
