/**
 * Every setting of a training run once: meaning, default, check. Recipes (JSON files) and the command line
 * name the same settings; anything else stops the run. What was used is saved beside the weights.
 */
import { existsSync, readFileSync } from 'node:fs';
import { LookalikeError, messageOf } from '../../dist/offline.js';

/** Of the training pictures' normalisation (ImageNet's usual values); they travel in the model's manifest. */
export const MEAN = [0.485, 0.456, 0.406] as const;
export const STD = [0.229, 0.224, 0.225] as const;

type Value = number | string | boolean | readonly number[];

interface Setting<T extends Value> {
  default: T;
  help: string;
  /** Null when fine, otherwise what is allowed. */
  check(value: T): string | null;
}

const within = (low: number, high: number, fallback: number, help: string): Setting<number> => ({
  default: fallback,
  help,
  check: (value) => (value >= low && value <= high ? null : `a number from ${low} to ${high}`),
});
const whole = (low: number, high: number, fallback: number, help: string): Setting<number> => ({
  default: fallback,
  help,
  check: (value) =>
    Number.isInteger(value) && value >= low && value <= high ? null : `a whole number from ${low} to ${high}`,
});
const oneOf = <T extends string>(allowed: readonly T[], help: string): Setting<T> => ({
  default: allowed[0]!,
  help: `${help}: ${allowed.join(' or ')}`,
  check: (value) => (allowed.includes(value) ? null : allowed.join(' or ')),
});
const yesNo = (fallback: boolean, help: string): Setting<boolean> => ({
  default: fallback,
  help,
  check: (value) => (typeof value === 'boolean' ? null : 'true or false'),
});
const list = (fallback: readonly number[], help: string, allowed: ListRule): Setting<readonly number[]> => ({
  default: fallback,
  help,
  check: (value) =>
    Array.isArray(value) && value.length >= allowed.least && value.every(allowed.each) ? null : allowed.words,
});

interface ListRule {
  least: number; // entries
  each(value: number): boolean;
  words: string;
}

const EPOCHS: ListRule = {
  least: 0,
  each: (n) => Number.isInteger(n) && n > 0,
  words: 'whole numbers above 0',
};
const SCALES: ListRule = { least: 1, each: (n) => n >= 0.5 && n <= 4, words: 'numbers from 0.5 to 4' };

const POWERS: ListRule = { least: 0, each: (n) => n >= 0 && n <= 1, words: 'numbers from 0 to 1' };

export const OBJECTIVES = ['two-view', 'memory-bank', 'nce', 'queue', 'parametric', 'supervised'] as const;
export type ObjectiveName = (typeof OBJECTIVES)[number];

export const SETTINGS = {
  objective: oneOf(OBJECTIVES, 'what is learned'),
  network: oneOf(['resnet18', 'resnet34', 'resnet50'] as const, 'backbone'),
  width: within(0.05, 2, 0.5, "factor of the network's channels (64, 128, 256, 512 in its stages)"),
  head: oneOf(['mlp', 'linear'] as const, 'from the backbone to the embedding'),
  dimension: whole(16, 2048, 128, 'numbers in an embedding'),
  size: whole(16, 512, 64, 'side of the training views, pixels (multiple of 16; from 129: of 32)'),
  start_size: whole(
    0,
    512,
    0,
    'side of the views in the first epoch, rising to size by grow_until; 0 means size',
  ),
  grow_until: within(0, 1, 0.6, 'share of the epochs after which views have their full size'),
  pack: whole(0, 1024, 0, 'side of the stored pictures that views are cut from; 0 means 1.5 x size'),
  eval_scales: list([1, 1.25, 1.5], 'input sizes that are compared after training, in sizes', SCALES),
  whitening: list(
    [0.5, 0.75, 1],
    "strengths of whitening the backbone's features, compared with the head",
    POWERS,
  ),
  batch: whole(2, 4096, 128, 'pictures in a step'),
  epochs: whole(1, 10_000, 60, 'passes over all pictures'),
  lr: within(1e-6, 10, 0.06, 'highest learning rate'),
  warmup_epochs: within(0, 1000, 5, 'epochs of rising learning rate'),
  drops: list([], 'epochs at which the rate falls to a tenth; none means cosine to 0', EPOCHS),
  momentum: within(0, 0.999, 0.9, 'of gradient descent'),
  weight_decay: within(0, 1, 5e-4, 'on kernels and matrices, not on biases and batch normalisation'),
  temperature: within(0.01, 1, 0.1, 'of the training objective'),
  decoupled: yesNo(false, 'leave the positive out of the sum below the line (two-view, memory-bank, queue)'),
  views: whole(1, 2, 1, 'of a picture in a step, each against the bank (memory-bank, nce, parametric)'),
  bank_momentum: within(0, 0.999, 0.5, 'share of the old entry when the memory bank is updated'),
  proximal: within(0, 100, 0, 'weight of the squared distance to the own bank entry (memory-bank, nce)'),
  negatives: whole(1, 1_000_000, 4096, 'bank entries that a view is told apart from (nce)'),
  shared_negatives: yesNo(false, 'draw them once a batch instead of once a view: faster (nce)'),
  noise: oneOf(['others', 'all'] as const, 'negatives are drawn from (nce; all is the form of the paper)'),
  normaliser: oneOf(['average', 'constant'] as const, 'Z: moving average, or fixed after z_batches (nce)'),
  z_batches: whole(1, 100_000, 10, 'first batches whose mean is the constant Z (nce)'),
  queue: whole(2, 1_000_000, 4096, 'keys of past batches that a view is told apart from (queue)'),
  encoder_momentum: within(
    0,
    0.9999,
    0.99,
    'share of the old weights in the slow encoder of the keys (queue)',
  ),
  small_views: whole(
    0,
    8,
    0,
    'more, smaller views of a picture, each told to find the large ones (two-view)',
  ),
  small_size: whole(16, 512, 32, 'side of the small views, pixels'),
  small_crop_max: within(0.01, 1, 0.4, 'largest share of the picture in a small view'),
  crop_min: within(0.01, 1, 0.2, 'smallest share of the picture in a view'),
  flip: within(0, 1, 0.5, 'probability of a mirrored view'),
  jitter: within(0, 1, 0.8, 'probability of changed colours'),
  brightness: within(0, 1, 0.4, 'strength within the jitter'),
  contrast: within(0, 1, 0.4, 'strength within the jitter'),
  saturation: within(0, 1, 0.4, 'strength within the jitter'),
  hue: within(0, 0.5, 0.1, 'strength within the jitter, in turns'),
  grey: within(0, 1, 0.2, 'probability of a view without colour'),
  knn_every: whole(0, 1000, 5, 'epochs between two kNN measurements; 0 means only at the end'),
  knn_k: whole(1, 10_000, 200, 'neighbours that vote'),
  knn_temperature: within(0.01, 1, 0.07, 'of the vote; also written into the manifest'),
  seed: whole(0, 2 ** 31 - 1, 0, 'of weights, order and views'),
};

