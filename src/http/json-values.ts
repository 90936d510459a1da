import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { isObject, shown } from '../core/facets.js';
import type { Kinds } from './parameters.js';

/** Values of a JSON body at the edge: their own types and nothing that is nearly so, every refusal with its path. */

/** Checks `body`. Throws `unknown_parameter` and `invalid_parameter`; `field` is the path in the body. */
export function parseBody<T extends z.ZodRawShape>(
  schema: z.ZodObject<T>,
  body: unknown,
): z.output<z.ZodObject<T>> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = pathOf(issue.path);
  if (issue.code === 'unrecognized_keys')
    throw unknownName(path, issue.keys[0]!, namesAt(schema, issue.path));
  const what = path === '' ? 'the body' : path;
  throw new LookalikeError(
    'invalid_parameter',
    `${what} ${issue.message}, got ${shown(valueAt(body, issue.path))}`,
    path === '' ? {} : { field: path },
  );
}

function unknownName(path: string, name: string, known: readonly string[]): LookalikeError {
  const field = `${path === '' ? '' : `${path}.`}${name.slice(0, 60)}`;
  const list = known.length > 0 ? `: known are ${known.join(', ')}` : '';
  return new LookalikeError('unknown_parameter', `"${field}" is no parameter${list}`, { field });
}

/** Names of the schema's own object; those of inner objects are in the contract. */
const namesAt = (schema: z.ZodObject, path: readonly PropertyKey[]) =>
  path.length === 0 ? Object.keys(schema.shape) : [];

/** `examples.positive[3].vector` */
const pathOf = (path: readonly PropertyKey[]) =>
  path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${String(key)}`,
    '',
  );

const valueAt = (body: unknown, path: readonly PropertyKey[]) =>
  path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], body);

function number(message: string, min: number, max: number) {
  return z.number(message).min(min, message).max(max, message);
}

/** In a JSON body. */
export const JSON_KINDS: Kinds = {
  wholeNumber: (min, max) => {
    const message = `must be a whole number from ${min} to ${max}`;
    return number(message, min, max).refine(Number.isInteger, message);
  },
  decimal: (min, max) => number(`must be a number from ${min} to ${max}`, min, max),
  shortText: (max) => {
    const message = `must be a text of 1 to ${max} characters`;
    return z.string(message).min(1, message).max(max, message);
  },
  oneOf: (words) => z.enum(words, `must be one of ${words.join(', ')}`),
  texts: (most, length) => {
    const message = `must be a text of 1 to ${length} characters, or a list of at most ${most} of them`;
    const one = z.string(message).min(1, message).max(length, message);
    return z.preprocess(
      (given) => (typeof given === 'string' ? [given] : given),
      z.array(one, message).max(most, message),
    );
  },
  object: () => z.custom<object>(isObject, 'must be an object'),
};

/** A list of finite numbers, as the text of a vector. */
export const numbers = z.custom<number[]>(
  (given) => Array.isArray(given) && given.every((one) => Number.isFinite(one)),
  'must be a list of numbers',
);

/** An object with these names and no others. */
export const named = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, 'must be an object');
