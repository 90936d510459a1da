import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cannotWrite, makeFolder, writeWhole } from '../../../trainer/src/disk.js';
import { nativeReady } from './native.js';

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'lookalike-disk-'));
});
afterEach(() => rmSync(out, { recursive: true }));
const failed = (code: string) => Object.assign(new Error(`${code}: as the system says it`), { code });

describe('cannotWrite', () => {
  test('says what is too large for the disk, and how much there is', () => {
    const path = join(out, 'x.bin');
    const error = cannotWrite({ what: 'the pictures', path, bytes: 23_456_789, out }, failed('ENOSPC'));
    expect(error).toMatchObject({ code: 'internal' });
    expect(String(error)).toMatch(
      new RegExp(
        `cannot write the pictures ${path}: the disk is full \\(23\\.5 MB needed, [\\d.]+ [kM]B free\\)$`,
      ),
    );
  });

  test('says that the last checkpoint is kept when there is one', () => {
    writeFileSync(join(out, 'checkpoint.safetensors'), 'whole');
    const about = { what: 'the log', path: join(out, 'log.ndjson'), bytes: 100, out };
    expect(String(cannotWrite(about, failed('EFBIG')))).toContain('The last checkpoint is kept');
  });

  test('leaves alone what has nothing to do with the disk', () => {
    const other = new TypeError('a mistake in the code');
    expect(cannotWrite({ what: 'the log', path: join(out, 'x'), bytes: 1, out }, other)).toBe(other);
  });
});

describe('writeWhole', () => {
  const what = 'the file';

  test('replaces the old bytes by all parts', () => {
    const path = join(out, 'x');
    writeFileSync(path, 'old and longer');
    writeWhole({ what, path, out }, ['a', Buffer.from('bc')]);
    expect(readFileSync(path, 'utf8')).toBe('abc');
    expect(readdirSync(out)).toEqual(['x']);
  });

  test('leaves nothing behind when the place is taken by a folder', () => {
    const path = join(out, 'x');
    mkdirSync(join(path, 'full'), { recursive: true });
    expect(() => writeWhole({ what, path, out }, ['a'])).toThrow();
    expect(readdirSync(out)).toEqual(['x']);
  });

  test('names a path that leads through a file', () => {
    writeFileSync(join(out, 'file'), '');
    const path = join(out, 'file', 'x');
    expect(() => writeWhole({ what, path, out }, ['a'])).toThrow(
      `cannot write the file ${path}: a part of the path is a file, not a folder`,
    );
    expect(() => makeFolder(path)).toThrow('a part of the path is a file');
  });
});

describe.skipIf(!nativeReady)('a checkpoint', async () => {
  if (!nativeReady) return;
  const { readCheckpoint, writeCheckpoint } = await import('../../../trainer/src/checkpoint.js');
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const variables = (weights: number[], place: number) => ({
    weights: new Map([['w', tf.variable(tf.tensor2d(weights, [1, weights.length]), true)]]),
    objective: new Map([['place', tf.variable(tf.scalar(place, 'int32'), false)]]),
  });

  test('gives back decimals and whole numbers bit for bit, and its state', () => {
    const path = join(out, 'checkpoint.safetensors');
    writeCheckpoint(path, variables([0.1, -1e-38, 3], 1_234_567_891), { progress: 7 });
    const read = variables([0, 0, 0], 0);
    expect(readCheckpoint(path, read)).toEqual({ progress: 7 });
    expect([...read.weights.get('w')!.dataSync()]).toEqual([...Float32Array.of(0.1, -1e-38, 3)]);
    expect(read.objective.get('place')!.dataSync()[0]).toBe(1_234_567_891);
    expect(() => readCheckpoint(path, variables([0, 0], 0))).toThrow('is F32 [1,3]');
  });

  test('with a weight that is not finite is refused, and the one before stays', () => {
    const path = join(out, 'checkpoint.safetensors');
    writeCheckpoint(path, variables([1, 2], 0), {});
    const before = readFileSync(path);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => writeCheckpoint(path, variables([1, bad], 0), {})).toThrow('lower --lr');
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(out)).toEqual(['checkpoint.safetensors']);
  });
});
