import type { Found } from './leave-one-out.js';
import type { LabelShare } from './types.js';

/**
 * Labels that the neighbours disagree with, in the manner of confident learning (Northcutt, Jiang and Chuang 2021): a
 * row is in doubt when the others vote for another label at least as surely as they do, on average, for rows that carry
 * that label. Ranked by the margin between the two shares.
 */
export interface LabelDoubts {
  /** A labelled row, the vote of the others about it, and who they are, best first. */
  add(row: JudgedRow): void;
  finish(): { judged: number; total: number; doubts: LabelDoubt[]; labels: LabelSummary[] };
}

export interface JudgedRow {
  row: number;
  label: string;
  shares: readonly LabelShare[]; // best first, at least one
  vector: Float32Array; // unit length
  neighbours: readonly Found[];
}

export interface LabelDoubt {
  row: number;
  label: string; // its own
  suggested: string;
  share: number; // of its own label
  suggested_share: number;
  margin: number; // suggested_share - share
  neighbours: Found[];
}

export interface LabelSummary {
  label: string;
  count: number; // rows that were judged
  agreement: number; // part of them whose label won the vote
  similarity: number | null; // mean cosine of two different rows of the label; null for a single one
}

/** What is summed up of a label. */
interface Sums {
  count: number;
  won: number;
  share: number; // of its own rows for itself
  taken: number[]; // its shares of votes that it won about rows of other labels
  vector: Float64Array; // sum of the rows
}

/** Neighbours that are kept of each row in doubt. */
const NEIGHBOURS = 5;

/**
 * At most `most` doubts, the surest. It holds up to four times as many, a number for each row that lost the vote, and a
 * vector for each label.
 */
export function createLabelDoubts(dimension: number, most: number): LabelDoubts {
  const labels = new Map<string, Sums>();
  let lost: LabelDoubt[] = [];
  const sumsOf = (label: string) => {
    const sums = labels.get(label) ?? {
      count: 0,
      won: 0,
      share: 0,
      taken: [],
      vector: new Float64Array(dimension),
    };
    labels.set(label, sums);
    return sums;
  };
  return {
    add({ row, label, shares, vector, neighbours }) {
      const [top] = shares;
      const share = shares.find((one) => one.label === label)?.share ?? 0;
      const sums = sumsOf(label);
      sums.count += 1;
      sums.won += Number(top!.label === label);
      sums.share += share;
      for (let i = 0; i < dimension; i++) sums.vector[i]! += vector[i]!;
      if (top!.label === label) return;
      sumsOf(top!.label).taken.push(top!.share);
      lost.push({
        row,
        label,
        suggested: top!.label,
        share,
        suggested_share: top!.share,
        margin: top!.share - share,
        neighbours: neighbours.slice(0, NEIGHBOURS),
      });
      if (lost.length > 4 * most) lost = lost.sort(bySurety).slice(0, 2 * most);
    },
    finish() {
      const doubts = lost.filter(
        ({ suggested, suggested_share }) => suggested_share >= meanShare(labels.get(suggested)),
      );
      const all = [...labels.values()];
      const sureOf = (sums: Sums) => sums.taken.filter((share) => share >= meanShare(sums)).length;
      return {
        judged: all.reduce((sum, { count }) => sum + count, 0),
        total: all.reduce((sum, sums) => sum + sureOf(sums), 0),
        doubts: doubts.sort(bySurety).slice(0, most),
        labels: summaries(labels),
      };
    },
  };
}

const bySurety = (a: LabelDoubt, b: LabelDoubt) => b.margin - a.margin || a.row - b.row;

/** A label that no judged row has is won as a surprise: any share of it is enough. */
const meanShare = (sums: Sums | undefined) => (sums && sums.count > 0 ? sums.share / sums.count : 0);

/** The label that its rows agree on least first. */
function summaries(labels: ReadonlyMap<string, Sums>): LabelSummary[] {
  const judged = [...labels].filter(([, { count }]) => count > 0);
  const all = judged.map(([label, sums]) => ({
    label,
    count: sums.count,
    agreement: sums.won / sums.count,
    similarity: similarityOf(sums),
  }));
  return all.sort((a, b) => a.agreement - b.agreement || (a.label < b.label ? -1 : 1));
}

/** The squared length of a sum of n unit vectors is n plus the cosines of all pairs, each counted twice. */
function similarityOf({ count, vector }: Sums): number | null {
  if (count < 2) return null;
  const square = vector.reduce((sum, value) => sum + value * value, 0);
  return Math.max(-1, Math.min(1, (square - count) / (count * (count - 1))));
}
