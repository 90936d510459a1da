/** Which input and output of a graph are the encoder's, from what exporters really declare. */
import { describe, expect, it } from 'vitest';
import {
  batchLimit,
  chooseInput,
  chooseOutput,
  describe as inWords,
  type TensorFact,
} from '../../../src/core/encoder-choice.js';
import { refusal } from '../../fixtures/errors.js';

const float = (name: string, ...shape: (number | string)[]): TensorFact => ({ name, type: 'float32', shape });
const crop = { width: 224, height: 160 };
const graph = (input: TensorFact, ...outputs: TensorFact[]) => ({ inputs: [input], outputs });
const layoutOf = (...shape: (number | string)[]) => chooseInput(graph(float('x', ...shape)), crop).layout;

describe('chooseInput', () => {
  it('takes the one picture with its layout and the size of the crop', () => {
    expect(chooseInput(graph(float('pixel_values', 'batch', 3, 160, 224)), crop)).toEqual({
      name: 'pixel_values',
      ...crop,
      layout: 'nchw',
      dtype: 'float32',
    });
  });

  it('sees where the channels are', () => {
    expect(layoutOf('n', 3, 'h', 'w')).toBe('nchw');
    expect(layoutOf(1, 160, 224, 3)).toBe('nhwc');
    expect(layoutOf('', 'h', 'w', 3)).toBe('nhwc');
    expect(layoutOf('', '', '', '')).toBe('nchw');
    expect(layoutOf('batch_size', 'num_channels', 'height', 'width')).toBe('nchw');
    expect(layoutOf('batch', 'height', 'width', 'channels')).toBe('nhwc');
  });

  it('refuses sides the wrong way round, in either layout', async () => {
    const error = await refusal('model_invalid', () => chooseInput(graph(float('x', 1, 3, 224, 160)), crop));
    expect(error.message).toContain('160 x 224 (width x height), its preprocessing makes 224 x 160');
    await refusal('model_invalid', () => chooseInput(graph(float('x', 1, 224, 160, 3)), crop));
  });

  it('refuses no input at all', async () => {
    const error = await refusal('model_invalid', () => chooseInput({ inputs: [], outputs: [] }, crop));
    expect(error.message).toBe(
      'it has 0 inputs, one picture is needed (export the vision part alone). Found: inputs none; outputs none',
    );
  });

  it('knows whether a run takes one picture or any number', () => {
    expect(batchLimit(graph(float('x', 1, 3, 160, 224)))).toBe(1);
    expect(batchLimit(graph(float('x', 'n', 3, 160, 224)))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('chooseOutput', () => {
  const input = float('x', 1, 3, 160, 224);
  const among = (...names: string[]) =>
    chooseOutput(graph(input, ...names.map((name) => float(name, 'n', 128))));

  it('takes the only one, whatever its name', () => {
    expect(among('1234')).toBe('1234');
  });

  it('takes the most telling name of several', () => {
    expect(among('last_hidden_state', 'pooler_output')).toBe('pooler_output');
    expect(among('last_hidden_state', 'image_embeds')).toBe('image_embeds');
    expect(among('logits', 'last_hidden_state')).toBe('last_hidden_state');
  });

  it('passes over what is not float32', async () => {
    const label = { name: 'label', type: 'int64', shape: ['n'] };
    expect(chooseOutput(graph(input, label, float('scores', 'n', 128)))).toBe('scores');
    await refusal('model_invalid', () => chooseOutput(graph(input, label)));
    await refusal('model_invalid', () => chooseOutput(graph(input, label), 'label'));
  });

  it('takes the one that is asked for', () => {
    expect(chooseOutput(graph(input, float('a', 'n', 9), float('embedding', 'n', 9)), 'a')).toBe('a');
  });
});

describe('what a graph has, in words', () => {
  it('stays readable for a hostile one', () => {
    const many = Array.from({ length: 1000 }, (_, i) => float(`${i}`.padStart(5000, 'x'), 'n'.repeat(5000)));
    const text = inWords({ inputs: many, outputs: many });
    expect(text.length).toBeLessThan(3500);
    expect(text).toContain('and 992 more');
  });
});
