/** A model folder: opened whole, refused in words that say what to do. */
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readModel, writeModel } from '../../../src/engines/manifest.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { writeTinyModel } from '../../fixtures/tiny-encoder.js';

let folder: string;
const manifestPath = () => join(folder, 'manifest.json');
const encoderPath = () => join(folder, 'encoder.onnx');

beforeEach(async () => {
  folder = await tempFolder();
  await writeTinyModel(folder);
});

describe('a model folder', () => {
  it('is read with its manifest and the path of its encoder', async () => {
    const { manifest, onnxPath } = await readModel(folder);
    expect(manifest).toEqual(JSON.parse(await readFile(manifestPath(), 'utf8')));
    expect(onnxPath).toBe(encoderPath());
  });

  it('that was written is read back', async () => {
    const { sha256: _, format_version: __, ...given } = (await readModel(folder)).manifest;
    const onnx = await readFile(encoderPath());
    const copy = join(folder, 'copy');
    const written = await writeModel(copy, onnx, { ...given, name: 'copy' });
    expect((await readModel(copy)).manifest).toEqual(written);
    expect((await readFile(join(copy, 'encoder.onnx'))).equals(onnx)).toBe(true);
  });

  it.each(['manifest.json', 'encoder.onnx'])(
    'without %s is missing, and the message says how to get one',
    async (name) => {
      await rm(join(folder, name));
      const { message } = await refusal('model_missing', () => readModel(folder));
      for (const part of [folder, name, '--model', 'npm run train']) expect(message).toContain(part);
    },
  );

  it('that is not there is missing', async () => {
    await refusal('model_missing', () => readModel(join(folder, 'nowhere')));
  });

  it('with a manifest that is not JSON, or no manifest, is refused by its path', async () => {
    for (const text of ['', '{"name"', '[]', '{}', 'null', '"text"']) {
      await writeFile(manifestPath(), text);
      expect((await refusal('model_invalid', () => readModel(folder))).message).toContain(manifestPath());
    }
  });

  it('with a wrong value in its manifest is refused, and the value is named', async () => {
    const manifest = JSON.parse(await readFile(manifestPath(), 'utf8'));
    manifest.preprocess.kernel = 'nearest';
    await writeFile(manifestPath(), JSON.stringify(manifest));
    expect((await refusal('model_invalid', () => readModel(folder))).message).toContain('preprocess.kernel');
  });

  it('whose encoder is not the one of the manifest is refused with both hashes', async () => {
    const { manifest } = await readModel(folder);
    await appendFile(encoderPath(), 'x');
    const { message } = await refusal('model_invalid', () => readModel(folder));
    expect(message).toContain(encoderPath());
    expect(message).toContain(manifest.sha256.slice(0, 12));
  });
});
