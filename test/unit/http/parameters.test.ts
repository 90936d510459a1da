import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawParameters } from '../../../src/http/parameters.js';
import { readSearchParameters, searchParameters } from '../../../src/http/search-parameters.js';

const schema = searchParameters(50);
const raw = (text: string): RawParameters => {
  const query = new URLSearchParams(text);
  return new Map([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
};
const read = (query: string, fields = '') =>
  readSearchParameters(schema, { query: raw(query), fields: raw(fields) });
const refused = (query: string, fields = '') => {
  try {
    read(query, fields);
  } catch (error) {
    return error;
  }
  throw new Error(`"${query}" was accepted`);
};

describe('the parameters of a search', () => {
  it('have defaults, and nothing where there is none', () => {
    expect(read('')).toEqual({ k: 10, vote_k: 200, mode: 'auto' });
  });

  it('come from the query and the form together', () => {
    expect(read('k=5&label=cat', 'temperature=0.5&min_score=-.25&mode=exact&ef=64&vote_k=1')).toEqual({
      k: 5,
      vote_k: 1,
      labels: ['cat'],
      temperature: 0.5,
      min_score: -0.25,
      mode: 'exact',
      ef: 64,
    });
  });

  it('take a label more than once', () => {
    expect(read('label=a&label=b').labels).toEqual(['a', 'b']);
  });

  it.each(['0', '-1', '1.5', 'abc', '1e1', '0x5', '', ' 5', '1000000000', '51', 'NaN', 'Infinity'])(
    'refuse k=%s by name',
    (value) => {
      expect(refused(`k=${encodeURIComponent(value)}`)).toMatchObject({
        code: 'invalid_parameter',
        field: 'k',
      });
    },
  );

  it.each([
    ['k=1&k=1', 'k'],
    ['mode=fast', 'mode'],
    ['mode=auto&mode=auto', 'mode'],
    ['temperature=0', 'temperature'],
    ['temperature=1e-1', 'temperature'],
    ['min_score=1.01', 'min_score'],
    ['vote_k=1001', 'vote_k'],
    ['ef=10001', 'ef'],
    ['label=', 'label'],
    [Array(101).fill('label=a').join('&'), 'label'],
    [`label=${'x'.repeat(257)}`, 'label'],
  ])('refuse %s', (query, field) => {
    expect(refused(query)).toMatchObject({ code: 'invalid_parameter', field });
  });

  it('refuse unknown names and say the known ones', () => {
    expect(refused('top=5')).toMatchObject({
      code: 'unknown_parameter',
      field: 'top',
      message: expect.stringContaining('vote_k, temperature'),
    });
    expect(refused('__proto__=5')).toMatchObject({ code: 'unknown_parameter' });
    expect(refused('constructor=5')).toMatchObject({ code: 'unknown_parameter' });
  });

  it('refuse a name in the query and in the form', () => {
    expect(refused('k=5', 'k=5')).toMatchObject({ code: 'invalid_parameter', field: 'k' });
  });

  it('accept every whole number in range and no other text', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 200 }), (k) => {
        if (k >= 1 && k <= 50) expect(read(`k=${k}`).k).toBe(k);
        else expect(refused(`k=${k}`)).toMatchObject({ code: 'invalid_parameter' });
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const given = readOrRefuse(text);
        expect(typeof given === 'number' ? /^\d+$/.test(text) : given).toBeTruthy();
      }),
    );
  });
});

/** The k that was read, or true when the text was refused in the right way. */
function readOrRefuse(text: string): number | boolean {
  try {
    return readSearchParameters(schema, { query: new Map([['k', [text]]]), fields: new Map() }).k;
  } catch (error) {
    return (error as { code?: string }).code === 'invalid_parameter';
  }
}
