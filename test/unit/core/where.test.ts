/** Filters: what each means, and that every refusal names the path and what is allowed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseWhere } from '../../../src/core/where.js';
import { refusal } from '../../fixtures/errors.js';
import { arbitrary } from '../../fixtures/filters.js';

const fits = (filter: unknown, metadata: Record<string, unknown>) => matches(parseWhere(filter), metadata);

const PHOTO = {
  colour: 'red',
  year: 1995,
  sharp: true,
  page: '1',
  tags: ['sea', 'boat', 7],
  camera: { maker: 'Agfa', lens: { mm: [28, 70] } },
  boxes: [{ of: 'cat' }, { of: 'dog' }, [{ of: 'cow' }]],
  empty: null,
  nothing: [],
};

describe('matches', () => {
  it.each<[unknown, boolean]>([
    [{}, true],
    [{ colour: 'red' }, true],
    [{ colour: 'Red' }, false],
    [{ year: 1995 }, true],
    [{ year: '1995' }, false],
    [{ page: 1 }, false],
    [{ sharp: true }, true],
    [{ sharp: 1 }, false],
    [{ colour: 'red', year: 1996 }, false],
    [{ colour: 'red', year: 1995 }, true],
    [{ colour: { in: ['blue', 'red'] } }, true],
    [{ year: { in: ['1995', true, 1994] } }, false],
    [{ year: { gte: 1995, lt: 1996 } }, true],
    [{ year: { gt: 1995 } }, false],
    [{ year: { lt: 1995 } }, false],
    [{ year: { lte: 1995 } }, true],
    [{ year: { gte: '' } }, false],
    [{ colour: { gte: 'red', lt: 'ree' } }, true],
    [{ colour: { gt: 0 } }, false],
    [{ sharp: { gte: 0 } }, false],
    [{ 'camera.maker': 'Agfa' }, true],
    [{ 'camera.lens.mm': { gt: 50 } }, true],
    [{ camera: 'Agfa' }, false],
    [{ 'boxes.of': 'dog' }, true],
    [{ 'boxes.of': 'cow' }, true],
    [{ 'boxes.0.of': 'cat' }, false],
    [{ tags: 'boat' }, true],
    [{ tags: { gt: 5, lt: 9 } }, true],
    [{ tags: { not: 'boat' } }, false],
    [{ tags: { not: ['plane', 'car'] } }, true],
    [{ tags: { not: ['plane', 'boat'] } }, false],
    [{ tags: { in: ['sea'], not: 'boat' } }, false],
    [{ tags: { in: ['sea'], not: 'car' } }, true],
    [{ missing: { not: 'red' } }, true],
    [{ missing: { exists: true, not: 'red' } }, false],
    [{ colour: { exists: true } }, true],
    [{ colour: { exists: false } }, false],
    [{ missing: { exists: false } }, true],
    [{ empty: { exists: true } }, false],
    [{ nothing: { exists: true } }, false],
    [{ camera: { exists: true } }, false],
    [{ 'camera.maker': { exists: true } }, true],
    [{ toString: { exists: true } }, false],
    [{ 'colour.length': { exists: true } }, false],
  ])('%j: %s', (filter, expected) => {
    expect(fits(filter, PHOTO)).toBe(expected);
  });

  it('wants both bounds of a range of the same element', () => {
    expect(fits({ n: { gt: 3, lt: 7 } }, { n: [1, 9] })).toBe(false);
    expect(fits({ n: { gt: 3, lt: 7 } }, { n: [1, 5, 9] })).toBe(true);
  });

  it('orders strings by their UTF-8 bytes, not by UTF-16 unit', () => {
    expect(fits({ s: { gt: '\uffff' } }, { s: '\u{10000}' })).toBe(true);
    expect(fits({ s: { lt: '\u{10000}' } }, { s: '\ue000' })).toBe(true);
  });
});

describe('parseWhere', () => {
  it('reads text and object alike, and both name no one the fields of Object', () => {
    fc.assert(
      fc.property(arbitrary.filter, (filter) => {
        expect(parseWhere(JSON.stringify(filter))).toEqual(parseWhere(JSON.parse(JSON.stringify(filter))));
      }),
    );
    expect(parseWhere('{"__proto__":"red"}')).toEqual([{ path: '__proto__', kind: 'in', values: ['red'] }]);
    expect(fits('{"__proto__":{"exists":true}}', PHOTO)).toBe(false);
  });

  it('makes a condition of every operator', () => {
    expect(parseWhere({ n: { lte: 9, in: [1], exists: true, not: 2, gt: 0 } })).toEqual([
      { path: 'n', kind: 'in', values: [1] },
      {
        path: 'n',
        kind: 'range',
        bounds: [
          { sign: 'gt', value: 0 },
          { sign: 'lte', value: 9 },
        ],
      },
      { path: 'n', kind: 'exists', wanted: true },
      { path: 'n', kind: 'not', values: [2] },
    ]);
  });

  it('takes what is just within the limits', () => {
    const sixteen = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`p${i}`, i]));
    expect(parseWhere(sixteen)).toHaveLength(16);
    const [condition] = parseWhere({ ['p'.repeat(128)]: { in: Array(100).fill('x'.repeat(256)) } });
    expect(condition).toMatchObject({ values: { length: 100 } });
  });

  it.each<[unknown, string]>([
    ['{"colour"', 'where must be JSON such as {"colour":"red"}, got "{\\"colour\\""'],
    ['colour=red', 'must be JSON'],
    ['"red"', 'where must be a JSON object such as {"colour":"red"}, got "red"'],
    ['null', 'where must be a JSON object such as {"colour":"red"}, got null'],
    [[{ colour: 'red' }], 'got a list'],
    [7, 'got 7'],
    [{ colour: null }, '"colour" must be a string of at most 256 characters, a number, true or false, or an'],
    [{ colour: ['red'] }, 'or an object with in, not, gt, gte, lt, lte, exists; got a list'],
    [{ colour: 'x'.repeat(257) }, '"colour" must be a string of at most 256 characters'],
    [{ colour: '\ud800' }, '"colour" must be a string'],
    ['{"year":1e999}', '"year" must be a string of at most 256 characters, a number, true or false'],
    [
      { colour: { like: 're%' } },
      '"colour" has no operator "like": known are in, not, gt, gte, lt, lte, exists',
    ],
    ['{"colour":{"in":["a"],"__proto__":1}}', '"colour" has no operator "__proto__": known are in, not'],
    [{ colour: {} }, '"colour" has no operator: known are in, not, gt, gte, lt, lte, exists'],
    [{ colour: { gt: undefined } }, '"colour" has no operator: known are'],
    [{ colour: { in: 'red' } }, '"colour" in must be a list of 1 to 100 values, each a string'],
    [{ colour: { in: [] } }, '"colour" in must be a list of 1 to 100 values'],
    [{ colour: { in: Array(101).fill(1) } }, '"colour" in must be a list of 1 to 100 values'],
    [{ colour: { in: ['a', null] } }, 'true or false, got null'],
    [{ colour: { not: null } }, '"colour" not must be a string of at most 256 characters, a number'],
    [{ colour: { not: [] } }, '"colour" not must be a list of 1 to 100 values'],
    [{ year: { gt: true } }, '"year" gt must be a number or a string of at most 256 characters, got true'],
    [{ year: { gt: 1, gte: 2 } }, '"year" takes gt or gte, not both'],
    [{ year: { lt: 1, lte: 2 } }, '"year" takes lt or lte, not both'],
    [{ year: { gt: 1, lt: 'b' } }, '"year" needs bounds of one kind, two numbers or two strings'],
    [{ year: { exists: 'yes' } }, '"year" exists must be true or false, got "yes"'],
    [{ '': 1 }, 'where has the path "": keys with dots between them, 1 to 128 characters in all'],
    [{ 'a..b': 1 }, 'the path "a..b"'],
    [{ '.a': 1 }, 'the path ".a"'],
    [{ 'a.': 1 }, 'the path "a."'],
    [{ ['p'.repeat(129)]: 1 }, '1 to 128 characters in all'],
    [{ 'a\udc00': 1 }, 'the path'],
    [Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`p${i}`, i])), 'more than the 16 conditions'],
    [
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`p${i}`, { exists: true, not: 1 }])),
      'more than the 16 conditions',
    ],
  ])('refuses what is wrong: %#', async (input, message) => {
    const error = await refusal('invalid_parameter', () => parseWhere(input));
    expect(error.field).toBe('where');
    expect(error.message).toContain(message);
  });

  it('says little of a value however large or deep it is', async () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const error = await refusal('invalid_parameter', () => parseWhere(deep));
    expect(error.message.length).toBeLessThan(300);
  });
});
