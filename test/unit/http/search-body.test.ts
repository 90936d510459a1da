/** The JSON body of a search: every refusal names the path in the body. */
import { describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { fromBase64 } from '../../../src/http/base64.js';
import { readQueries, readQuery } from '../../../src/http/search-body.js';
import { refusal } from '../../fixtures/errors.js';

const SETTINGS = { maxK: 50, maxBytes: 100 };
const read = (body: unknown) => readQuery(body, SETTINGS);
const id = { id: 'a' };
const example = (one: unknown) => ({ examples: { positive: [id, one] } });

describe('one query', () => {
  it('is a picture, an id, a vector or examples, with parameters beside it', () => {
    const image = Buffer.from('picture').toString('base64');
    expect(read({ image, k: 5, label: 'cat', where: { x: 1 } })).toEqual({
      query: { kind: 'image', bytes: Buffer.from('picture') },
      parameters: { k: 5, label: ['cat'], where: { x: 1 } },
    });
    expect(read({ id: 'a', label: ['x', 'y'] })).toMatchObject({ query: { kind: 'id', id: 'a' } });
    expect(read({ vector: [1, 0.5] }).query).toEqual({ kind: 'vector', vector: Float32Array.of(1, 0.5) });
    expect(read({ examples: { positive: [id, { vector: [1] }], negative: [{ image }] } }).query).toEqual({
      kind: 'examples',
      positive: [
        { kind: 'id', id: 'a' },
        { kind: 'vector', vector: Float32Array.of(1) },
      ],
      negative: [{ kind: 'image', bytes: Buffer.from('picture') }],
    });
  });

  it.each<[string, unknown, string | undefined, RegExp]>([
    ['a list', [], undefined, /^the body must be an object, got a list/],
    ['a text', 'x', undefined, /^the body must be an object, got "x"/],
    ['null', null, undefined, /^the body must be an object, got null/],
    ['nothing', {}, 'image', /exactly one of image, id, vector, examples; got none/],
    ['two queries', { id: 'a', vector: [1] }, 'vector', /got id and vector/],
    ['a number for an id', { id: 7 }, 'id', /^id must be a text of 1 to 256 characters, got 7/],
    ['an empty id', { id: '' }, 'id', /^id must be a text/],
    ['a number for a picture', { image: 7 }, 'image', /^image must be a text, got 7/],
    ['a text for a vector', { vector: '1,2' }, 'vector', /^vector must be a list of numbers, got "1,2"/],
    ['a vector with null', { vector: [1, null] }, 'vector', /^vector must be a list of numbers/],
    [
      'a vector past all numbers',
      JSON.parse('{"vector":[1e999]}'),
      'vector',
      /^vector must be a list of numbers/,
    ],
    ['texts for numbers', { ...id, k: '5' }, 'k', /^k must be a whole number from 1 to 50, got "5"/],
    ['a part of a number', { ...id, k: 1.5 }, 'k', /^k must be a whole number/],
    ['too many neighbours', { ...id, k: 51 }, 'k', /got 51/],
    [
      'a score out of range',
      { ...id, min_score: 2 },
      'min_score',
      /^min_score must be a number from -1 to 1/,
    ],
    [
      'an unknown mode',
      { ...id, mode: 'fast' },
      'mode',
      /^mode must be one of auto, hnsw, exact, got "fast"/,
    ],
    ['null for a parameter', { ...id, ef: null }, 'ef', /^ef must be a whole number/],
    ['a number for a label', { ...id, label: ['a', 7] }, 'label[1]', /^label\[1\] must be a text/],
    ['a text for a filter', { ...id, where: '{}' }, 'where', /^where must be an object/],
    [
      'examples without a positive one',
      { examples: { positive: [] } },
      'examples.positive',
      /a list of 1 to 16/,
    ],
    ['examples as a list', { examples: [id] }, 'examples', /^examples must be an object, got a list/],
    ['an empty example', example({}), 'examples.positive[1]', /exactly one of image, id, vector; got none/],
    [
      'an example of two kinds',
      example({ id: 'a', vector: [] }),
      'examples.positive[1]',
      /got id and vector/,
    ],
    ['an example that is a text', example('a'), 'examples.positive[1]', /must be an object, got "a"/],
    [
      'a broken vector in an example',
      example({ vector: [{}] }),
      'examples.positive[1].vector',
      /a list of numbers/,
    ],
    ['a broken picture in an example', example({ image: '!' }), 'examples.positive[1].image', /in base64/],
    ['17 examples', { examples: { positive: Array(17).fill(id) } }, 'examples.positive', /1 to 16/],
    [
      '17 examples together',
      { examples: { positive: Array(9).fill(id), negative: Array(8).fill(id) } },
      'examples',
      /at most 16 together, got 9 positive and 8 negative/,
    ],
  ])('refuses %s', async (_what, body, field, message) => {
    const error = await refusal('invalid_parameter', () => read(body));
    expect(error.message).toMatch(message);
    expect(error.field).toBe(field);
  });

  it.each<[string, unknown, string]>([
    ['a name of its own', { ...id, top: 5 }, 'top'],
    ['the prototype', JSON.parse('{"id":"a","__proto__":{"k":1}}'), '__proto__'],
    ['a constructor', { ...id, constructor: 1 }, 'constructor'],
    ['a name in an example', example({ id: 'a', weight: 2 }), 'examples.positive[1].weight'],
    [
      'the prototype in an example',
      example(JSON.parse('{"id":"a","__proto__":1}')),
      'examples.positive[1].__proto__',
    ],
    ['a name in the examples', { examples: { positive: [id], beta: 1 } }, 'examples.beta'],
  ])('refuses %s that is unknown', async (_what, body, field) => {
    expect((await refusal('unknown_parameter', () => read(body))).field).toBe(field);
    expect(({} as { k?: number }).k).toBeUndefined();
  });
});

describe('many queries', () => {
  it('keep their places, and one that is wrong is refused alone', () => {
    const { queries, parameters } = readQueries(
      { queries: [id, { id: 7 }, 'x', { vector: [1] }, { ...id, k: 3 }], k: 4 },
      SETTINGS,
    );
    expect(parameters).toEqual({ k: 4 });
    expect(queries.map((one) => (one instanceof LookalikeError ? [one.code, one.field] : one.kind))).toEqual([
      'id',
      ['invalid_parameter', 'id'],
      ['invalid_parameter', undefined],
      'vector',
      ['unknown_parameter', 'k'],
    ]);
  });

  it.each([[{}], [{ queries: [] }], [{ queries: {} }], [{ queries: Array(65).fill(id) }]])(
    'are 1 to 64: %j',
    async (body) => {
      const error = await refusal('invalid_parameter', () => readQueries(body, SETTINGS));
      expect([error.field, error.message]).toEqual(['queries', expect.stringContaining('1 to 64 queries')]);
    },
  );
});

describe('a picture in base64', () => {
  const read = (text: string) => fromBase64(text, { field: 'image', maxBytes: 100 });

  it('is taken in either alphabet, with or without padding, whatever its length', () => {
    for (let length = 1; length <= 100; length++) {
      const bytes = Buffer.alloc(length, 0xfb);
      for (const text of [
        bytes.toString('base64'),
        bytes.toString('base64').replaceAll('=', ''),
        bytes.toString('base64url'),
      ])
        expect(Buffer.from(read(text)).equals(bytes)).toBe(true);
    }
  });

  it('is refused where it is none, empty or too large', async () => {
    for (const text of ['a', '!!!!', 'ab cd', 'data:image/png;base64,AAAA', 'AA=A', '====', 'é'])
      await refusal('invalid_parameter', () => read(text));
    await refusal('missing_image', () => read(''));
    expect((await refusal('body_too_large', () => read('A'.repeat(136)))).message).toMatch(
      /100 bytes, got 102/,
    );
  });
});
