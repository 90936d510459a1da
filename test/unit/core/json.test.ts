import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/core/json.js';
import { refusal } from '../../fixtures/errors.js';

const LIMITS = { depth: 3, values: 10 };
const read = (text: string) => parseJson(text, LIMITS);
const refused = (text: string) => refusal('malformed_body', () => read(text));

describe('JSON from outside', () => {
  it('is what JSON.parse says, within the limits', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text, { depth: 1000, values: 1e6 })).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is refused where it is none', async () => {
    for (const text of [
      '',
      '{',
      '{"a":NaN}',
      '{"a":1,}',
      'undefined',
      '{"a" 1}',
      '{"a":"x',
      '"\\x"',
      '{"\\x":1}',
      ']',
    ])
      expect((await refused(text)).message).toMatch(/is not JSON/);
  });

  it('is refused where it is nested too deep, before it is parsed', async () => {
    expect(read('{"a":[{"b":1}]}')).toEqual({ a: [{ b: 1 }] });
    expect((await refused('{"a":[{"b":[]}]}')).message).toMatch(/deeper than the 3 levels/);
    expect((await refused('['.repeat(1_000_000))).message).toMatch(/deeper/);
    expect(read('["[[[[[[", "{{{{", "\\"[[[["]')).toEqual(['[[[[[[', '{{{{', '"[[[[']);
  });

  it('is refused where it has too many values', async () => {
    expect(read('[1,2,3,4,5,6,7,8,9,10]')).toHaveLength(10);
    expect((await refused(`[${'1,'.repeat(10)}1]`)).message).toMatch(/more than the 10 values/);
    expect((await refused(`[${'[],'.repeat(9)}[]]`)).message).toMatch(/more than the 10 values/);
    expect(read('[",,,,,,,,,,,,,,,,,,,,,,"]')).toHaveLength(1);
  });

  it('is refused where a name comes twice in one object, however it is written', async () => {
    expect(read('[{"a":1},{"a":2}]')).toEqual([{ a: 1 }, { a: 2 }]);
    expect(read('{"a":{"a":1},"b":"a","c":":"}')).toBeTruthy();
    expect((await refused('{"k":1,"k":2}')).message).toMatch(/the name "k" twice/);
    expect((await refused('{"k":{"x":1},"\\u006b":2}')).message).toMatch(/the name "k" twice/);
    expect((await refused('{"__proto__":1,"__proto__":2}')).message).toMatch(/twice/);
  });
});
