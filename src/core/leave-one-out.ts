import type { LabelShare } from './types.js';
import { vote } from './vote.js';

/**
 * Cosine from which two pictures count as the same one: another encoding, size or crop of it. They are left out when
 * the others judge a picture: a copy knows its label for certain, which the neighbours of a new picture do not.
 */
export const NEAR_DUPLICATE = 0.98;

export interface Found {
  row: number;
  score: number; // cosine
}

/** What the others say about a row. */
export interface OthersVote {
  labels: LabelShare[]; // best first; empty when no other labelled row was found
  nearest: number | null; // score of the nearest of the others, labelled or not
}

/**
 * The vote about a row by those found near it, best first and without itself: near-duplicates take no part, of the rest
 * the first `k` that have a label.
 */
export function othersVote(
  found: readonly Found[],
  labelOf: (row: number) => string | null,
  { k, temperature }: { k: number; temperature: number },
): OthersVote {
  const others = found.filter(({ score }) => score < NEAR_DUPLICATE);
  const voters = others.flatMap(({ row, score }) => {
    const label = labelOf(row);
    return label === null ? [] : [{ label, score }];
  });
  return { labels: vote(voters.slice(0, k), temperature).labels, nearest: others[0]?.score ?? null };
}
