import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Embedder } from '../../src/core/ports.js';
import { joinCalls } from '../../src/engines/embed-batches.js';
import { createOnnxEmbedder } from '../../src/engines/onnx-embedder.js';
import { black, blackIsZero, noise } from '../fixtures/noise.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { TINY_SIDE, writeTinyModel } from '../fixtures/tiny-encoder.js';

/** Joined calls on the real onnxruntime; what reaches the encoder is written down on the way. */
const D = 32;
const MOST = 4;
let encoder: Embedder;
let batches: number[];
let recorded: Embedder;
let joined: Embedder;
beforeAll(async () => {
  const folder = await tempFolder();
  const manifest = blackIsZero(await writeTinyModel(folder));
  encoder = await createOnnxEmbedder({ modelPath: join(folder, 'encoder.onnx'), manifest });
  recorded = {
    ...encoder,
    embed: (images) => {
      batches.push(images.length);
      return encoder.embed(images);
    },
  };
});
beforeEach(() => {
  batches = [];
  joined = joinCalls(recorded, { most: MOST, waitMs: 0 });
});
afterAll(() => encoder.close());

const pictures = (n: number, seed: number) => noise(n, TINY_SIDE, seed);
const alone = (n: number, seed: number) => encoder.embed(pictures(n, seed));

function expectNear(found: Float32Array, expected: Float32Array): void {
  expect(found.length).toBe(expected.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6);
  });
}

describe('joined calls', () => {
  it('run at once when the encoder is idle, together when it was busy, in batches of at most so many', async () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7];
    const answers = await Promise.all(seeds.map((seed) => joined.embed(pictures(1, seed))));
    expect(batches).toEqual([1, 4, 2]);
    for (const [i, seed] of seeds.entries()) expectNear(answers[i]!, await alone(1, seed));
  });

  it('each get their own pictures back, however many they have; a large call runs by itself', async () => {
    const sizes = [1, 2, 9, 1, 3, 1];
    const answers = await Promise.all(sizes.map((n, i) => joined.embed(pictures(n, i))));
    expect(batches).toEqual([1, 2, 9, 4, 1]);
    for (const [i, n] of sizes.entries()) expectNear(answers[i]!, await alone(n, i));
  });

  it('one after the other are never delayed nor joined', async () => {
    const patient = joinCalls(recorded, { most: MOST, waitMs: 1_000_000 });
    for (const seed of [1, 2, 3]) await patient.embed(pictures(1, seed));
    expect(batches).toEqual([1, 1, 1]);
  });

  it('may wait for others, and go when the batch is full', async () => {
    const patient = joinCalls(recorded, { most: MOST, waitMs: 1_000_000 });
    const first = patient.embed(pictures(1, 0));
    const rest = [patient.embed(pictures(1, 1))];
    await first;
    // The encoder is idle now, and the second call waits for company.
    for (const seed of [2, 3, 4]) rest.push(patient.embed(pictures(1, seed)));
    await Promise.all(rest);
    expect(batches).toEqual([1, 4]);
  });

  it('wait no longer than they may', async () => {
    const hasty = joinCalls(recorded, { most: MOST, waitMs: 1 });
    await Promise.all([0, 1, 2].map((seed) => hasty.embed(pictures(1, seed))));
    expect(batches).toEqual([1, 2]);
  });

  it('do not suffer for a picture without a direction among them', async () => {
    const [first, good, bad, last] = await Promise.allSettled(
      [pictures(1, 1), pictures(1, 2), [black(TINY_SIDE)], pictures(1, 3)].map((one) => joined.embed(one)),
    );
    expect([first, good, bad, last].map((one) => one!.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect((bad as PromiseRejectedResult).reason).toMatchObject({ code: 'invalid_vector' });
    expectNear((good as PromiseFulfilledResult<Float32Array>).value, await alone(1, 2));
  });

  it('refuse a picture of another size without touching the others', async () => {
    const [first, second] = [1, 2].map((seed) => joined.embed(pictures(1, seed)));
    const wrong = joined.embed(noise(1, TINY_SIDE - 1, 3));
    const third = joined.embed(pictures(1, 4));
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_parameter', field: 'images' });
    for (const answer of await Promise.all([first, second, third])) expect(answer!.length).toBe(D);
    expect(await joined.embed([])).toEqual(new Float32Array(0));
  });

  it('are refused once it is closed', async () => {
    const folder = await tempFolder();
    const manifest = await writeTinyModel(folder);
    const own = joinCalls(await createOnnxEmbedder({ modelPath: join(folder, 'encoder.onnx'), manifest }), {
      most: MOST,
      waitMs: 0,
    });
    const [begun, waits] = [own.embed(pictures(1, 1)), own.embed(pictures(1, 2))];
    const refused = expect(waits).rejects.toMatchObject({ code: 'not_ready' });
    await own.close();
    expect((await begun).length).toBe(D);
    await refused;
    await expect(own.embed(pictures(1, 3))).rejects.toMatchObject({ code: 'not_ready' });
  });
});
