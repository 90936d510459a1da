/** Safetensors: whole in memory, or found in a file to be read by pages; what is not what it claims is refused. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { pagesOf } from '../../../src/engines/matrix-file.js';
import { decodeSafetensors, encodeSafetensors, openSafetensors } from '../../../src/engines/safetensors.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let path: string;
beforeEach(async () => {
  path = join(await tempFolder(), 'vectors.safetensors');
});
async function open(bytes: Uint8Array) {
  await writeFile(path, bytes);
  return openSafetensors(path);
}
/** All rows of the file. */
async function rowsOf(bytes: Uint8Array): Promise<number[]> {
  const values: number[] = [];
  for await (const page of pagesOf(await open(bytes), 8)) values.push(...page);
  return values;
}

/** A safetensors file by hand: length of the header, header, data. */
function byHand(header: string | object, data: Uint8Array, claimed?: bigint): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

const tensor = (given: object) => ({ dtype: 'F32', shape: [2, 3], data_offsets: [0, 24], ...given });
const numbers = Float32Array.of(1, 2, 3, 4, 5, 6);
const data = new Uint8Array(numbers.buffer);

describe('safetensors', () => {
  it('are laid out as the format says: length, JSON header, data at a multiple of 8', () => {
    const bytes = Buffer.from(encodeSafetensors('vectors', numbers, [2, 3]));
    const length = Number(bytes.readBigUInt64LE(0));
    expect((8 + length) % 8).toBe(0);
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).toEqual({ vectors: tensor({}) });
    expect(bytes.length).toBe(8 + length + 24);
    expect(numbers.map((_, i) => bytes.readFloatLE(8 + length + i * 4))).toEqual(numbers);
  });

  it('of other writers are read: more tensors, metadata, no padding', () => {
    for (let pad = 0; pad < 8; pad++) {
      const header = {
        __metadata__: { format: 'pt', note: 'x'.repeat(pad) },
        other: { dtype: 'I8', shape: [4], data_offsets: [0, 4] },
        vectors: tensor({ data_offsets: [4, 28] }),
      };
      const file = byHand(header, Buffer.concat([Buffer.from('skip'), data]));
      expect(decodeSafetensors(file, 'vectors')).toEqual({ values: numbers, shape: [2, 3] });
    }
  });

  const lies: [string, Uint8Array][] = [
    ['nothing at all', new Uint8Array(0)],
    ['too few bytes for a length', new Uint8Array(7)],
    ['a header longer than the file', byHand({ vectors: tensor({}) }, data, 10_000n)],
    ['a header of astronomic length', byHand({ vectors: tensor({}) }, data, 2n ** 63n)],
    ['a header that is not JSON', byHand('{"vectors":', data)],
    ['a header that is null', byHand('null', data)],
    ['a header that is a list', byHand('[]', data)],
    ['no such tensor', byHand({ other: tensor({}) }, data)],
    ['another number type', byHand({ vectors: tensor({ dtype: 'F16' }) }, data)],
    ['a shape larger than its data', byHand({ vectors: tensor({ shape: [2, 4] }) }, data)],
    ['a shape smaller than its data', byHand({ vectors: tensor({ shape: [1, 3] }) }, data)],
    ['a shape with a negative side', byHand({ vectors: tensor({ shape: [-2, -3] }) }, data)],
    ['offsets past the end', byHand({ vectors: tensor({ data_offsets: [4, 28] }) }, data)],
    ['offsets that run backwards', byHand({ vectors: tensor({ data_offsets: [24, 0] }) }, data)],
    ['data that was cut short', byHand({ vectors: tensor({}) }, data.subarray(0, 23))],
  ];
  it.each(lies)('with %s are refused', async (_, bytes) => {
    await refusal('bank_invalid', () => decodeSafetensors(bytes, 'vectors'));
  });

  const half = tensor({ dtype: 'F16', data_offsets: [0, 12] });
  const readable = new Set(['no such tensor', 'another number type']);
  it.each(lies.filter(([name]) => !readable.has(name)))(
    'with %s are refused as a file too',
    async (_, bytes) => {
      await refusal('bank_invalid', () => open(bytes));
    },
  );

  it('in a file are found by name, or as the only ones', async () => {
    expect(await rowsOf(byHand({ vectors: tensor({}) }, data))).toEqual([...numbers]);
    expect(await rowsOf(byHand({ __metadata__: {}, embeddings: tensor({}) }, data))).toEqual([...numbers]);
    const two = { a: tensor({}), b: tensor({}) };
    expect((await refusal('bank_invalid', () => open(byHand(two, data)))).message).toMatch(/a, b/);
    const named = { a: tensor({ shape: [1, 6] }), vectors: tensor({}) };
    expect(await open(byHand(named, data))).toMatchObject({ rows: 2, dimension: 3, type: 'F32' });
  });

  it('of the Python package are read', async () => {
    // safetensors.numpy.save({'vectors': [[0.5, -2], [0.25, 8]] as float16}, metadata={…}) of safetensors 0.8.0, in base64.
    const saved =
      'aAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJtYWRlIjoiYnkgcHl0aG9uIn0sInZlY3RvcnMiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzIsMl0sImRhdGFfb2Zmc2V0cyI6WzAsOF19fSAgICAgIAA4AMAANABI';
    expect(await rowsOf(Buffer.from(saved, 'base64'))).toEqual([0.5, -2, 0.25, 8]);
  });

  it('in a file may have 16 bits', async () => {
    const bits = (values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);
    const f16 = bits([0x3c00, 0xbc00, 0x3555, 0x0001, 0x7bff, 0x8000]);
    expect(await rowsOf(byHand({ vectors: half }, f16))).toEqual([
      1,
      -1,
      0.333251953125,
      2 ** -24,
      65504,
      -0,
    ]);
    const bf16 = bits([0x3f80, 0xbf80, 0x3eab, 0x0080, 0x7f7f, 0x8000]);
    expect(await rowsOf(byHand({ vectors: { ...half, dtype: 'BF16' } }, bf16))).toEqual([
      1,
      -1,
      0.333984375,
      2 ** -126,
      3.3895313892515355e38,
      -0,
    ]);
  });

  it.each([
    ['one dimension', tensor({ shape: [6] })],
    ['three dimensions', tensor({ shape: [1, 2, 3] })],
    ['no dimension', tensor({ shape: [], data_offsets: [0, 4] })],
    ['rows of no length', tensor({ shape: [2, 0], data_offsets: [0, 0] })],
    ['whole numbers', tensor({ dtype: 'I32' })],
    ['a number type that objects have', tensor({ dtype: 'constructor' })],
  ])('in a file with %s are refused', async (_, record) => {
    await refusal('bank_invalid', () => open(byHand({ vectors: record }, data)));
  });

  it('of any bytes, or cut anywhere, are refused', async () => {
    const whole = encodeSafetensors('vectors', numbers, [2, 3]);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await expect(open(bytes)).rejects.toBeInstanceOf(LookalikeError);
      }),
    );
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path, whole);
      await truncate(path, length);
      await refusal('bank_invalid', () => openSafetensors(path));
    }
  });
});
