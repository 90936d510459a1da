import type { LabelShare } from './types.js';

/** Wu et al. 2018, section 3.4: weights of the vote fall with this temperature. */
export const DEFAULT_VOTE_TEMPERATURE = 0.07;
export const DEFAULT_VOTE_K = 200;

export interface Voter {
  label: string;
  score: number; // cosine
}

export interface Vote {
  labels: LabelShare[]; // by share descending, then label
  shares: number[]; // of each voter in the whole vote, in the order given
}

/**
 * The paper's weighted kNN vote: alpha_i = exp(s_i / temperature), w_c = sum of alpha_i over the voters
 * with label c, share_c = w_c / sum of all w. The largest score is taken out of the exponent first, so that
 * no temperature overflows. Without voters there are no labels.
 */
export function vote(voters: readonly Voter[], temperature: number): Vote {
  if (voters.length === 0) return { labels: [], shares: [] };
  const top = voters.reduce((max, voter) => Math.max(max, voter.score), -Infinity);
  const weights = voters.map((voter) => Math.exp((voter.score - top) / temperature));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / whole);
  const byLabel = new Map<string, number>();
  voters.forEach(({ label }, i) => {
    byLabel.set(label, (byLabel.get(label) ?? 0) + shares[i]!);
  });
  const labels = [...byLabel].map(([label, share]) => ({ label, share }));
  labels.sort((a, b) => b.share - a.share || (a.label < b.label ? -1 : 1));
  return { labels, shares };
}
