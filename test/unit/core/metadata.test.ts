/** What an item may carry: everything that JSON can say within the limits, and a clear word about what is not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkMetadata, parseMetadata } from '../../../src/core/metadata.js';
import { refusal } from '../../fixtures/errors.js';
import { arbitrary } from '../../fixtures/filters.js';

const nested = (levels: number): Record<string, unknown> => (levels === 1 ? {} : { a: nested(levels - 1) });
const listed = (levels: number): unknown => (levels === 0 ? 1 : [listed(levels - 1)]);
const many = (count: number) => Array.from({ length: count }, (_, i) => i);
/** An object of so many bytes as JSON. */
const ofBytes = (bytes: number) => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
const holdingItself: Record<string, unknown> = {};
holdingItself.self = holdingItself;

describe('checkMetadata', () => {
  it('returns what it was given', () => {
    fc.assert(
      fc.property(arbitrary.metadata, (metadata) => {
        expect(checkMetadata(metadata)).toBe(metadata);
      }),
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['nothing', {}],
    ['16 KiB', ofBytes(16 * 1024)],
    ['8 levels', nested(8)],
    ['8 levels with lists', { a: listed(7) }],
    ['64 values', { tags: many(64) }],
    ['the same value again and again', { tags: Array(1000).fill(1) }],
    ['a key of 128 characters', { ['k'.repeat(128)]: 1 }],
    ['a path of 128 characters', { ['k'.repeat(64)]: { ['k'.repeat(63)]: 1 } }],
    ['a longer path to null', { ['k'.repeat(64)]: { ['k'.repeat(64)]: null } }],
    ['names of Object', { constructor: 1, prototype: 2, toString: 3 }],
    ['any character', { 'ключ 😀\0"': '\u{10ffff}\0' }],
    ['no prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ])('takes %s', (_, metadata) => {
    expect(checkMetadata(metadata)).toBe(metadata);
  });

  it.each<[unknown, string]>([
    [undefined, 'metadata must be a JSON object, got undefined'],
    [null, 'metadata must be a JSON object, got null'],
    ['{}', 'metadata must be a JSON object, got "{}"'],
    [[{ a: 1 }], 'metadata must be a JSON object, got a list'],
    [new Map([['a', 1]]), 'metadata must be a JSON object'],
    [ofBytes(16 * 1024 + 1), 'has 16385 bytes or more as JSON, at most 16384 are allowed'],
    [{ text: 'é'.repeat(8190) }, 'bytes or more as JSON, at most 16384'],
    [{ deep: nested(8) }, 'metadata at "deep.a.a.a.a.a.a.a" lies deeper than 8 levels'],
    [{ a: listed(8) }, 'metadata at "a" lies deeper than 8 levels'],
    [holdingItself, 'it holds itself, is nested too deep'],
    [{ big: 1n }, 'a value that JSON lacks'],
    [{ a: { n: Number.NaN } }, 'metadata at "a.n" must be a finite number, got NaN'],
    [JSON.parse('{"n":[1,1e999]}'), 'metadata at "n" must be a finite number, got Infinity'],
    [{ when: new Date(0) }, 'metadata at "when" must be a JSON value'],
    [{ a: undefined }, 'metadata at "a" must be a JSON value, got undefined'],
    [{ a: { '': 1 } }, 'metadata at "a" has a key of 0 characters, 1 to 128 are allowed'],
    [{ ['k'.repeat(129)]: 1 }, 'metadata has a key of 129 characters, 1 to 128 are allowed'],
    [{ a: [{ 'b.c': 1 }] }, 'metadata at "a" has the key "b.c": a key has no dot, nest objects instead'],
    [JSON.parse('{"a":{"__proto__":{"b":1}}}'), 'metadata at "a" has the key "__proto__"'],
    [{ 'a\ud800': 1 }, 'metadata has a key with half a surrogate pair'],
    [{ a: 'b\udc00c' }, 'metadata at "a" has half a surrogate pair'],
    [{ tags: many(65) }, 'metadata has 65 different values, at most 64 are allowed; each element of a list'],
    [{ ['k'.repeat(64)]: { ['k'.repeat(64)]: 1 } }, 'lies under 129 characters, at most 128 are allowed'],
  ])('refuses what is wrong: %#', async (value, message) => {
    const error = await refusal('invalid_parameter', () => checkMetadata(value));
    expect(error.field).toBe('metadata');
    expect(error.message).toContain(message);
  });

  it('counts bytes, not characters', () => {
    expect(() => checkMetadata({ text: 'é'.repeat(8000) })).not.toThrow();
  });
});

describe('parseMetadata', () => {
  it('reads JSON text', () => {
    expect(parseMetadata('{"camera":{"maker":"Agfa"}}')).toEqual({ camera: { maker: 'Agfa' } });
  });

  it.each([
    ['colour=red', 'metadata must be a JSON object such as {"colour":"red"}, got "colour=red"'],
    ['7', 'metadata must be a JSON object, got 7'],
    ['{"a.b":1}', 'has the key "a.b"'],
    [`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'metadata'],
  ])('refuses what is wrong: %#', async (text, message) => {
    const error = await refusal('invalid_parameter', () => parseMetadata(text));
    expect(error.field).toBe('metadata');
    expect(error.message).toContain(message);
  });
});
