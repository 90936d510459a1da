/** What is brought as a model: understood, or refused with what was found. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readGivenModel } from '../../../src/engines/model-folder.js';
import { refusal } from '../../fixtures/errors.js';
import { RECORD } from '../../fixtures/foreign-encoder.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { writeTinyModel } from '../../fixtures/tiny-encoder.js';

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
const put = async (name: string, content: unknown = '') => {
  await writeFile(at(name), typeof content === 'string' ? content : JSON.stringify(content));
};
const VIT = { image_processor_type: 'ViTImageProcessor' };

beforeEach(async () => {
  folder = await tempFolder();
});

describe('readGivenModel', () => {
  it('understands a folder of our trainer, and its encoder named alone', async () => {
    const manifest = await writeTinyModel(folder);
    const expected = { kind: 'trained', manifest, onnxPath: at('encoder.onnx') };
    expect(await readGivenModel(folder)).toEqual(expected);
    expect(await readGivenModel(at('encoder.onnx'))).toEqual(expected);
  });

  it('understands a folder with one ONNX file and a record', async () => {
    await put('net.onnx');
    await put('preprocess.json', RECORD);
    expect(await readGivenModel(folder)).toEqual({
      kind: 'foreign',
      onnxPath: at('net.onnx'),
      preprocess: RECORD,
      recordPath: at('preprocess.json'),
      name: basename(folder),
    });
  });

  it('understands a file, takes its name, and prefers our own record', async () => {
    await put('Net.v2.ONNX');
    await put('other.onnx');
    await put('preprocess.json', RECORD);
    await put('preprocessor_config.json', VIT);
    expect(await readGivenModel(at('Net.v2.ONNX'))).toMatchObject({ name: 'Net.v2', preprocess: RECORD });
  });

  it('understands a repository that keeps its ONNX files in a folder, and links', async () => {
    await mkdir(at('onnx'));
    await put('blob');
    await symlink(at('blob'), at('onnx', 'model.onnx'));
    await put('preprocessor_config.json', VIT);
    const expected = { onnxPath: at('onnx', 'model.onnx'), recordPath: at('preprocessor_config.json') };
    expect(await readGivenModel(folder)).toMatchObject({ ...expected, name: basename(folder) });
    expect(await readGivenModel(at('onnx', 'model.onnx'))).toMatchObject({ ...expected, name: 'model' });
  });

  it('is not led astray by a manifest.json that belongs to something else', async () => {
    await put('manifest.json', { name: 'a web page' });
    await put('net.onnx');
    await put('preprocess.json', RECORD);
    expect(await readGivenModel(folder)).toMatchObject({ kind: 'foreign', onnxPath: at('net.onnx') });
  });

  it('says that nothing is there', async () => {
    const { message } = await refusal('model_missing', () => readGivenModel(at('absent')));
    expect(message).toContain(at('absent'));
  });

  const refused: [string, () => Promise<void>, string, RegExp][] = [
    ['an empty folder', async () => {}, '', /neither encoder\.onnx with manifest\.json nor an \.onnx file/],
    ['a file of another kind', () => put('net.pt'), 'net.pt', /net\.pt is no \.onnx file/],
    ['no record', () => put('net.onnx'), '', /preprocess\.json .*preprocessor_config\.json .*beside it/],
    [
      'a folder called like a file',
      async () => void (await mkdir(at('net.onnx'))),
      '',
      /no file that can be read/,
    ],
    [
      'several files',
      async () => {
        await put('a.onnx');
        await put('b.onnx');
      },
      '',
      /2 \.onnx files \(a\.onnx, b\.onnx\): name the one/,
    ],
  ];
  it.each(refused)('refuses %s', async (_, make, name, message) => {
    await make();
    expect((await refusal('model_invalid', () => readGivenModel(at(name)))).message).toMatch(message);
  });

  it.each([
    ['preprocess.json', '{"resize"', /not JSON/],
    ['preprocess.json', { ...RECORD, kernel: 'nearest' }, /kernel/],
    ['preprocess.json', { ...RECORD, resize: { longest_side: 3 } }, /resize/],
    ['preprocess.json', ' '.repeat(2 ** 20 + 1), /1048577 bytes, at most 1048576/],
    ['preprocessor_config.json', '', /not JSON/],
    ['preprocessor_config.json', { ...VIT, do_pad: true }, /do_pad is true/],
  ])('refuses %s that is %.40j', async (name, content, message) => {
    await put('net.onnx');
    await put(name, content);
    const error = await refusal('model_invalid', () => readGivenModel(folder));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(at(name));
  });

  it('says what a damaged folder of our trainer lacks', async () => {
    await writeTinyModel(folder);
    await writeFile(at('encoder.onnx'), 'other');
    expect((await refusal('model_invalid', () => readGivenModel(folder))).message).toContain('SHA-256');
    await rename(at('encoder.onnx'), at('old'));
    await rm(at('old'));
    await refusal('model_invalid', () => readGivenModel(folder));
  });
});
