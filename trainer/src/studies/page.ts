/** A study's section of the page of results, in Markdown, from its JSON alone; only the remarks are people's. */

import type { Machine } from '../machine.js';
import { floorRow, ordered, type Row, variantRow } from './columns.js';
import type { StudyResult, VariantResult } from './result.js';
import { DATA } from './study.js';

/** `plot`: its path from the page, or null where there is none. */
export interface Around {
  remarks: readonly string[];
  plot: string | null;
}

export function sectionOf(result: StudyResult, { remarks, plot }: Around): string[] {
  const { title, question, study, data, paper, variants, baselines } = result;
  const rows = [...variants.map((one) => variantRow(one, result)), ...baselines.map((one) => floorRow(one))];
  return [
    `## ${title}`,
    '',
    question,
    '',
    `Pictures: ${DATA[data]}. kNN: weighted vote of the k nearest training pictures, on clean features of the held-out ones at the training size.`,
    ...(paper === null ? [] : ['', `The paper's figures, for orientation: ${paper}.`]),
    '',
    ...table(rows),
    ...orderLines(variants),
    ...(plot === null ? [] : ['', `![${title}](${plot})`]),
    ...changesTable(variants),
    ...variants.flatMap(referenceTable),
    ...remarks.flatMap((remark) => ['', remark]),
    '',
    ...originLines(variants),
    '',
    '```',
    `npm run train -- study ${study} --data <folder of ${data === 'own' ? 'the pictures' : data}> --out ./studies`,
    'npm run results -- --take ./studies',
    '```',
  ];
}

const cell = (text: string) => text.replaceAll('|', '\\|');

/** Columns in the order of the first row; those that are empty in every row are left out. */
function table(rows: readonly Row[]): string[] {
  const columns = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => row[name]));
  return lines(
    columns,
    rows.map((row) => columns.map((name) => row[name] ?? '')),
  );
}

function lines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function orderLines(variants: readonly VariantResult[]): string[] {
  const { ours, theirs } = ordered(variants);
  if (ours.length < 2) return [];
  const inOrder = (order: readonly VariantResult[]) => order.map(({ title }) => title).join(' < ');
  return ['', `Our order by kNN: ${inOrder(ours)}.`, '', `The paper's order: ${inOrder(theirs)}.`];
}

/** In which settings the variants differ from what the study has in common. */
function changesTable(variants: readonly VariantResult[]): string[] {
  const rows = variants.map(({ title, changed }) => {
    const words = Object.entries(changed).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    return [title, words.length === 0 ? 'none' : words.join(', ')];
  });
  return ['', ...lines(['variant', 'settings of its own'], rows)];
}

function referenceTable({ title, curve, reference }: VariantResult): string[] {
  if (reference === null) return [];
  const percent = (knn: number | null | undefined) => (typeof knn === 'number' ? (100 * knn).toFixed(1) : '');
  const rows = reference.epochs.map((epoch, i) => {
    const own = curve.find((point) => point.epoch === epoch);
    const ours = [percent(own?.knn), own ? own.loss.toFixed(2) : ''];
    return [`${epoch}`, ours[0]!, reference.knn[i]!.toFixed(1), ours[1]!, reference.loss[i]!.toFixed(2)];
  });
  const head = ['epoch', 'kNN %', 'kNN %, reference', 'loss', 'loss, reference'];
  return ['', `Beside the reference (${reference.title}), ${title}:`, '', ...lines(head, rows)];
}

/** Machines, revisions, seeds and data, each once where they are the same. */
function originLines(variants: readonly VariantResult[]): string[] {
  const distinct = (of: (one: VariantResult) => string) => [...new Set(variants.map(of))].join('; ');
  return [
    `Machine: ${distinct(({ machine }) => machineWords(machine))}. ` +
      `Revision: ${distinct(({ git_revision }) => git_revision?.slice(0, 12) ?? 'not recorded')}. ` +
      `Seed: ${distinct(({ settings }) => String(settings.seed))}. ` +
      `SHA-256 of the training pictures: ${distinct(({ data_sha256 }) => `\`${data_sha256.slice(0, 16)}\``)}.`,
  ];
}

function machineWords({ cpu, cores, node, library }: Machine): string {
  return `${cpu}, ${cores} cores, Node ${node}${library === null ? '' : `, ${library}`}`;
}
