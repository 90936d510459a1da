/** `lookalike quantise` as a user runs it: on a small encoder, on the shipped one with real photographs, and refused. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../src/engines/manifest.js';
import type { Quantised } from '../../src/quantise.js';
import { writeConvModel } from '../fixtures/conv-encoder.js';
import { dataArchive, listArchive, ROOT, unpack } from '../fixtures/data.js';
import { paintedPng } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { expectRefusal, runCli } from './cli-process.js';

const photos = dataArchive('imagenette-160.tar');
const COUNT = 60;

let home: string;
let pictures: string;
let model: string;
beforeAll(async () => {
  home = await tempFolder();
  pictures = join(home, 'pictures');
  await mkdir(join(pictures, 'odd'), { recursive: true });
  await mkdir(join(pictures, 'even'));
  for (let seed = 0; seed < COUNT; seed++)
    await writeFile(join(pictures, seed % 2 ? 'odd' : 'even', `${seed}.png`), await paintedPng(seed));
  model = join(home, 'model');
  await writeConvModel(model);
});

describe('quantise', () => {
  it('makes a model folder that names its parent, and that model add and swap take', {
    timeout: 240_000,
  }, async () => {
    const out = join(home, 'small');
    const ended = await runCli('quantise', model, '--pictures', pictures, '--out', out, '--json');
    expect(ended.code, ended.stderr).toBe(0);
    const result = JSON.parse(ended.stdout) as Quantised;
    expect(result).toMatchObject({
      name: 'conv-int8',
      convolutions: { all: 4, on_integers: 4 },
      unreadable: 0,
    });
    expect(result.fidelity.cosine.mean).toBeGreaterThan(0.99);
    expect(result.fidelity.knn).toMatchObject({ pictures: COUNT - COUNT / 4 });

    const { manifest } = await readModel(out);
    const parent = (await readModel(model)).manifest;
    expect(manifest).toMatchObject({ sha256: result.sha256, parent_sha256: parent.sha256, dimension: 24 });
    expect(manifest.accuracy).toEqual(result.fidelity);
    expect((await readdir(home)).filter((name) => name.startsWith('.'))).toEqual([]);

    const data = ['--data-dir', join(home, 'data'), '--model', model];
    expect((await runCli('index', pictures, ...data)).code).toBe(0);
    const added = await runCli('model', 'add', out, '--json', ...data);
    expect(added.code, added.stderr).toBe(0);
    expect(JSON.parse(added.stdout)).toMatchObject({ model: { sha256: result.sha256, fault: null } });
    const used = await runCli('model', 'use', 'small', ...data);
    expect(used.code, used.stderr).toBe(0);
    const info = await runCli('info', '--json', ...data, '--model', out);
    expect(JSON.parse(info.stdout)).toMatchObject({
      model: { sha256: result.sha256 },
      bank: { rows: COUNT },
    });
  });

  it('says in words what it made', async () => {
    const ended = await runCli(
      'quantise',
      model,
      '--pictures',
      pictures,
      '--out',
      join(home, 'words'),
      '--name',
      'tiny',
    );
    expect(ended.stdout).toMatch(/^quantised: tiny \([0-9a-f]{12}\) in .*words, /);
    expect(ended.stdout).toContain('4 of 4 convolutions run on integers');
    expect(ended.stdout).toMatch(/times as fast/);
  });

  it('refuses a result that is not true to its parent, and leaves nothing', async () => {
    const bad = join(home, 'outlier');
    await writeConvModel(bad, { outlier: 10_000 });
    const out = join(home, 'bad');
    const ended = await runCli('quantise', bad, '--pictures', pictures, '--out', out);
    expectRefusal(ended, 3, 'mean cosine', 'at least 0.99', 'Nothing was written');
    expect((await readdir(home)).filter((name) => /bad/.test(name))).toEqual([]);
  });

  it('refuses what is quantised, a folder that is taken, too few pictures, and what is no model', async () => {
    const again = await runCli(
      'quantise',
      join(home, 'small'),
      '--pictures',
      pictures,
      '--out',
      join(home, 'twice'),
    );
    expectRefusal(again, 3, 'quantised already');
    const taken = await runCli('quantise', model, '--pictures', pictures, '--out', pictures);
    expectRefusal(taken, 2, 'not empty', '--out');
    const few = join(home, 'few');
    await mkdir(few);
    await writeFile(join(few, 'one.png'), await paintedPng(1));
    const one = await runCli('quantise', model, '--pictures', few, '--out', join(home, 'none'));
    expectRefusal(one, 4, '1 pictures', 'at least 40');
    const none = await runCli('quantise', few, '--pictures', pictures);
    expectRefusal(none, 3, 'no model');
    const name = await runCli('quantise', model, '--pictures', pictures, '--name', '/');
    expectRefusal(name, 2, 'name');
    expectRefusal(await runCli('quantise', model), 2, '--pictures');
  });

  it.skipIf(!photos)('keeps the shipped encoder true on real photographs', { timeout: 240_000 }, async () => {
    const folder = join(home, 'photos');
    await mkdir(folder);
    const names = (await listArchive(photos!)).filter((name) => name.startsWith('val/'));
    const classes = [...new Set(names.map((name) => dirname(name)))];
    const some = classes.flatMap((one) => names.filter((name) => dirname(name) === one).slice(0, 16));
    await unpack(photos!, folder, some);
    const out = join(home, 'shipped');
    const args = ['--pictures', join(folder, 'val'), '--out', out, '--calibration', '32', '--json'];
    const ended = await runCli('quantise', join(ROOT, 'model'), ...args);
    expect(ended.code, ended.stderr).toBe(0);
    const result = JSON.parse(ended.stdout) as Quantised;
    expect(result.convolutions).toEqual({ all: 20, on_integers: 20 });
    expect(result.fidelity.cosine.mean).toBeGreaterThan(0.995);
    expect(result.bytes.after).toBeLessThan(result.bytes.before / 3);
    expect((await readFile(join(out, 'encoder.onnx'))).length).toBe(result.bytes.after);
  });
});
