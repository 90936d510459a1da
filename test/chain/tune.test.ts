/** `lookalike tune` as a user runs it. What it finds depends on the machine; that it writes what the service reads does not. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/settings.js';
import type { Tuned } from '../../src/tune.js';
import { writeConvModel } from '../fixtures/conv-encoder.js';
import { paintedPng } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { expectRefusal, runCli } from './cli-process.js';

let home: string;
let model: string;
let pictures: string;
beforeAll(async () => {
  home = await tempFolder();
  model = join(home, 'model');
  pictures = join(home, 'pictures');
  await writeConvModel(model);
  await mkdir(pictures);
  for (let seed = 0; seed < 8; seed++) await writeFile(join(pictures, `${seed}.png`), await paintedPng(seed));
});

describe('tune', () => {
  it('writes what the service reads, or says that the machine is too busy and writes nothing', async () => {
    const dataDir = join(home, 'data');
    const file = join(dataDir, 'tuned.json');
    const ended = await runCli(
      'tune',
      '--pictures',
      pictures,
      '--model',
      model,
      '--data-dir',
      dataDir,
      '--rounds',
      '5',
      '--json',
    );
    if (ended.code === 5) {
      expectRefusal(ended, 5, 'too busy');
      expect(existsSync(file)).toBe(false);
      return;
    }
    expect(ended.code, ended.stderr).toBe(0);
    const { trials, ...result } = JSON.parse(ended.stdout) as Tuned;
    expect(result).toMatchObject({ file, model: 'conv' });
    const chosen = trials.filter((one) => one.chosen);
    expect(chosen).toHaveLength(1);
    expect(trials.every(({ alone_ms, together_ms }) => alone_ms > 0 && together_ms > 0)).toBe(true);
    const scans = result.exact.filter((one) => one.chosen);
    expect(scans).toHaveLength(1);
    expect(result.exact.every(({ search_ms }) => search_ms > 0)).toBe(true);
    const read = readSettings({ dataDir }, { env: {} });
    expect(read).toMatchObject({
      embedThreads: chosen[0]!.threads,
      embedSpinning: chosen[0]!.spinning,
      exactThreads: scans[0]!.threads,
    });
    expect(JSON.parse(await readFile(file, 'utf8')).measured.trials).toEqual(trials);
  });

  it('refuses a folder without pictures, and to guess which data folder is meant', async () => {
    const empty = join(home, 'empty');
    await mkdir(empty);
    const dataDir = join(home, 'other');
    const none = await runCli('tune', '--pictures', empty, '--model', model, '--data-dir', dataDir);
    expectRefusal(none, 4, empty, 'no picture');
    expect(existsSync(dataDir)).toBe(false);
    expectRefusal(await runCli('tune', '--pictures', pictures), 2, '--data-dir');
    const noModel = await runCli('tune', '--pictures', pictures, '--model', empty, '--data-dir', dataDir);
    expectRefusal(noModel, 3, 'no model');
  });
});
