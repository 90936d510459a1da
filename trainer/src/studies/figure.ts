/** A study's result as one picture: kNN by epoch, or a bar for each variant; baselines as lines across. */
import { barPlot, linePlot, type Series } from '../plot.js';
import { networkOf } from './columns.js';
import { FLOORS } from './floors.js';
import { lastKnn, type StudyResult, type VariantResult } from './result.js';
import { DATA } from './study.js';

const LABEL = 'kNN on held-out pictures, %';

/** SVG text. */
export function figureOf(result: StudyResult): string {
  const { title, plot } = result;
  const words = { title, subtitle: subtitleOf(result) };
  return plot === 'bars' ? bars(result, words) : curves(result, words);
}

interface Words {
  title: string;
  subtitle: string;
}

function subtitleOf({ data, variants }: StudyResult): string {
  const networks = [...new Set(variants.map(networkOf))];
  return [DATA[data], ...networks].join(', ');
}

function curves({ variants, baselines }: StudyResult, words: Words): string {
  const last = Math.max(1, ...variants.map(({ epochs }) => epochs));
  const across = baselines.map(({ name, knn }): Series => {
    const ends = last > 1 ? [1, last] : [1];
    return { name: FLOORS[name], points: ends.map((epoch) => [epoch, 100 * knn] as const), dashed: true };
  });
  const series = [...variants.flatMap(seriesOf), ...across];
  return linePlot({ ...words, x: { label: 'epoch' }, left: { label: LABEL }, series });
}

function seriesOf({ title, curve, reference }: VariantResult): Series[] {
  const own = curve.flatMap(({ epoch, knn }) => (knn === null ? [] : [[epoch, 100 * knn] as const]));
  const ours: Series = { name: title, points: own };
  if (reference === null) return [ours];
  const points = reference.epochs.map((epoch, i) => [epoch, reference.knn[i]!] as const);
  return [ours, { name: `${title}: ${reference.title}`, points, dashed: true }];
}

function bars({ variants, baselines }: StudyResult, words: Words): string {
  return barPlot({
    ...words,
    x: { label: LABEL },
    bars: variants.flatMap((variant) => {
      const value = lastKnn(variant);
      const note = variant.paper?.knn === undefined ? {} : { note: `paper ${variant.paper.knn}` };
      return value === null ? [] : [{ name: variant.title, value, ...note }];
    }),
    lines: baselines.map(({ name, knn }) => ({ name: FLOORS[name], value: 100 * knn })),
  });
}
