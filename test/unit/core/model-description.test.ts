/** Manifests made from an inspection, confirmed by one, and compared. */
import { describe, expect, it } from 'vitest';
import type { Inspection } from '../../../src/core/inspection.js';
import { type ModelManifest, modelManifest } from '../../../src/core/manifests.js';
import {
  checkModelName,
  confirmedManifest,
  foreignManifest,
  modelNameFrom,
  sameEmbedding,
} from '../../../src/core/model-description.js';
import { refusal } from '../../fixtures/errors.js';
import { RECORD } from '../../fixtures/foreign-encoder.js';

const inspection: Inspection = {
  sha256: 'ab'.repeat(32),
  input: { name: 'image', width: 32, height: 32, layout: 'nchw', dtype: 'float32' },
  output: { name: 'vector', pooling: 'none' },
  dimension: 24,
  unit_length: false,
  milliseconds: 1.5,
  threads: 1,
  notes: [],
};
const given = { name: 'net', file: 'net.onnx', record: 'preprocess.json', preprocess: RECORD };
const manifest: ModelManifest = modelManifest.parse({
  ...foreignManifest(given, inspection),
  format_version: 1,
  sha256: inspection.sha256,
});

describe('the manifest of an encoder from elsewhere', () => {
  it('fits the schema, and takes the temperature that is asked for', () => {
    expect(manifest).toMatchObject({ name: 'net', temperature: 0.07, dimension: 24, preprocess: RECORD });
    expect(foreignManifest({ ...given, temperature: 0.2 }, inspection).temperature).toBe(0.2);
  });
});

describe('a manifest that came along', () => {
  it('is kept as it is when the inspection found the same, older ones too', () => {
    const { pooling: _, ...output } = manifest.output;
    const older = { ...manifest, output };
    expect(confirmedManifest(older, inspection)).toEqual(older);
  });

  it('learns that its encoder is run one picture at a time', () => {
    const found = { ...inspection, input: { ...inspection.input, batch: 1 as const } };
    expect(confirmedManifest(manifest, found).input.batch).toBe(1);
  });

  it.each([
    ['dimension', { dimension: 25 }],
    ['sha256', { sha256: 'cd'.repeat(32) }],
    ['input.name', { input: { ...inspection.input, name: 'other' } }],
    ['input.layout', { input: { ...inspection.input, layout: 'nhwc' as const } }],
    ['input.width', { input: { ...inspection.input, width: 33 } }],
    ['input.height', { input: { ...inspection.input, height: 33 } }],
  ])('is refused when %s is not what was found', async (field, found) => {
    const error = await refusal('model_invalid', () =>
      confirmedManifest(manifest, { ...inspection, ...found }),
    );
    expect(error.field).toBe(field);
    expect(error.message).toContain(`the manifest says ${field} `);
  });
});

describe('sameEmbedding', () => {
  it('looks at what makes the vectors, not at words', () => {
    const words = { name: 'other', temperature: 1, terms: 'MIT', settings: {} };
    expect(sameEmbedding(manifest, { ...manifest, ...words })).toBe(true);
    expect(sameEmbedding(manifest, { ...manifest, output: { name: 'vector' } })).toBe(true);
  });

  it.each<Partial<ModelManifest>>([
    { sha256: 'cd'.repeat(32) },
    { output: { name: 'vector', pooling: 'mean' } },
    { output: { name: 'other' } },
    { input: { ...manifest.input, batch: 1 } },
    { preprocess: { ...RECORD, kernel: 'cubic' } },
    { preprocess: { ...RECORD, resize: { shorter_side: 32 } } },
    { dimension: 32 },
  ])('tells %j', (change) => {
    expect(sameEmbedding(manifest, { ...manifest, ...change })).toBe(false);
  });
});

describe('names', () => {
  it('may be what people call models', () => {
    for (const name of ['a', 'Net 2.0', 'clip-vit-base_patch32', 'Größe', '0', 'a'.repeat(64)])
      expect(checkModelName(name)).toBe(name);
  });

  it('are made from any file name', () => {
    const made = ['.hidden', 'a/b\\c', '   ', '', '(x)', 'a'.repeat(100), '\u0000', '-.-'].map(modelNameFrom);
    expect(made).toEqual(['hidden', 'a-b-c', 'model', 'model', 'x-', 'a'.repeat(64), 'model', 'model']);
    for (const name of made) expect(checkModelName(name)).toBe(name);
  });
});
