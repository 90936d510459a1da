/** The registry on real folders, with the real inspection: added, listed, found, removed, and never half there. */
import { appendFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../../src/core/manifests.js';
import { checkUnitRows } from '../../../src/core/vector.js';
import { sha256Of } from '../../../src/engines/files.js';
import { readModel } from '../../../src/engines/manifest.js';
import { type ModelRegistry, openModelRegistry } from '../../../src/engines/model-registry.js';
import { createOnnxEmbedder } from '../../../src/engines/onnx-embedder.js';
import { inspectModel } from '../../../src/engines/onnx-inspect.js';
import { refusal } from '../../fixtures/errors.js';
import { type Change, foreignOnnx, RECORD, SIDE } from '../../fixtures/foreign-encoder.js';
import { noise } from '../../fixtures/noise.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { writeTinyModel } from '../../fixtures/tiny-encoder.js';

let root: string;
let folder: string;
let start: string;
let startManifest: ModelManifest;
let registry: ModelRegistry;
const open = () => openModelRegistry({ folder, start, inspect: inspectModel });

beforeEach(async () => {
  root = await tempFolder();
  folder = join(root, 'data', 'models');
  start = join(root, 'model');
  startManifest = await writeTinyModel(start);
  registry = await open();
});

/** A folder as someone brings it; another `record` prepares pictures in another way. */
async function brought(name: string, change: Change = {}, record: object = RECORD): Promise<string> {
  const path = join(root, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'net.onnx'), foreignOnnx(change));
  await writeFile(join(path, 'preprocess.json'), JSON.stringify(record));
  return path;
}
/** Our trainer's output, of another training than the start model. */
async function trained(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  const bytes = foreignOnnx({ scale: 2 });
  const input = { name: 'pixel_values', width: SIDE, height: SIDE, layout: 'nchw', dtype: 'float32' };
  const own = {
    name,
    sha256: sha256Of(bytes),
    input,
    preprocess: RECORD,
    dimension: 24,
    settings: { epochs: 3 },
  };
  await writeFile(join(path, 'encoder.onnx'), bytes);
  await writeFile(join(path, 'manifest.json'), JSON.stringify({ ...startManifest, ...own }));
  return path;
}
const names = async () => (await registry.list()).map(({ manifest }) => manifest?.name ?? null);
const files = async () => readdir(folder).catch(() => []);

