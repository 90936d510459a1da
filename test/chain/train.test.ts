/** The whole chain through the trainer's door: a folder of pictures to an encoder and a bank that serve. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDecoder, createEmbedder, readBank, readModel, toTensor } from '../../src/offline.js';
import { drawFor } from '../../trainer/src/random.js';
import { nativeReady } from '../unit/trainer/native.js';

const door = fileURLToPath(new URL('../../trainer/dist/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lookalike-chain-'));
const photos = join(folder, 'photos');
const small = [
  '--width',
  '0.125',
  '--size',
  '32',
  '--batch',
  '12',
  '--dimension',
  '16',
  '--epochs',
  '2',
  '--warmup-epochs',
  '1',
];

interface Ended {
  code: number | null;
  output: string;
}

/** Runs the trainer; `onOutput` sees everything printed so far. */
function trainer(args: string[], onOutput?: (output: string, kill: () => void) => void): Promise<Ended> {
  const child = spawn(process.execPath, [door, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk;
    onOutput?.(output, () => child.kill('SIGINT'));
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((done) => child.on('close', (code) => done({ code, output })));
}

/** Twenty pictures of each label, 48 x 40: stripes of random colours, lying or standing. */
async function paint(label: string, standing: boolean): Promise<void> {
  mkdirSync(join(photos, label), { recursive: true });
  for (let i = 0; i < 20; i++) {
    const draw = drawFor(i, standing ? 1 : 0);
    const colours = Array.from({ length: 8 }, () => [0, 1, 2].map(() => Math.floor(draw() * 256)));
    const pixels = Buffer.alloc(48 * 40 * 3);
    for (let y = 0; y < 40; y++)
      for (let x = 0; x < 48; x++) pixels.set(colours[Math.floor((standing ? x : y) / 6)]!, (y * 48 + x) * 3);
    const file = join(photos, label, `${String(i).padStart(2, '0')}.png`);
    await sharp(pixels, { raw: { width: 48, height: 40, channels: 3 } })
      .png()
      .toFile(file);
  }
}

interface Entry {
  event: string;
  [field: string]: unknown;
}

const logOf = (out: string) =>
  readFileSync(join(out, 'log.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
const lossesOf = (out: string) =>
  logOf(out)
    .filter((entry) => entry.event === 'epoch')
    .map((entry) => [entry.epoch, entry.loss]);

beforeAll(async () => {
  await paint('lying', false);
  await paint('standing', true);
  writeFileSync(join(photos, 'lying', 'broken.png'), 'no picture');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!nativeReady)('lookalike train', () => {
  const straight = join(folder, 'straight');
  let first: Ended;

  beforeAll(async () => {
    first = await trainer([photos, '--out', straight, ...small]);
  });

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
    expect(readdirSync(straight).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a bank vector is the vector that the service gives for the same file', async () => {
    const { manifest } = await readModel(straight);
    const bank = await readBank(join(straight, 'index'), manifest.sha256);
    const embedder = await createEmbedder(straight);
    const item = bank.items[17]!;
    const { image } = await createDecoder().decode(readFileSync(item.source!), manifest.preprocess);
    const vector = await embedder.embed(toTensor([image], manifest.preprocess), 1);
    await embedder.close();
    vector.forEach((value, i) => {
      expect(value).toBeCloseTo(bank.vectors[17 * 16 + i]!, 5);
    });
  });

  test('a run cut after its first step and resumed ends with the same losses and the same encoder', async () => {
    const out = join(folder, 'resumed');
    const cut = await trainer([photos, '--out', out, ...small, '--time-limit', '0.00001']);
    expect(cut.output).toContain('--resume');
    expect(cut.code).toBe(3);
    expect(readdirSync(out)).not.toContain('encoder.onnx');
    const resumed = await trainer([photos, '--out', out, '--resume']);
    expect(resumed.code).toBe(0);
    expect(lossesOf(out)).toEqual(lossesOf(straight));
    expect((await readModel(out)).manifest.sha256).toBe((await readModel(straight)).manifest.sha256);
  });

  test('Ctrl-C leaves a checkpoint, and a changed folder is not resumed', async () => {
    const out = join(folder, 'interrupted');
    const endless = [...small.slice(0, -3), '10000'];
    const ended = await trainer([photos, '--out', out, ...endless], (output, interrupt) => {
      if (output.includes('steps an epoch')) interrupt();
    });
    expect(ended.output).toContain('finishing the step');
    expect(ended.code).toBe(130);
    expect(readdirSync(out)).toContain('checkpoint.safetensors');
    const refused = await trainer([join(photos, 'lying'), '--out', out, '--resume']);
    expect(refused.output).toContain('the pictures have changed');
    expect(refused.code).toBe(1);
  });
});

describe('the door', () => {
  test('--help names every option and needs no TensorFlow', async () => {
    const { code, output } = await trainer(['--help']);
    expect(code).toBe(0);
    for (const option of [
      '--out',
      '--recipe',
      '--resume',
      '--held-out',
      '--time-limit',
      '--export-only',
      '--epochs',
      '--lr',
    ])
      expect(output).toContain(option);
  });

  test.each([
    [['--epoch', '3'], 2, "Unknown option '--epoch'"],
    [[], 2, 'name one folder'],
    [[join(folder, 'nowhere')], 1, 'nowhere cannot be read'],
    [[photos, '--epochs', 'many'], 2, 'epochs is null, allowed: a whole number'],
    [[photos, '--resume', '--out', join(folder, 'nothing')], 1, 'there is nothing to resume'],
  ])('%j ends with %i', async (args, code, message) => {
    const ended = await trainer(args);
    expect(ended.output).toContain(message);
    if (nativeReady) expect(ended.code).toBe(code);
  });

  test.skipIf(!nativeReady)('too few pictures are refused with the number that is needed', async () => {
    const few = join(folder, 'few');
    mkdirSync(few);
    const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });
    await picture.png().toFile(join(few, 'one.png'));
    const { code, output } = await trainer([few, '--out', join(folder, 'few-out')]);
    expect(output).toContain('1 pictures (JPEG, PNG, WebP); training needs at least 16');
    expect(code).toBe(1);
  });
});
