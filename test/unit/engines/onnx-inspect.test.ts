/** The inspection of encoders from elsewhere: real files, a real child process, real runs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectModel } from '../../../src/engines/onnx-inspect.js';
import { refusal } from '../../fixtures/errors.js';
import { externalOnnx } from '../../fixtures/external-onnx.js';
import { type Change, foreignOnnx, RECORD, SIDE } from '../../fixtures/foreign-encoder.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let folder: string;
beforeAll(async () => {
  folder = await tempFolder();
});

let files = 0;
async function written(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${files++}.onnx`);
  await writeFile(path, bytes);
  return path;
}
const inspect = async (change: Change, options: Partial<Parameters<typeof inspectModel>[1]> = {}) =>
  inspectModel(await written(foreignOnnx(change)), { preprocess: RECORD, ...options });

describe('an encoder', () => {
  it('of the usual kind passes, and all that its manifest needs is found', async () => {
    const found = await inspect({});
    expect(found).toEqual({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      input: { name: 'pixel_values', width: SIDE, height: SIDE, layout: 'nchw', dtype: 'float32' },
      output: { name: 'vector', pooling: 'none' },
      dimension: 24,
      unit_length: false,
      milliseconds: expect.any(Number),
      threads: 1,
      notes: [],
    });
    expect(found.milliseconds).toBeGreaterThan(0);
  });

  const passing: [string, Change, object][] = [
    ['takes the channels last', { layout: 'nhwc' }, { input: expect.objectContaining({ layout: 'nhwc' }) }],
    ['leaves its sides open', { dims: ['n', 3, 'h', 'w'] }, { dimension: 24 }],
    ['leaves every size open', { dims: ['batch', 'num_channels', 'height', 'width'] }, { dimension: 24 }],
    [
      'leaves every size open and names its channels last',
      { layout: 'nhwc', dims: ['b', 'h', 'w', 'channels'] },
      { dimension: 24 },
    ],
    ['takes one picture at a time', { batch: 1 }, { dimension: 24, notes: [] }],
    ['gives [n, d, 1, 1]', { output: 'axes' }, { dimension: 24 }],
    ['has the least dimension', { dimension: 16 }, { dimension: 16 }],
    ['has the largest dimension', { dimension: 2048 }, { dimension: 2048 }],
    [
      'names one of its outputs as an embedding',
      { second: 'image_embeds' },
      { output: { name: 'image_embeds', pooling: 'none' } },
    ],
    [
      'calls its output logits',
      { names: { output: 'logits' } },
      { notes: [expect.stringContaining('classifier')] },
    ],
  ];
  it.each(passing)('that %s passes', async (_, change, found) => {
    expect(await inspect(change)).toMatchObject(found);
  });

  it('with a vector a token passes with a pooling', async () => {
    const named = { output: 'tokens', names: { output: 'last_hidden_state' } } as const;
    for (const pooling of ['cls', 'mean'] as const)
      expect(await inspect(named, { pooling })).toMatchObject({
        dimension: 24,
        output: { name: 'last_hidden_state', pooling },
      });
  });

  it('with several outputs passes when one is chosen', async () => {
    expect(await inspect({ second: 'other' }, { output: 'other' })).toMatchObject({
      output: { name: 'other' },
    });
  });

  it.each(['mixed', 'stuck'] as const)(
    'whose batch is not its pictures (%s) is run one at a time',
    async (output) => {
      const { input, notes } = await inspect({ output });
      expect(input.batch).toBe(1);
      expect(notes).toEqual([expect.stringMatching(/one picture at a time: .*batch/)]);
    },
  );
});

describe('what is no encoder is refused with what was found', () => {
  const refused: [string, Change, RegExp][] = [
    [
      'two inputs',
      { text: true },
      /2 inputs.*"pixel_values" float32 \[n, 3, 32, 32\], "input_ids" int64 \[n, length\]/,
    ],
    ['an input of bytes', { type: 'uint8' }, /input is uint8, float32 is needed/],
    [
      'an input of three axes',
      { channels: SIDE, dims: [3, SIDE, SIDE] },
      /3 axes, four are needed.*\[3, 32, 32\]/,
    ],
    [
      'an input of one channel',
      { channels: 1, dims: ['n', 1, SIDE, SIDE] },
      /three channels.*\[n, 1, 32, 32\]/,
    ],
    ['other sides than its record', { dims: ['n', 3, 64, 64] }, /64 x 64.*makes 32 x 32/],
    ['a batch of four', { batch: 4 }, /batches of 4 only/],
    [
      'several outputs',
      { second: 'other' },
      /2 float32 outputs.*image_embeds.*"vector" float32 \[n, 24\], "other"/,
    ],
    ['a vector a token', { output: 'tokens' }, /\[1,5,24\].*cls.*mean/],
    ['a map', { output: 'map' }, /\[1,24,2,2\].*no vector/],
    ['no axis of pictures', { output: 'bare', batch: 1 }, /\[24\].*\[1, d\]/],
    ['too few numbers', { dimension: 15 }, /vectors of 15 numbers, 16 to 2048/],
    ['too many numbers', { dimension: 2049 }, /vectors of 2049 numbers, 16 to 2048/],
    ['NaN', { scale: Number.NaN }, /gives NaN as number 1/],
    ['numbers without end', { scale: Number.POSITIVE_INFINITY }, /gives (-?Infinity|NaN) as number/],
    ['the same vector always', { scale: 0 }, /same vector for every picture/],
    ['chance', { output: 'random' }, /another vector when it sees the same picture again/],
  ];
  it.each(refused)('%s', async (_, change, message) => {
    const error = await refusal('model_invalid', () => inspect(change));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`${files - 1}.onnx cannot be used as an encoder: `);
  });

  it('an output that is not there, and a pooling that does not fit', async () => {
    const absent = await refusal('model_invalid', () => inspect({}, { output: 'absent' }));
    expect(absent.message).toMatch(/no float32 output "absent".*"vector"/);
    const pooled = await refusal('model_invalid', () => inspect({}, { pooling: 'mean' }));
    expect(pooled.message).toMatch(/\[1,24\].*mean needs \[1, tokens, d\]/);
    expect(pooled.field).toBe('pooling');
  });

  it('a file that contradicts itself, that is cut short, that is none, or that is not there', async () => {
    const whole = foreignOnnx();
    const broken = await written(foreignOnnx({ dims: ['n', 1, SIDE, SIDE] }));
    const { message } = await refusal('model_invalid', () => inspectModel(broken, { preprocess: RECORD }));
    expect(message).toMatch(/onnxruntime does not load it: .*Gemm/);
    for (const bytes of [
      whole.subarray(0, whole.length - 40),
      whole.subarray(0, 9),
      Buffer.from('garbage'),
      Buffer.alloc(0),
    ]) {
      const path = await written(bytes);
      await refusal('model_invalid', () => inspectModel(path, { preprocess: RECORD }));
    }
    await refusal('model_missing', () => inspectModel(join(folder, 'absent.onnx'), { preprocess: RECORD }));
  });

  it('numbers kept in another file, with the way to one file', async () => {
    const path = await written(externalOnnx('weights.bin'));
    await writeFile(join(folder, 'weights.bin'), new Uint8Array(4096));
    const { message } = await refusal('model_invalid', () => inspectModel(path, { preprocess: RECORD }));
    expect(message).toMatch(/other files \(weights\.bin\).*save_as_external_data=False/);
  });

  it('an inspection that takes too long or is given up', async () => {
    const late = await refusal('model_invalid', () => inspect({}, { timeoutMs: 1 }));
    expect(late.message).toContain('no answer within 0.001 s');
    await refusal('aborted', () => inspect({}, { signal: AbortSignal.abort() }));
    const controller = new AbortController();
    const given = inspect({}, { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await refusal('aborted', () => given);
  });
});
