/** The sections of a results page, as Markdown: every figure comes out of a study's JSON. */
import { percent } from '../report.js';
import { type About, inWords, type Published } from './about.js';
import type { CurveStudy } from './curve.js';
import type { SheetStudy } from './sheet.js';
import type { SweepStudy } from './sweep.js';

export type Study = SweepStudy | CurveStudy | SheetStudy;

const SECTIONS = { sweep, curve, sheet } satisfies Record<
  Study['kind'],
  (study: never, folder: string) => string[]
>;

/** Whether `sectionOf` knows this JSON. */
export function isStudy(json: unknown): json is Study {
  const kind = typeof json === 'object' && json !== null && 'kind' in json ? String(json.kind) : '';
  return Object.hasOwn(SECTIONS, kind);
}

/** The lines of a section; `folder`: where the JSON and its pictures lie, seen from the page. */
export function sectionOf(study: Study, folder = 'results'): string[] {
  return SECTIONS[study.kind](study as never, folder);
}

function sweep(
  { about, paper, plot, k, temperature, methods, quoted, known, held_out: asked }: SweepStudy,
  folder: string,
) {
  const trained = methods[0]!;
  return [
    `## E1 Weighted kNN: ${about.name ?? about.objective}`,
    '',
    ...stands(about, paper),
    `- ${asked.pictures} held-out pictures ask ${known.pictures} known ones of ${known.labels} labels`,
    '',
    `At the paper's k ${quoted.k} and τ ${quoted.temperature}:`,
    '',
    '| | kNN | seconds to embed and vote |',
    '| --- | --- | --- |',
    ...methods.map(({ name, quoted: share, seconds }) => `| ${name} | ${percent(share)} | ${seconds} |`),
    '',
    `![accuracy against k, a line for each temperature](${folder}/${plot})`,
    '',
    'The trained encoder by k and τ, in %; nothing is chosen by these, they are the held-out pictures:',
    '',
    `| τ, k | ${k.join(' | ')} |`,
    `| --- |${k.map(() => ' --- |').join('')}`,
    ...temperature.map((tau, i) => `| ${tau} | ${trained.accuracy[i]!.map(inPercent).join(' | ')} |`),
    '',
  ];
}

function curve({ about, paper, plot, epochs, measured, pearson, spearman }: CurveStudy, folder: string) {
  const last = epochs.filter(({ knn }) => knn !== null).at(-1);
  const together =
    pearson === null || spearman === null
      ? `${measured} epochs were measured: too few, or all the same, so loss and accuracy cannot be compared`
      : `Correlation of loss and accuracy over the ${measured} epochs measured: Pearson ${pearson.toFixed(3)}, Spearman ${spearman.toFixed(3)} (−1: accuracy rises whenever the loss falls)`;
  return [
    `## E5 Loss and accuracy: ${about.name ?? about.objective}`,
    '',
    ...stands(about, paper),
    `- ${together}`,
    ...(last
      ? [
          `- After epoch ${last.epoch}, at the training size: loss ${last.loss.toFixed(3)}, kNN ${percent(last.knn!)}`,
        ]
      : []),
    '',
    `![loss and kNN accuracy by epoch](${folder}/${plot})`,
    '',
  ];
}

function sheet(
  { about, paper, picture, of, queries, known, mean_share: mean, best, seed }: SheetStudy,
  folder: string,
) {
  const share =
    mean === null ? [] : [`- Over all queries, ${percent(mean)} of the nearest have the query's label`];
  const width = best[0]?.neighbours.length ?? 0;
  return [
    `## E8 Retrieval: ${about.name ?? about.objective}`,
    '',
    ...stands(about, paper),
    `- ${of}: ${queries} queries, their ${width} nearest of ${known} pictures; shown are the best and the worst by labels (seed ${seed})`,
    ...share,
    '',
    `![queries with their nearest pictures](${folder}/${picture})`,
    '',
  ];
}

function stands(about: About, paper: readonly Published[]): string[] {
  return [
    `- ${inWords(about)}`,
    ...(about.trained_on ? [`- Trained on: ${about.trained_on}`] : []),
    ...paper.map(({ source, setting, figure }) => `- For orientation, ${source}: ${figure} (${setting})`),
  ];
}

const inPercent = (share: number) => (100 * share).toFixed(1);
