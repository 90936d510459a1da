/** The manifests' schemas: a whole one passes, and every way of being wrong is refused where it is wrong. */
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { bankItem, bankManifest, generationManifest, modelManifest } from '../../../src/core/manifests.js';

const HASH = 'ab'.repeat(32);

const model = {
  format_version: 1,
  name: 'm',
  sha256: HASH,
  input: { name: 'image', width: 64, height: 64, layout: 'nchw', dtype: 'float32' },
  output: { name: 'vector' },
  preprocess: {
    resize: { shorter_side: 64 },
    crop: { width: 64, height: 64 },
    kernel: 'lanczos3',
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
    background: [255, 255, 255],
  },
  dimension: 128,
  temperature: 0.07,
  trained_on: 'x',
  terms: 'MIT',
  settings: {},
  accuracy: {},
};
const bank = {
  format_version: 1,
  model_sha256: HASH,
  rows: 0,
  dimension: 128,
  normalised: true,
  source_package: null,
  name: 'b',
  terms: 'MIT',
  files: { 'bank.safetensors': HASH },
};
const generation = {
  format_version: 2,
  model_sha256: HASH,
  bank_mark: 0,
  rows: 0,
  dimension: 128,
  engine: 'usearch',
  parameters: { m: 16, ef_construction: 200 },
  created_at: '2026-01-01T00:00:00.000Z',
  files: {},
};

/** A copy with the value at a path of keys replaced; `undefined` takes it out. */
function changed(whole: object, path: string, value: unknown): unknown {
  const copy = structuredClone(whole) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce((at, key) => at[key] as Record<string, unknown>, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

const MODEL_FAULTS: [string, unknown][] = [
  ['format_version', 2],
  ['format_version', '1'],
  ['name', ''],
  ['sha256', HASH.toUpperCase()],
  ['sha256', 'ab'],
  ['input.layout', 'chwn'],
  ['input.batch', 2],
  ['output.pooling', 'max'],
  ['input.dtype', 'uint8'],
  ['input.width', 0],
  ['output', undefined],
  ['preprocess.kernel', 'nearest'],
  ['preprocess.mean', [0.5, 0.5]],
  ['preprocess.std', [0.25, 0, 0.25]],
  ['preprocess.background', [0, 0, 256]],
  ['preprocess.resize.shorter_side', 4097],
  ['preprocess.resize', { shorter_side: 64, width: 64, height: 64 }],
  ['preprocess.resize', { width: 64 }],
  ['preprocess.crop.width', 0.5],
  ['preprocess.flip', true],
  ['dimension', 15],
  ['dimension', 2049],
  ['temperature', 0],
  ['comment', 'x'],
];
const BANK_FAULTS: [string, unknown][] = [
  ['format_version', 2],
  ['model_sha256', 'x'],
  ['rows', -1],
  ['rows', 1.5],
  ['normalised', false],
  ['source_package', undefined],
  ['files', { 'bank.safetensors': 'short' }],
  ['extra', 1],
];
const GENERATION_FAULTS: [string, unknown][] = [
  ['bank_mark', -1],
  ['engine', 'faiss'],
  ['parameters.m', 0],
  ['parameters.ef_construction', undefined],
  ['parameters.ef', 10],
  ['created_at', undefined],
];

const SCHEMAS: [string, z.ZodType, object, [string, unknown][]][] = [
  ['model', modelManifest, model, MODEL_FAULTS],
  ['bank', bankManifest, bank, BANK_FAULTS],
  ['generation', generationManifest, generation, GENERATION_FAULTS],
];

describe.each(SCHEMAS)('the %s manifest', (_, schema, whole, faults) => {
  it('passes when it is whole', () => {
    expect(schema.parse(whole)).toEqual(whole);
  });

  it.each(faults)('is refused for its %s = %j, and says so there', (path, value) => {
    const result = schema.safeParse(changed(whole, path, value));
    expect(result.success).toBe(false);
    const places = result.error!.issues.map((issue) =>
      [...issue.path, ...('keys' in issue ? (issue.keys as string[]) : [])].join('.'),
    );
    expect(places.some((place) => place.startsWith(path))).toBe(true);
  });
});

describe('what a model manifest may say since models can be brought', () => {
  it.each([
    ['input.layout', 'nhwc'],
    ['input.batch', 1],
    ['output.pooling', 'cls'],
    ['preprocess.resize', { width: 64, height: 48 }],
  ])('%s = %j', (path, value) => {
    expect(modelManifest.parse(changed(model, path, value))).toEqual(changed(model, path, value));
  });
});

describe('a bank item', () => {
  it('needs an id and a hash, and has no empty label', () => {
    expect(bankItem.safeParse({ id: 'a', sha256: HASH }).success).toBe(true);
    const wrong = [
      { id: '', sha256: HASH },
      { id: 'a' },
      { id: 'a', sha256: HASH, label: '' },
      { id: 'a', sha256: HASH, row: 1 },
    ];
    for (const item of wrong) expect(bankItem.safeParse(item).success).toBe(false);
  });
});
