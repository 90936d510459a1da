/** The merge patch by the examples of RFC 7396, appendix A. */
import { expect, it } from 'vitest';
import { mergePatch } from '../../../src/core/merge-patch.js';
import { refusal } from '../../fixtures/errors.js';

it.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('%s with %s is %s', (target, patch, result) => {
  const before = JSON.parse(target);
  expect(mergePatch(before, JSON.parse(patch))).toEqual(JSON.parse(result));
  expect(JSON.stringify(before)).toBe(target);
});

it('makes no property of the prototype', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as object;
  expect(Object.keys(merged)).toEqual(['__proto__']);
  expect('polluted' in {}).toBe(false);
});

it('of more than 32 levels is refused', async () => {
  const deep = (levels: number) => JSON.parse('{"a":'.repeat(levels) + 1 + '}'.repeat(levels));
  expect(mergePatch({}, deep(32))).toEqual(deep(32));
  await refusal('invalid_parameter', () => mergePatch({}, deep(33)));
});