describe('a registry', () => {
  it('lists the start model at first, which stays', async () => {
    const [entry, ...others] = await registry.list();
    expect(others).toEqual([]);
    expect(entry).toEqual({
      sha256: startManifest.sha256,
      folder: start,
      removable: false,
      manifest: startManifest,
      onnxPath: join(start, 'encoder.onnx'),
      fault: null,
    });
    const error = await refusal('invalid_parameter', () => registry.remove('tiny'));
    expect(error.message).toContain('starts with');
    expect(await registry.get(startManifest.sha256)).toEqual(entry);
  });

  it('adds an encoder from elsewhere as a whole model of its own', async () => {
    const { entry, added, inspection } = await registry.add(await brought('net'));
    expect(added).toBe(true);
    expect(entry.folder).toBe(join(folder, entry.sha256));
    expect(await readModel(entry.folder)).toEqual({ manifest: entry.manifest, onnxPath: entry.onnxPath });
    expect(entry.manifest).toEqual({
      format_version: 1,
      name: 'net',
      sha256: entry.sha256,
      input: { name: 'pixel_values', width: SIDE, height: SIDE, layout: 'nchw', dtype: 'float32' },
      output: { name: 'vector', pooling: 'none' },
      preprocess: RECORD,
      dimension: 24,
      temperature: 0.07,
      trained_on: 'not stated',
      terms: 'not stated',
      settings: {
        given: { file: 'net.onnx', sha256: inspection.sha256, record: 'preprocess.json' },
        inspection: { unit_length: false, milliseconds: inspection.milliseconds, threads: 1, notes: [] },
      },
      accuracy: {},
    });
    expect(await names()).toEqual(['tiny', 'net']);
    expect(await files()).toEqual([entry.sha256]);
  });

  it('has models that the embedder opens: each pooling, layout and batch', async () => {
    const changes: [Change, 'cls' | undefined][] = [
      [{}, undefined],
      [{ layout: 'nhwc', batch: 1 }, undefined],
      [{ output: 'tokens' }, 'cls'],
      [{ output: 'mixed' }, undefined],
    ];
    for (const [i, [change, pooling]] of changes.entries()) {
      const { entry } = await registry.add(await brought(`net${i}`, change), { pooling });
      const { manifest, onnxPath } = await registry.get(entry.sha256);
      const embedder = await createOnnxEmbedder({ modelPath: onnxPath, manifest });
      const vectors = await embedder.embed(noise(2, SIDE, i));
      expect(() => checkUnitRows(vectors, 2, 24)).not.toThrow();
      await embedder.close();
    }
  });

  it('adds a model of our trainer as it is', async () => {
    const path = await trained('own');
    const { entry } = await registry.add(path);
    const given = await readModel(path);
    expect(entry.manifest).toEqual(given.manifest);
    expect(await readFile(entry.onnxPath)).toEqual(await readFile(given.onnxPath));
    const { entry: same, added } = await registry.add(path, { name: 'another name' });
    expect([same.manifest.name, added]).toEqual(['own', false]);
  });

  it('gives the same for the same, and another for another record, pooling or output', async () => {
    const path = await brought('net', { second: 'other' });
    const first = await registry.add(path, { output: 'vector' });
    const again = await registry.add(path, { output: 'vector', name: 'again' });
    expect([again.added, again.entry]).toEqual([false, first.entry]);
    const output = await registry.add(path, { output: 'other', name: 'output' });
    const kernel = await brought('kernel', { second: 'other' }, { ...RECORD, kernel: 'cubic' });
    const record = await registry.add(kernel, { output: 'vector' });
    const hashes = [first, output, record].map(({ entry }) => entry.sha256);
    expect(new Set(hashes).size).toBe(3);
    // The files as they were given are one and the same.
    expect(new Set([first, output, record].map(({ inspection }) => inspection.sha256)).size).toBe(1);
  });

  it('adds what it holds itself, from its own folder, as the same', async () => {
    const { entry } = await registry.add(await brought('net'));
    const copy = join(root, 'copy');
    await cp(entry.folder, copy, { recursive: true });
    const again = await registry.add(copy);
    expect([again.added, again.entry]).toEqual([false, entry]);
    expect((await registry.add(start)).added).toBe(false);
  });

  it('takes a name and a temperature, and refuses those that do not fit', async () => {
    const path = await brought('a b(c)');
    const { entry } = await registry.add(path, { temperature: 0.1 });
    expect(entry.manifest).toMatchObject({ name: 'a b-c-', temperature: 0.1 });
    for (const name of ['', ' x', '../x', 'a'.repeat(65), 'a\nb']) {
      const error = await refusal('invalid_parameter', () => registry.add(path, { name }));
      expect(error.field).toBe('name');
    }
    for (const temperature of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect((await refusal('invalid_parameter', () => registry.add(path, { temperature }))).field).toBe(
        'temperature',
      );
    const taken = await refusal('invalid_parameter', async () =>
      registry.add(await brought('other', { dimension: 16 }), { name: 'tiny' }),
    );
    expect(taken.message).toContain(startManifest.sha256.slice(0, 12));
    const said = await refusal('invalid_parameter', async () =>
      registry.add(await trained('own'), { pooling: 'cls' }),
    );
    expect(said.field).toBe('pooling');
  });

  it('finds a model by hash, name and beginning, and says what there is', async () => {
    const { entry } = await registry.add(await brought('net'));
    for (const which of [entry.sha256, 'net', entry.sha256.slice(0, 8)])
      expect(await registry.get(which)).toEqual(entry);
    const { message } = await refusal('not_found', () => registry.get('absent'));
    expect(message).toMatch(/"absent"; known are tiny \([0-9a-f]{12}\), net \([0-9a-f]{12}\)/);
    for (const which of ['', '..', entry.sha256.slice(0, 3), '0000', `${entry.sha256}0`])
      await refusal('not_found', () => registry.get(which));
  });

  it('does not guess which model a beginning means', async () => {
    const hash = startManifest.sha256;
    const twin = hash.slice(0, 10) + '0'.repeat(54);
    await mkdir(join(folder, twin), { recursive: true });
    const { message } = await refusal('invalid_parameter', () => registry.get(hash.slice(0, 10)));
    expect(message).toMatch(/can mean tiny \(.*\), damaged \(.*\)/);
  });

  it('removes a model, and it stays removed', async () => {
    const { entry } = await registry.add(await brought('net'));
    await registry.remove('net');
    expect(await files()).toEqual([]);
    await refusal('not_found', () => registry.get(entry.sha256));
    expect((await registry.add(await brought('net'))).added).toBe(true);
  });

  it('keeps its models for the next one that opens it', async () => {
    const { entry } = await registry.add(await brought('net'));
    expect(await (await open()).list()).toEqual(await registry.list());
    expect((await (await open()).get('net')).folder).toBe(entry.folder);
  });
});

describe('a registry with damage', () => {
  const faults: [string, (folder: string) => Promise<unknown>, RegExp][] = [
    ['a changed encoder', (at) => appendFile(join(at, 'encoder.onnx'), 'x'), /SHA-256/],
    ['no encoder', (at) => rm(join(at, 'encoder.onnx')), /encoder\.onnx/],
    ['no manifest', (at) => rm(join(at, 'manifest.json')), /manifest\.json/],
    ['half a manifest', (at) => writeFile(join(at, 'manifest.json'), '{"name":'), /not JSON/],
  ];
  it.each(faults)(
    'lists %s with the reason, does not open it, and mends or removes it',
    async (_, damage, reason) => {
      const path = await brought('net');
      const { entry } = await registry.add(path);
      await registry.list();
      await damage(entry.folder);
      const [, damaged] = await registry.list();
      expect(damaged).toEqual({
        sha256: entry.sha256,
        folder: entry.folder,
        removable: true,
        manifest: null,
        onnxPath: null,
        fault: expect.stringMatching(reason),
      });
      const { message } = await refusal('model_invalid', () => registry.get(entry.sha256));
      expect(message).toMatch(reason);
      expect(await registry.add(path)).toMatchObject({
        added: true,
        entry: { sha256: entry.sha256, fault: null },
      });
      await damage(entry.folder);
      await registry.remove(entry.sha256);
      expect(await files()).toEqual([]);
    },
  );

  it('lists a folder that was put there by hand, and a start model that is gone', async () => {
    await trained('own');
    await mkdir(folder, { recursive: true });
    await rename(join(root, 'own'), join(folder, 'own'));
    expect((await registry.list())[1]).toMatchObject({
      sha256: 'own',
      fault: expect.stringContaining('is called own'),
    });
    await rm(start, { recursive: true });
    expect((await registry.list())[0]).toMatchObject({
      removable: false,
      fault: expect.stringContaining('manifest.json'),
    });
  });
});

describe('an addition that fails leaves nothing behind', () => {
  it('when it is no encoder, when its manifest says something else, when it is given up', async () => {
    await refusal('model_invalid', async () => registry.add(await brought('flat', { scale: 0 })));
    const path = await trained('own');
    const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8'));
    await writeFile(join(path, 'manifest.json'), JSON.stringify({ ...manifest, dimension: 32 }));
    const wrong = await refusal('model_invalid', () => registry.add(path));
    expect(wrong.message).toContain('the manifest says dimension 32, the encoder has 24');
    await refusal('aborted', async () => registry.add(await brought('net'), { signal: AbortSignal.abort() }));
    expect(await files()).toEqual([]);
    expect(await names()).toEqual(['tiny']);
  });

  it('when the file changes between inspection and copy', async () => {
    const path = await brought('net');
    const hasty = await openModelRegistry({
      folder,
      start,
      async inspect(onnxPath, options) {
        const found = await inspectModel(onnxPath, options);
        await appendFile(onnxPath, 'x');
        return found;
      },
    });
    const { message } = await refusal('model_invalid', () => hasty.add(path));
    expect(message).toContain('changed while it was added');
    expect(await files()).toEqual([]);
  });

  it('when it was cut short: the next one that opens the registry clears it away', async () => {
    for (const name of ['.adding-1', '.removing-2'])
      await mkdir(join(folder, name, 'x'), { recursive: true });
    expect(await names()).toEqual(['tiny']);
    await open();
    expect(await files()).toEqual([]);
  });

  it('two at once are added one after the other', async () => {
    const path = await brought('net');
    const both = await Promise.all([registry.add(path), registry.add(path)]);
    expect(both.map(({ added }) => added)).toEqual([true, false]);
    expect((await files()).length).toBe(1);
  });
});
