/** A study: runs of several variants, compared. Each is a JSON file of `trainer/studies/`; here it is read and checked. */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { LookalikeError, messageOf } from '../../../dist/offline.js';
import { readRecipe, resolveSettings, type Settings } from '../config.js';
import {
  count,
  KEY,
  may,
  named,
  numbers,
  object,
  oneOf,
  percentage,
  shaped,
  someOf,
  text,
  texts,
  wrong,
} from './shape.js';

/** What the pictures are, in the words that stand beside their figures. */
export const DATA = {
  cifar10: 'CIFAR-10, a lossy JPEG copy (quality 75, 4:2:0)',
  imagenette: 'Imagenette, photographs of 160 px',
  own: 'pictures of your own',
} as const;
export type DataName = keyof typeof DATA;

export const BASELINES = ['pixels', 'random'] as const;
export type BaselineName = (typeof BASELINES)[number];

/** `curves`: kNN by epoch; `bars`: the last kNN. */
export type PlotKind = 'curves' | 'bars';

/** Published figures in per cent, for orientation. */
export interface Paper {
  knn?: number;
  linear?: number;
}

/** Another program's run of the same thing, to be drawn and told beside ours. */
export interface Reference {
  title: string;
  epochs: number[];
  loss: number[]; // after each of these epochs
  knn: number[]; // per cent
}

export interface Variant {
  key: string; // the name of its folder
  title: string;
  settings: Settings;
  paper: Paper | null;
  reference: Reference | null;
}

export interface Study {
  name: string;
  title: string;
  question: string;
  data: DataName;
  /** Learned from this many, as many of each label; null: from all. */
  pictures: number | null;
  plot: PlotKind;
  /** What the variants have in common: their settings are told as differences from these. */
  base: Settings;
  variants: Variant[];
  baselines: BaselineName[];
  against: string | null; // the variant that the others' gain is counted from
  paper: string | null; // source of the published figures
  remarks: string[]; // of people, for the page
}

type Layer = Record<string, unknown>;
interface StudyFile extends Pick<Study, 'title' | 'question' | 'data'> {
  recipe: string;
  settings?: Layer;
  pictures?: number;
  plot?: PlotKind;
  variants: Record<string, unknown>;
  baselines?: BaselineName[];
  against?: string;
  paper?: string;
  remarks?: string[];
}
interface VariantFile {
  title?: string;
  recipe?: string;
  settings?: Layer;
  paper?: Paper;
  reference?: Reference;
}

const STUDY = {
  title: text,
  question: text,
  data: oneOf(Object.keys(DATA)),
  recipe: text,
  settings: may(object),
  pictures: may(count),
  plot: may(oneOf(['curves', 'bars'])),
  variants: named,
  baselines: may(someOf(BASELINES)),
  against: may(text),
  paper: may(text),
  remarks: may(texts),
};
const VARIANT = {
  title: may(text),
  recipe: may(text),
  settings: may(object),
  paper: may(object),
  reference: may(object),
};
const PAPER = { knn: may(percentage), linear: may(percentage) };
const REFERENCE = { title: text, epochs: numbers, loss: numbers, knn: numbers };

/**
 * A study by name (from `trainer/studies/`) or by the path of a JSON file. `overrides` go over the settings of
 * every variant. Throws `invalid_setting` naming the key at fault.
 */
export function readStudy(nameOrPath: string, overrides: Layer = {}): Study {
  const own = new URL(`../../studies/${nameOrPath}.json`, import.meta.url);
  const file = KEY.test(nameOrPath) && existsSync(own) ? own : nameOrPath;
  try {
    return parseStudy(basename(nameOrPath, '.json'), JSON.parse(readFileSync(file, 'utf8')), overrides);
  } catch (cause) {
    if (cause instanceof LookalikeError) throw cause;
    throw new LookalikeError(
      'invalid_setting',
      `the study ${nameOrPath} cannot be read: ${messageOf(cause)}`,
      { field: 'study', cause },
    );
  }
}

export function parseStudy(name: string, json: unknown, overrides: Layer = {}): Study {
  const file = shaped<StudyFile>(json, STUDY, name);
  const { title, question, data, recipe, settings: common = {} } = file;
  const variants = Object.entries(file.variants).map(([key, value]) =>
    parseVariant({ where: `${name}.variants.${key}`, key }, value, (own, ownRecipe) =>
      resolveSettings(readRecipe(ownRecipe ?? recipe), common, own, overrides),
    ),
  );
  const keys = variants.map(({ key }) => key);
  if (file.against !== undefined && !keys.includes(file.against))
    throw wrong(`${name}.against`, file.against, keys.join(' or '));
  return {
    name,
    title,
    question,
    data,
    pictures: file.pictures ?? null,
    plot: file.plot ?? 'curves',
    base: within(name, () => resolveSettings(readRecipe(recipe), common, overrides)),
    variants,
    baselines: file.baselines ?? [],
    against: file.against ?? null,
    paper: file.paper ?? null,
    remarks: file.remarks ?? [],
  };
}

function parseVariant(
  { where, key }: { where: string; key: string },
  json: unknown,
  resolve: (own: Layer, recipe: string | undefined) => Settings,
): Variant {
  const file = shaped<VariantFile>(json, VARIANT, where);
  const paper = file.paper && shaped<Paper>(file.paper, PAPER, `${where}.paper`);
  const reference = file.reference && shaped<Reference>(file.reference, REFERENCE, `${where}.reference`);
  if (
    reference &&
    new Set([reference.epochs, reference.loss, reference.knn].map((row) => row.length)).size > 1
  )
    throw wrong(`${where}.reference`, reference, 'as many epochs as losses and kNN figures');
  return {
    key,
    title: file.title ?? key,
    settings: within(where, () => resolve(file.settings ?? {}, file.recipe)),
    paper: paper ?? null,
    reference: reference ?? null,
  };
}

/** A wrong setting says in which variant it stands. */
function within<T>(where: string, resolve: () => T): T {
  try {
    return resolve();
  } catch (cause) {
    if (!(cause instanceof LookalikeError)) throw cause;
    const field = cause.field === undefined ? {} : { field: cause.field };
    throw new LookalikeError(cause.code, `${where}: ${cause.message}`, { ...field, cause });
  }
}
