/** E1: weighted kNN (Wu et al. 2018, section 3.4) for many k and temperatures out of one pass of similarities. */
import type { Labelled } from '../evaluate.js';
import { linePlot } from '../plot.js';
import { type About, inWords, type Published } from './about.js';
import { type Neighbours, nearest } from './neighbours.js';

/** The paper's own, by which methods are compared. */
export const QUOTED = { k: 200, temperature: 0.07 } as const;

export interface Grid {
  k: readonly number[];
  temperature: readonly number[];
}

/** Share of the held-out pictures whose label wins the vote, 0..1. */
export interface Method {
  name: string;
  accuracy: number[][]; // by temperature, by k
  quoted: number; // at the paper's k and temperature
  seconds: number; // embedding and voting
}

export interface SweepStudy extends Grid {
  kind: 'sweep';
  about: About;
  paper: readonly Published[];
  plot: string; // file beside the JSON
  known: { pictures: number; labels: number };
  held_out: { pictures: number; sha256: string };
  quoted: typeof QUOTED;
  methods: Method[]; // the trained encoder first, then the baselines
}

/** Votes of the neighbours of `asked` among `known`. */
export function measureGrid(known: Labelled, asked: Labelled, { k, temperature }: Grid) {
  const dimension = known.vectors.length / known.labels.length;
  const most = Math.max(QUOTED.k, ...k);
  const neighbours = nearest(asked.vectors, known.vectors, { dimension, k: most });
  const labels = { known: known.labels, asked: asked.labels };
  const one = { k: [QUOTED.k], temperature: [QUOTED.temperature] };
  return {
    accuracy: sweepVotes(neighbours, labels, { k, temperature }),
    quoted: sweepVotes(neighbours, labels, one)[0]![0]!,
  };
}

/** Accuracies by temperature and k. A k above the number of neighbours counts all of them. */
export function sweepVotes(
  neighbours: Neighbours,
  labels: { known: readonly string[]; asked: readonly string[] },
  { k: ks, temperature }: Grid,
): number[][] {
  return temperature.map((tau) => {
    const right = ks.map(() => 0);
    labels.asked.forEach((label, i) => {
      winners(neighbours, i, { labels: labels.known, tau, ks }).forEach((winner, j) => {
        if (winner === label) right[j]!++;
      });
    });
    return right.map((count) => count / labels.asked.length);
  });
}

/** The winning label for every k, out of one walk through the neighbours; ties go to what was nearer first. */
function winners(
  { width, rows, scores }: Neighbours,
  query: number,
  { labels, tau, ks }: { labels: readonly string[]; tau: number; ks: readonly number[] },
): string[] {
  const weights = new Map<string, number>();
  const found: string[] = [];
  const first = query * width;
  for (let j = 0; j < width; j++) {
    const label = labels[rows[first + j]!]!;
    // Relative to the best score, so that exp cannot overflow.
    const weight = Math.exp((scores[first + j]! - scores[first]!) / tau);
    weights.set(label, (weights.get(label) ?? 0) + weight);
    ks.forEach((k, at) => {
      if (Math.min(k, width) === j + 1) found[at] = heaviest(weights);
    });
  }
  return found;
}

function heaviest(weights: ReadonlyMap<string, number>): string {
  return [...weights].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

/** Accuracy against k: the encoder once for every temperature, baselines dashed at the one nearest the paper's. */
export function sweepPlot({
  about,
  k,
  temperature,
  methods,
}: Pick<SweepStudy, 'about' | 'k' | 'temperature' | 'methods'>): string {
  const [trained, ...baselines] = methods;
  const points = (row: readonly number[]) => row.map((share, i) => [k[i]!, 100 * share] as const);
  const near = temperature.reduce((best, tau, i) => (far(tau) < far(temperature[best]!) ? i : best), 0);
  return linePlot({
    title: 'Weighted kNN on held-out pictures',
    subtitle: inWords(about),
    x: { label: 'k, neighbours that vote', log: true },
    left: { label: 'accuracy, %' },
    series: [
      ...trained!.accuracy.map((row, i) => ({ name: `τ ${temperature[i]}`, points: points(row) })),
      ...baselines.map(({ name, accuracy }) => ({
        name: `${name}, τ ${temperature[near]}`,
        points: points(accuracy[near]!),
        dashed: true,
      })),
    ],
  });
}

const far = (temperature: number) => Math.abs(temperature - QUOTED.temperature);
