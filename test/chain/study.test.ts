/** A study through its command: killed in the middle, run again, collected, and told on the page of results. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawFor } from '../../trainer/src/random.js';
import type { StudyResult } from '../../trainer/src/studies/result.js';
import { writerOf } from '../../trainer/src/studies/writer.js';
import { nativeReady } from '../unit/trainer/native.js';

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lookalike-study-'));
const out = join(folder, 'studies');
const file = join(folder, 'stripes.json');
const runs = join(out, 'stripes');
const [short, long] = [join(runs, 'short'), join(runs, 'long')];
const EPOCHS = 15; // of the long variant: enough to be killed within

const STUDY = {
  title: 'Stripes',
  question: 'Does training for longer help?',
  data: 'own',
  pictures: 36,
  recipe: 'two-view',
  settings: {
    ...{ width: 0.125, size: 32, pack: 32, batch: 12, dimension: 16, warmup_epochs: 0 },
    ...{ eval_scales: [1], knn_k: 5, knn_every: 1 },
  },
  variants: {
    short: { title: 'one epoch', settings: { epochs: 1 } },
    long: { title: 'more epochs', settings: { epochs: EPOCHS }, paper: { knn: 80.8 } },
  },
  baselines: ['pixels', 'random'],
  against: 'short',
};

const command = (...args: string[]) => [
  fromRoot('trainer/dist/main.js'),
  'study',
  file,
  '--out',
  out,
  ...args,
];
const withPictures = command('--data', join(folder, 'pictures'));

/** Pictures 40 x 40: stripes of random colours, lying or standing. */
async function paint(part: string, count: number): Promise<void> {
  for (const label of ['lying', 'standing']) {
    const place = join(folder, 'pictures', part, label);
    mkdirSync(place, { recursive: true });
    for (let i = 0; i < count; i++) {
      const draw = drawFor(i, label.length, part.length);
      const colours = Array.from({ length: 8 }, () => [0, 1, 2].map(() => Math.floor(draw() * 256)));
      const pixels = Buffer.alloc(40 * 40 * 3);
      for (let at = 0; at < 1600; at++) {
        const across = label === 'lying' ? Math.floor(at / 40) : at % 40;
        pixels.set(colours[Math.floor(across / 5)]!, at * 3);
      }
      const raw = { width: 40, height: 40, channels: 3 } as const;
      await sharp(pixels, { raw })
        .png()
        .toFile(join(place, `${String(i).padStart(2, '0')}.png`));
    }
  }
}

const logOf = (run: string) =>
  existsSync(join(run, 'log.ndjson'))
    ? readFileSync(join(run, 'log.ndjson'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: string; from?: { epoch: number }; epoch?: number })
    : [];

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(20);
}

const ended = (child: ChildProcess) =>
  new Promise<NodeJS.Signals | null>((done) => child.on('exit', (_, signal) => done(signal)));

describe.skipIf(!nativeReady)('a study', () => {
  let again: { status: number | null; stdout: string; stderr: string };
  let madeFirst: number;
  let result: StudyResult;

  beforeAll(async () => {
    await paint('train', 20);
    await paint('val', 4);
    writeFileSync(file, JSON.stringify(STUDY));
    const killed = spawn(process.execPath, withPictures, { stdio: 'ignore' });
    const death = ended(killed);
    await until(() => killed.exitCode !== null || logOf(long).some(({ event }) => event === 'epoch'));
    killed.kill('SIGKILL');
    expect(await death).toBe('SIGKILL');
    madeFirst = statSync(join(short, 'encoder.onnx')).mtimeMs;
    again = spawnSync(process.execPath, withPictures, { encoding: 'utf8' });
    result = JSON.parse(readFileSync(join(runs, 'result.json'), 'utf8')) as StudyResult;
  }, 300_000);
  afterAll(async () => {
    await until(() => writerOf(long) === null);
    rmSync(folder, { recursive: true });
  });

  test('run again, finishes only what is missing, from its checkpoint', () => {
    expect(again.stderr).not.toContain('Error');
    expect(again.stdout).toContain('[1/2] short: finished before');
    expect(again.stdout).toContain('[2/2] long: more epochs, goes on');
    expect(again.status).toBe(0);
    expect(statSync(join(short, 'encoder.onnx')).mtimeMs).toBe(madeFirst);
    const starts = logOf(long).filter(({ event }) => event === 'start');
    expect(starts.length).toBe(2);
    expect(starts[1]!.from!.epoch).toBeGreaterThanOrEqual(1);
    const epochs = logOf(long).flatMap((entry) => (entry.event === 'epoch' ? [entry.epoch] : []));
    expect(epochs).toEqual(Array.from({ length: EPOCHS }, (_, i) => i + 1));
  });

  test('the training of a killed study stopped by itself, as by Ctrl-C', () => {
    expect(logOf(long).filter(({ event }) => event === 'stop').length).toBe(1);
  });

  test('the result has both variants and the baselines, with what belongs beside a figure', () => {
    expect(result.variants.map(({ key, finished, epochs }) => [key, finished, epochs])).toEqual([
      ['short', true, 1],
      ['long', true, EPOCHS],
    ]);
    const [, more] = result.variants;
    expect(more).toMatchObject({ pictures: 36, held_out: 8, changed: { epochs: EPOCHS } });
    expect(more!.curve.map(({ epoch }) => epoch)).toEqual(Array.from({ length: EPOCHS }, (_, i) => i + 1));
    expect(more!.knn!.value).toBe(more!.curve.at(-1)!.knn);
    expect(more!.exported!.size).toBe(32);
    expect(more!.machine.library).toMatch(/^TensorFlow \d+\.\d+/);
    expect(result.baselines.map(({ name, pictures, size }) => [name, pictures, size])).toEqual([
      ['pixels', 36, 16],
      ['random', 36, 32],
    ]);
  });

  test('a folder of other settings is refused by name', () => {
    const refused = spawnSync(process.execPath, [...withPictures, '--epochs', '2'], { encoding: 'utf8' });
    expect(refused.stderr).toContain('was trained with other settings (epochs 1 instead of 2)');
    expect(refused.status).not.toBe(0);
  });

  test('the page of results is generated, and noticed when it is not that of its JSON', () => {
    const [from, page] = [join(folder, 'results'), join(folder, 'results.md')];
    const make = (...args: string[]) =>
      spawnSync(
        process.execPath,
        [fromRoot('scripts/make-results.mjs'), '--from', from, '--page', page, ...args],
        {
          encoding: 'utf8',
        },
      );
    expect(make('--take', out).stderr).toBe('');
    const text = readFileSync(page, 'utf8');
    expect(text).toMatch(
      /^\| more epochs \| [\d.]+ \| [+−][\d.]+ \| 80\.8 \| ResNet-18 x0\.125 \| 32 px \|/m,
    );
    expect(text).toContain('![Stripes](results/stripes.svg)');
    expect(make('--check').status).toBe(0);
    const json = join(from, 'stripes.json');
    writeFileSync(json, readFileSync(json, 'utf8').replace('"title": "one epoch"', '"title": "another"'));
    expect(make('--check').status).toBe(1);
  });
});
