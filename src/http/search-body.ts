import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import type { Settled } from '../core/settled.js';
import type { Example, Query } from '../flow/service.js';
import { fromBase64 } from './base64.js';
import { JSON_KINDS, named, numbers, parseBody } from './json-values.js';
import { type SearchParameters, searchShape } from './search-parameters.js';

/** The JSON body of a search: what is asked for, and parameters beside it. */

export const LIMITS = { queries: 64, examples: 16 };

const text = z.string('must be a text');
const id = JSON_KINDS.shortText(256);
/** Exactly one of them is given. */
const exampleShape = { image: text.optional(), id: id.optional(), vector: numbers.optional() };

const example = named(exampleShape);
const listOf = (least: number) => {
  const message = `must be a list of ${least} to ${LIMITS.examples} examples`;
  return z.array(example, message).min(least, message).max(LIMITS.examples, message);
};
const queryShape = {
  ...exampleShape,
  examples: named({ positive: listOf(1), negative: listOf(0).default([]) }).optional(),
};
const querySchema = named(queryShape);

type GivenExample = z.output<typeof example>;
type GivenQuery = z.output<typeof querySchema>;

/** One query with its parameters. Throws `unknown_parameter`, `invalid_parameter` and `body_too_large`. */
export function readQuery(body: unknown, { maxK, maxBytes }: BodyLimits) {
  const schema = named({ ...queryShape, ...searchShape(JSON_KINDS, maxK) });
  const { image, id, vector, examples, ...parameters } = parseBody(schema, body);
  return { query: queryOf({ image, id, vector, examples }, maxBytes), parameters };
}

/** Many queries with the parameters that they share. What is wrong with one query refuses that one. */
export function readQueries(body: unknown, { maxK, maxBytes }: BodyLimits): Queries {
  const message = `must be a list of 1 to ${LIMITS.queries} queries`;
  const queries = z.array(z.unknown(), message).min(1, message).max(LIMITS.queries, message);
  const { queries: given, ...parameters } = parseBody(
    named({ queries, ...searchShape(JSON_KINDS, maxK) }),
    body,
  );
  return {
    queries: given.map((one) => refusedAlone(() => queryOf(parseBody(querySchema, one), maxBytes))),
    parameters,
  };
}

export interface BodyLimits {
  maxK: number;
  maxBytes: number; // of one picture
}

export interface Queries {
  queries: Settled<Query>[];
  parameters: SearchParameters;
}

export function refusedAlone<T>(read: () => T): Settled<T> {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof LookalikeError) return thrown;
    throw thrown;
  }
}

function queryOf({ examples, ...given }: GivenQuery, maxBytes: number): Query {
  requireOne({ ...given, examples }, '');
  if (!examples) return exampleOf(given, '', maxBytes);
  const { positive, negative } = examples;
  if (positive.length + negative.length > LIMITS.examples)
    throw new LookalikeError(
      'invalid_parameter',
      `examples may be at most ${LIMITS.examples} together, got ${positive.length} positive and ${negative.length} negative`,
      { field: 'examples' },
    );
  const read = (side: string) => (one: GivenExample, i: number) => {
    const path = `examples.${side}[${i}]`;
    requireOne(one, path);
    return exampleOf(one, path, maxBytes);
  };
  return {
    kind: 'examples',
    positive: positive.map(read('positive')),
    negative: negative.map(read('negative')),
  };
}

/** `path` is '' for the query itself. */
function exampleOf({ image, id, vector }: GivenExample, path: string, maxBytes: number): Example {
  if (id !== undefined) return { kind: 'id', id };
  if (vector !== undefined) return { kind: 'vector', vector: Float32Array.from(vector) };
  const field = path === '' ? 'image' : `${path}.image`;
  return { kind: 'image', bytes: fromBase64(image!, { field, maxBytes }) };
}

function requireOne(given: Record<string, unknown>, path: string): void {
  const names = Object.keys(given);
  const there = names.filter((name) => given[name] !== undefined);
  if (there.length === 1) return;
  const known = path === '' ? [...Object.keys(queryShape)] : Object.keys(exampleShape);
  throw new LookalikeError(
    'invalid_parameter',
    `${path === '' ? 'the query' : path} needs exactly one of ${known.join(', ')}; got ${there.join(' and ') || 'none'}`,
    { field: path === '' ? (there.at(-1) ?? 'image') : path },
  );
}
