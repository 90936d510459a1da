/** The whole chain through the trainer's door: a folder of pictures to an encoder and a bank that serve. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDecoder, createEmbedder, readBank, readModel } from '../../src/offline.js';
import { nativeReady } from '../unit/trainer/native.js';
import { type Ended, lossesOf, paintStripes, SMALL, trainer } from './trainer-process.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-chain-'));
const photos = join(folder, 'photos');
const MINUTES = 4 * 60_000; // several trainings one after another

beforeAll(async () => {
  await paintStripes(photos);
  writeFileSync(join(photos, 'lying', 'broken.png'), 'no picture');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!nativeReady)('lookalike train', () => {
  const straight = join(folder, 'straight');
  const small = [...SMALL, '--epochs', '2'];
  let first: Ended;

  beforeAll(async () => {
    first = await trainer([photos, '--out', straight, ...small]);
  }, MINUTES);

  test('makes an encoder and a bank that belong together and name what was left out', async () => {
    expect(first.output).toContain('largest difference');
    expect(first.output).toMatch(/left out .*broken\.png/);
    expect(first.code).toBe(0);
    const { manifest } = await readModel(straight);
    expect(manifest).toMatchObject({ name: 'photos', dimension: 16, settings: { epochs: 2, width: 0.125 } });
    expect(manifest.accuracy).toMatchObject({ held_out_pictures: 4, known_pictures: 36 });
    const bank = await readBank(join(straight, 'index'), manifest.sha256);
    expect(bank.items.length).toBe(40);
    expect(bank.items.filter((item) => item.label === 'standing').length).toBe(20);
    expect(readFileSync(join(straight, 'README.md'), 'utf8')).toContain(manifest.sha256);
    expect(readdirSync(straight).filter((name) => name.startsWith('.') || name.endsWith('.part'))).toEqual(
      [],
    );
  });

  test('tells every epoch in a table and draws the curve', () => {
    const lines = first.output.split('\n');
    const head = lines.findIndex((line) =>
      /^ +epoch +loss +kNN % +views\/s +waited % +time left$/.test(line),
    );
    expect(head).toBeGreaterThan(0);
    for (const epoch of [1, 2])
      expect(lines[head + epoch]).toMatch(
        new RegExp(`^ +${epoch}/2 +\\d+\\.\\d{3} +\\d+\\.\\d +\\d+ +\\d+\\.\\d +(\\d+ min )?\\d+ s$`),
      );
    const curve = readFileSync(join(straight, 'curve.svg'), 'utf8');
    const lengths = [...curve.matchAll(/<polyline points="([^"]*)"/g)].map((m) => m[1]!.split(' ').length);
    expect(lengths).toEqual([2, 2]);
  });

  test('a bank vector is the vector that the service gives for the same file', async () => {
    const { manifest } = await readModel(straight);
    const bank = await readBank(join(straight, 'index'), manifest.sha256);
    const embedder = await createEmbedder(straight);
    const item = bank.items[17]!;
    const { image } = await createDecoder().decode(readFileSync(item.source!), manifest.preprocess);
    const vector = await embedder.embed([image]);
    await embedder.close();
    vector.forEach((value, i) => {
      expect(value).toBeCloseTo(bank.vectors[17 * 16 + i]!, 5);
    });
  });

  test(
    'a run cut after its first step and resumed ends with the same losses and the same encoder',
    async () => {
      const out = join(folder, 'resumed');
      const cut = await trainer([photos, '--out', out, ...small, '--time-limit', '0.00001']);
      expect(cut.output).toContain('--resume');
      expect(cut.code).toBe(3);
      expect(readdirSync(out)).not.toContain('encoder.onnx');
      const resumed = await trainer([photos, '--out', out, '--resume']);
      expect(resumed.code).toBe(0);
      expect(lossesOf(out)).toEqual(lossesOf(straight));
      expect((await readModel(out)).manifest.sha256).toBe((await readModel(straight)).manifest.sha256);
    },
    MINUTES,
  );

  // Objectives that keep something of their own between steps: a bank, Z and its count; a queue, its place, a slow encoder.
  const STATEFUL = {
    nce: ['--objective', 'nce', '--normaliser', 'average', '--negatives', '16'],
    queue: ['--objective', 'queue', '--queue', '20'],
  };
  test.each(Object.keys(STATEFUL) as (keyof typeof STATEFUL)[])(
    '%s: a run killed in the middle of an epoch and resumed is the run that was never killed',
    async (objective) => {
      // Nine steps an epoch, so that the kill after an epoch's line falls into the next one.
      const settings = [...SMALL, ...STATEFUL[objective], '--batch', '4', '--epochs', '5'];
      const whole = join(folder, objective);
      expect((await trainer([photos, '--out', whole, ...settings])).code).toBe(0);
      const out = join(folder, `${objective}-killed`);
      const killed = await trainer([photos, '--out', out, ...settings], {
        onOutput: (output, kill) => {
          if (/^ +1\/5 /m.test(output)) kill('SIGKILL');
        },
      });
      expect(killed.code).toBeNull();
      expect(lossesOf(out).length).toBeGreaterThan(0);
      expect(lossesOf(out).length).toBeLessThan(5);
      const resumed = await trainer([photos, '--out', out, '--resume']);
      expect(resumed.code, resumed.output).toBe(0);
      expect(lossesOf(out)).toEqual(lossesOf(whole));
      expect((await readModel(out)).manifest.sha256).toBe((await readModel(whole)).manifest.sha256);
    },
    MINUTES,
  );

  describe('its studies', () => {
    const asJson = (name: string) => JSON.parse(readFileSync(join(straight, name), 'utf8'));

    test(
      'evaluate: the encoder and its baselines over the grid that was asked for',
      async () => {
        const grid = ['--k', '5,200', '--temperature', '0.07,0.5'];
        const ended = await trainer([
          'evaluate',
          straight,
          '--pictures',
          photos,
          '--held-out',
          photos,
          ...grid,
        ]);
        expect(ended.code, ended.output).toBe(0);
        const study = asJson('sweep.json');
        expect(study).toMatchObject({
          kind: 'sweep',
          about: { network: 'resnet18', width: 0.125, epochs: 2, pictures: 36 },
          known: { pictures: 40, labels: 2 },
          held_out: { pictures: 40 },
        });
        expect(study.methods.map(({ name }: { name: string }) => name)).toEqual([
          'trained encoder',
          'raw pixels 16x16, centred',
          'random network',
        ]);
        for (const { accuracy, quoted } of study.methods) expect(quoted).toBe(accuracy[0][1]);
        expect(readFileSync(join(straight, study.plot), 'utf8')).toContain('τ 0.5');
      },
      MINUTES,
    );

    test('curve: every epoch, without TensorFlow', async () => {
      const ended = await trainer(['curve', straight]);
      expect(ended.code, ended.output).toBe(0);
      const { kind, epochs } = asJson('curve.json');
      expect(kind).toBe('curve');
      expect(epochs.map(({ epoch, loss }: { epoch: number; loss: number }) => [epoch, loss])).toEqual(
        lossesOf(straight),
      );
    });

    test(
      'sheet: of two folders, and of the bank by itself',
      async () => {
        const between = ['--pictures', photos, '--held-out', photos, '--rows', '4'];
        const ended = await trainer(['sheet', straight, ...between]);
        expect(ended.code, ended.output).toBe(0);
        const study = asJson('sheet.json');
        expect([study.best.length, study.worst.length, study.queries]).toEqual([2, 2, 40]);
        // The same picture is in both folders: it is its own nearest.
        for (const row of [...study.best, ...study.worst]) expect(row.neighbours[0].score).toBeCloseTo(1, 3);
        const { format, width } = await sharp(readFileSync(join(straight, 'sheet.png'))).metadata();
        expect(format).toBe('png');
        expect(width).toBeGreaterThan(11 * 96);
        const own = join(folder, 'own', 'sheet.json');
        expect((await trainer(['sheet', straight, '--json', own])).code).toBe(0);
        const { best } = JSON.parse(readFileSync(own, 'utf8'));
        for (const { query, neighbours } of best)
          expect(neighbours.map(({ id }: { id: string }) => id)).not.toContain(query);
        expect(existsSync(join(folder, 'own', 'sheet.png'))).toBe(true);
      },
      MINUTES,
    );
  });
});
