/** Facets: every scalar under its path, each once, and none that a filter could tell from the whole value. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { facetsOf, valuesAt } from '../../../src/core/facets.js';
import { matches, parseWhere } from '../../../src/core/where.js';
import { arbitrary } from '../../fixtures/filters.js';

describe('facetsOf', () => {
  it('gives every scalar its dotted path', () => {
    const metadata = {
      colour: 'red',
      year: 1995,
      sharp: false,
      camera: { maker: 'Agfa', lens: { mm: [28, 70] } },
      boxes: [{ of: 'cat' }, { of: 'dog' }, ['loose']],
      empty: null,
      nothing: [],
      none: {},
    };
    expect(facetsOf(metadata)).toEqual([
      { path: 'colour', value: 'red' },
      { path: 'year', value: 1995 },
      { path: 'sharp', value: false },
      { path: 'camera.maker', value: 'Agfa' },
      { path: 'camera.lens.mm', value: 28 },
      { path: 'camera.lens.mm', value: 70 },
      { path: 'boxes.of', value: 'cat' },
      { path: 'boxes.of', value: 'dog' },
      { path: 'boxes', value: 'loose' },
    ]);
  });

  it('gives each once, and keeps types apart', () => {
    expect(facetsOf({ n: [1, '1', true, 1, '1', true, 'true'] })).toEqual([
      { path: 'n', value: 1 },
      { path: 'n', value: '1' },
      { path: 'n', value: true },
      { path: 'n', value: 'true' },
    ]);
  });

  it('cuts a long string where no filter reaches, never within a character', () => {
    const longest = 'x'.repeat(256);
    expect(facetsOf({ s: longest })).toEqual([{ path: 's', value: longest }]);
    expect(facetsOf({ s: `${longest}xxxx` })).toEqual([{ path: 's', value: `${longest}xx` }]);
    expect(facetsOf({ s: `${longest}x😀😀` })).toEqual([{ path: 's', value: `${longest}x` }]);
    expect(facetsOf({ s: `${longest}😀😀` })).toEqual([{ path: 's', value: `${longest}😀` }]);
  });

  it('knows as much as the metadata: a filter fits both or neither', () => {
    fc.assert(
      fc.property(arbitrary.metadata, arbitrary.filter, (metadata, filter) => {
        const where = parseWhere(filter);
        expect(matches(where, ofFacets(metadata))).toBe(matches(where, metadata));
      }),
      { numRuns: 1000 },
    );
  });
});

/** Metadata with nothing but the facets of another: a list of nested values for each first key. */
function ofFacets(metadata: Record<string, unknown>): Record<string, unknown> {
  const lists = new Map<string, unknown[]>();
  for (const { path, value } of facetsOf(metadata)) {
    const [first, ...rest] = path.split('.');
    const nested = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    lists.set(first!, [...(lists.get(first!) ?? []), nested]);
  }
  return Object.fromEntries(lists);
}

describe('valuesAt', () => {
  it('walks lists of lists and of objects, and gives what is there as often as it is', () => {
    const metadata = { a: [{ b: 1 }, [{ b: [2, [1]] }], 'loose', { c: 9 }] };
    expect(valuesAt(metadata, 'a.b')).toEqual([1, 2, 1]);
    expect(valuesAt(metadata, 'a')).toEqual(['loose']);
    expect(valuesAt(metadata, 'a.b.c')).toEqual([]);
  });
});
