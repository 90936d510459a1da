import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_BETA } from '../../../src/core/relevance-feedback.js';
import type { RawParameters } from '../../../src/http/parameters.js';
import { createParameterReader } from '../../../src/http/search-parameters.js';

const reader = createParameterReader(50);
const raw = (text: string): RawParameters => {
  const query = new URLSearchParams(text);
  return new Map([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
};
const read = (query: string, fields = '') => reader.withForm(raw(query), raw(fields));
const refused = (query: string, fields = '') => {
  try {
    read(query, fields);
  } catch (error) {
    return error;
  }
  throw new Error(`"${query}" was accepted`);
};

const DEFAULTS = { k: 10, vote_k: 200, mode: 'auto', beta: DEFAULT_BETA };

describe('the parameters of a search', () => {
  it('have defaults, and nothing where there is none', () => {
    expect(read('')).toEqual(DEFAULTS);
  });

  it('come from the query and the form together', () => {
    expect(read('k=5&label=cat&beta=0', 'temperature=0.5&min_score=-.25&mode=exact&ef=64&vote_k=1')).toEqual({
      k: 5,
      vote_k: 1,
      labels: ['cat'],
      temperature: 0.5,
      min_score: -0.25,
      mode: 'exact',
      ef: 64,
      beta: 0,
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
    ['beta=1.5', 'beta'],
    ['where=', 'where'],
    ['where=colour', 'where'],
    ['where=[]', 'where'],
    ['where={}&where={}', 'where'],
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

  it('take a filter as JSON text', () => {
    const { where } = read(`where=${encodeURIComponent('{"colour":"red"}')}`);
    expect(where).toEqual([{ path: 'colour', kind: 'in', values: ['red'] }]);
  });

  it('come from a JSON body beside the query, never from both', () => {
    const given = { k: 3, label: ['a'], where: { year: { gte: 2000 } } };
    expect(reader.withBody(raw('vote_k=7'), given)).toEqual({
      ...DEFAULTS,
      k: 3,
      vote_k: 7,
      labels: ['a'],
      where: [{ path: 'year', kind: 'range', bounds: [{ sign: 'gte', value: 2000 }] }],
    });
    expect(() => reader.withBody(raw('k=3'), given)).toThrow(/k is given in the query and in the body/);
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
    return reader.withForm(new Map([['k', [text]]]), new Map()).k;
  } catch (error) {
    return (error as { code?: string }).code === 'invalid_parameter';
  }
}
