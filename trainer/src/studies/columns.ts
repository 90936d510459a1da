/** What stands beside every figure of a study, as the columns of its table. */
import { SETTINGS, type Settings } from '../config.js';
import { FLOORS, type Floor } from './floors.js';
import { lastKnn, networkInWords, type StudyResult, type VariantResult } from './result.js';

export interface Row {
  [column: string]: string;
}

const counted = (value: number) => Math.round(value).toLocaleString('en-GB');
const inPercent = (share: number | null | undefined) =>
  typeof share === 'number' ? (100 * share).toFixed(1) : '';
const figure = (value: number | undefined) => (value === undefined ? '' : value.toFixed(1));

function settingOf<Name extends keyof Settings>({ settings }: VariantResult, name: Name): Settings[Name] {
  return (settings[name] ?? SETTINGS[name].default) as Settings[Name];
}

export function networkOf(variant: VariantResult): string {
  return networkInWords({ network: settingOf(variant, 'network'), width: settingOf(variant, 'width') });
}

/** A variant's row. Columns that no row fills are left out of the table later. */
export function variantRow(variant: VariantResult, result: StudyResult): Row {
  const { paper, exported, knn } = variant;
  const size = settingOf(variant, 'size');
  const ranks = ranksOf(result.variants);
  return {
    variant: variant.finished ? variant.title : `${variant.title} (not finished)`,
    'kNN %': inPercent(knn?.value),
    gain: gainOf(variant, result),
    'paper: kNN %': figure(paper?.knn),
    'paper: linear %': figure(paper?.linear),
    'rank: ours / paper': ranks.get(variant.key) ?? '',
    network: networkOf(variant),
    input: `${size} px`,
    numbers: `${settingOf(variant, 'dimension')}`,
    'k, τ of the vote': `${knn?.k ?? ''}, ${knn?.temperature ?? ''}`,
    epochs: epochsOf(variant),
    pictures: counted(variant.pictures),
    'held out': counted(variant.held_out),
    seconds: counted(variant.seconds),
    'views/s': variant.views_per_second === null ? '' : counted(variant.views_per_second),
    'waited %': inPercent(variant.wait_share),
    'exported kNN %': exported ? `${inPercent(exported.knn)} at ${exported.size} px` : '',
  };
}

function epochsOf({ epochs, finished, settings, knn }: VariantResult): string {
  const of = finished ? '' : ` of ${settings.epochs}`;
  const measured = knn !== null && knn.epoch !== epochs ? `, kNN after ${knn.epoch}` : '';
  return `${epochs}${of}${measured}`;
}

/** Percentage points over the variant that the study compares with. */
function gainOf(variant: VariantResult, { against, variants }: StudyResult): string {
  const first = variants.find(({ key }) => key === against);
  const [own, other] = [lastKnn(variant), first ? lastKnn(first) : null];
  if (own === null || other === null) return '';
  if (variant === first) return 'compared with';
  return `${own < other ? '−' : '+'}${Math.abs(own - other).toFixed(1)}`;
}

export function floorRow(floor: Floor): Row {
  const { name, network, knn, k, temperature, size, dimension, pictures, held_out } = floor;
  return {
    variant: FLOORS[name],
    'kNN %': inPercent(knn),
    network: network ?? 'none',
    input: `${size} px`,
    numbers: `${dimension}`,
    'k, τ of the vote': `${k}, ${temperature}`,
    epochs: '0',
    pictures: counted(pictures),
    'held out': counted(held_out),
    seconds: '0',
  };
}

/** Variants with a figure of ours and one of the paper, the worst first. */
export function ordered(variants: readonly VariantResult[]) {
  const both = variants.flatMap((variant) => {
    const [ours, theirs] = [lastKnn(variant), variant.paper?.knn];
    return ours === null || theirs === undefined ? [] : [{ variant, ours, theirs }];
  });
  const by = (value: (one: (typeof both)[number]) => number) =>
    [...both].sort((a, b) => value(a) - value(b)).map(({ variant }) => variant);
  return { ours: by(({ ours }) => ours), theirs: by(({ theirs }) => theirs) };
}

/** By key: "1 / 2", 1 being the best. Empty with less than two to compare. */
function ranksOf(variants: readonly VariantResult[]): Map<string, string> {
  const { ours, theirs } = ordered(variants);
  if (ours.length < 2) return new Map();
  const rank = (order: readonly VariantResult[], one: VariantResult) => order.length - order.indexOf(one);
  return new Map(ours.map((one) => [one.key, `${rank(ours, one)} / ${rank(theirs, one)}`]));
}