export type SettingName = keyof typeof SETTINGS;
type Widened<T> = T extends readonly number[] ? readonly number[] : T;
export type Settings = { -readonly [Name in SettingName]: Widened<(typeof SETTINGS)[Name]['default']> };

/** The defaults, overlaid by a recipe, overlaid by single values. Throws `invalid_setting` naming the key. */
export function resolveSettings(...layers: readonly Readonly<Record<string, unknown>>[]): Settings {
  const resolved: Record<string, unknown> = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => [name, setting.default]),
  );
  for (const layer of layers)
    for (const [name, value] of Object.entries(layer)) resolved[name] = checked(name, value);
  const settings = resolved as Settings;
  if (settings.pack === 0) settings.pack = Math.round(settings.size * 1.5);
  return settings;
}

function checked(name: string, value: unknown): Value {
  if (!(name in SETTINGS))
    throw new LookalikeError(
      'invalid_setting',
      `"${name}" is not a setting of the trainer; there are ${Object.keys(SETTINGS).join(', ')}`,
      { field: name },
    );
  // The table's union of types cannot be told apart by the name here: the kind is compared at run time.
  const setting = SETTINGS[name as SettingName] as unknown as Setting<Value>;
  const sameKind =
    typeof value === typeof setting.default && Array.isArray(value) === Array.isArray(setting.default);
  const wrong = sameKind ? setting.check(value as Value) : setting.check(Number.NaN as never);
  if (!sameKind || wrong !== null)
    throw new LookalikeError('invalid_setting', `${name} is ${JSON.stringify(value)}, allowed: ${wrong}`, {
      field: name,
    });
  return value as Value;
}

/** A setting from the command line's text: numbers, lists of numbers (`64,80`) or a word. */
export function parseSetting(name: SettingName, text: string): Value {
  const fallback = SETTINGS[name].default as Value;
  if (typeof fallback === 'string') return text;
  if (typeof fallback === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (typeof fallback === 'number') return text.trim() === '' ? Number.NaN : Number(text);
  return text.trim() === '' ? [] : text.split(',').map(Number);
}

/** A recipe by name (from `trainer/recipes/`) or by the path of a JSON file. */
export function readRecipe(nameOrPath: string): Record<string, unknown> {
  const own = new URL(`../recipes/${nameOrPath}.json`, import.meta.url);
  const file = /^[a-z0-9-]+$/.test(nameOrPath) && existsSync(own) ? own : nameOrPath;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw new LookalikeError(
      'invalid_setting',
      `the recipe ${nameOrPath} cannot be read: ${messageOf(cause)}`,
      {
        field: 'recipe',
        cause,
      },
    );
  }
}

/** A setting of a saved run; older files lack the newer settings, which had their defaults then. */
export function settingOf<Name extends SettingName>(saved: Readonly<Record<string, unknown>>, name: Name) {
  return (saved[name] ?? SETTINGS[name].default) as Settings[Name];
}
