/** E5, consistency: training loss and kNN accuracy over the epochs. It grows while a run trains. */
import { join } from 'node:path';
import { LookalikeError } from '../../../dist/offline.js';
import { writeWhole } from '../disk.js';
import { linePlot } from '../plot.js';
import { type About, inWords, PAPER, type Published, readAbout, readAboutTraining } from './about.js';
import { type EpochEntry, epochsOf, readLog } from './log.js';

export const CURVE_PLOT = 'curve.svg';

export interface CurveStudy {
  kind: 'curve';
  about: About;
  paper: readonly Published[];
  plot: string; // file beside the JSON
  epochs: EpochEntry[];
  measured: number; // epochs with both a loss and an accuracy
  /** Of loss and accuracy; below 0: accuracy rises as the loss falls. Null with fewer than three epochs measured. */
  pearson: number | null;
  spearman: number | null;
}

/** The curve of `log.ndjson` anew in `curve.svg`, while it trains. */
export function writeCurve(out: string): void {
  const svg = curvePlot(epochsOf(readLog(out)), inWords(readAboutTraining(out)));
  writeWhole({ what: 'the curve', path: join(out, CURVE_PLOT), out }, [svg]);
}

export function curvePlot(epochs: readonly EpochEntry[], subtitle: string): string {
  const measured = epochs.filter(({ knn }) => knn !== null);
  return linePlot({
    title: 'Training loss and kNN accuracy',
    subtitle,
    x: { label: 'epoch' },
    left: { label: 'loss' },
    ...(measured.length > 0 ? { right: { label: 'kNN accuracy, %' } } : {}),
    series: [
      { name: 'loss', points: epochs.map(({ epoch, loss }) => [epoch, loss]) },
      ...(measured.length > 0
        ? [
            {
              name: 'kNN accuracy, held out',
              axis: 'right' as const,
              points: measured.map(({ epoch, knn }) => [epoch, 100 * knn!] as const),
            },
          ]
        : []),
    ],
  });
}

/** The study of a run; `plot` is the file's name beside the JSON. */
export function curveStudy(out: string, plot: string): CurveStudy {
  const epochs = epochsOf(readLog(out));
  if (epochs.length === 0)
    throw new LookalikeError('invalid_parameter', `no epoch is finished yet in the log of ${out}`);
  const about = readAbout(out);
  const both = epochs.filter(({ knn }) => knn !== null);
  const [losses, accuracies] = [both.map(({ loss }) => loss), both.map(({ knn }) => knn!)];
  return {
    kind: 'curve',
    about: { ...about, input: about.training_size }, // at which accuracy was measured while it trained
    paper: [PAPER.consistency],
    plot,
    epochs,
    measured: both.length,
    pearson: pearson(losses, accuracies),
    spearman: pearson(ranks(losses), ranks(accuracies)),
  };
}

/** Null with fewer than three pairs or without any spread. */
export function pearson(xs: readonly number[], ys: readonly number[]): number | null {
  if (xs.length < 3) return null;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const sums = xs.reduce(
    ({ xy, xx, yy }, x, i) => {
      const [dx, dy] = [x - mx, ys[i]! - my];
      return { xy: xy + dx * dy, xx: xx + dx * dx, yy: yy + dy * dy };
    },
    { xy: 0, xx: 0, yy: 0 },
  );
  const spread = Math.sqrt(sums.xx * sums.yy);
  return spread > 0 ? sums.xy / spread : null;
}

/** From 1; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1);
}
