/** What a person sees of a training: a table, a live line within an epoch, a curve that grows. All of it is logged. */
import { writeCurve } from './evaluations/curve.js';
import type { Network } from './network.js';
import { duration, percent, type Report } from './report.js';
import type { EpochReport, Progress } from './train.js';

export interface TellerSetup {
  report: Report;
  out: string;
  epochs: number;
  knnEvery: number; // epochs; 0: only after the last
  from: Progress;
  steps: number; // in an epoch
  /** What an epoch (from 0) costs, in any unit: later epochs may have larger views. */
  work(epoch: number): number;
  /** kNN accuracy on the held-out pictures, 0..1; null: nothing can be measured. */
  measure: ((network: Network) => Promise<number>) | null;
}

export interface Teller {
  head(): void;
  step(step: number, loss: number): void;
  epoch(done: EpochReport, network: Network): Promise<void>;
}

const COLUMNS = ['epoch', 'loss', 'kNN %', 'views/s', 'waited %', 'time left'] as const;
const WIDTHS = [11, 9, 8, 9, 10, 14] as const;
const HEAD_EVERY = 20; // rows, so that it is always in sight

/** Cells to the right of their columns. */
export function tableRow(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padStart(WIDTHS[i]!)).join('');
}

export function createTeller(setup: TellerSetup): Teller {
  const { report, out, epochs, from, steps, measure } = setup;
  const started = performance.now();
  const head = () => report.say(tableRow(COLUMNS));
  const place = (epoch: number) => `${epoch}/${epochs}`;
  let current = from.epoch + 1;
  return {
    head,
    step(step, loss) {
      report.live(`${tableRow([place(current), loss.toFixed(3)])}   step ${step} of ${steps}`);
    },
    async epoch(done, network) {
      const row = [place(done.epoch), done.loss.toFixed(3)];
      const due = isDue(done.epoch, setup);
      if (due && measure) report.live(`${tableRow(row)}   measuring`);
      const knn = due && measure ? await measure(network) : null;
      report.record('epoch', { ...done, knn });
      const left = secondsLeft(setup, done.epoch, (performance.now() - started) / 1000);
      row.push(knn === null ? '' : percent(knn).slice(0, -2), done.viewsPerSecond.toFixed(0));
      row.push(percent(done.waitShare).slice(0, -2), duration(left));
      if (done.epoch > from.epoch + 1 && (done.epoch - from.epoch - 1) % HEAD_EVERY === 0) head();
      report.say(tableRow(row));
      writeCurve(out);
      current = done.epoch + 1;
    },
  };
}

/** After the first two epochs, every so many, and after the last one. */
function isDue(epoch: number, { epochs, knnEvery }: TellerSetup): boolean {
  return epoch === epochs || (knnEvery > 0 && (epoch % knnEvery === 0 || epoch <= 2));
}

/** As fast as since the start, measuring and writing included. */
function secondsLeft({ from, steps, epochs, work }: TellerSetup, done: number, seconds: number): number {
  const workOf = (first: number, end: number) =>
    Array.from({ length: Math.max(0, end - first) }, (_, i) => work(first + i)).reduce((a, b) => a + b, 0);
  const behind = workOf(from.epoch, done) - (from.step / steps) * work(from.epoch);
  return (seconds * workOf(done, epochs)) / behind;
}
