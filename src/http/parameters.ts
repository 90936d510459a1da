import type { Request } from 'express';
import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';

/**
 * Parameters at the edge: names and texts from the query (and, for search, from form fields) to checked values.
 * Unknown names are refused, not ignored: a misspelt `k` must not answer with the default.
 */
export type RawParameters = Map<string, string[]>;

/** The query of a request, every value of every name, decoded. */
export function queryOf(req: Request): RawParameters {
  const raw: RawParameters = new Map();
  const at = req.originalUrl.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : req.originalUrl.slice(at + 1));
  for (const name of new Set(query.keys())) raw.set(name, query.getAll(name));
  return raw;
}

/** The parameters of the query and of a form together. A name given in both is refused with `invalid_parameter`. */
export function joined({ query, fields }: { query: RawParameters; fields: RawParameters }): RawParameters {
  refuseTwice(query, [...fields.keys()], 'form');
  return new Map([...query, ...fields]);
}

/** Refuses a name that is given in two places with `invalid_parameter`: neither is taken silently. */
export function refuseTwice(query: RawParameters, names: readonly string[], place: 'form' | 'body'): void {
  const field = names.find((name) => query.has(name));
  if (field === undefined) return;
  throw new LookalikeError('invalid_parameter', `${field} is given in the query and in the ${place}`, {
    field,
  });
}

/** Checks `raw` against `schema`. Throws `unknown_parameter` and `invalid_parameter`, both naming the field. */
export function parseParameters<T extends z.ZodRawShape>(schema: z.ZodObject<T>, raw: RawParameters) {
  const allowed = Object.keys(schema.shape);
  for (const name of raw.keys()) if (!allowed.includes(name)) throw unknownParameter(name, allowed);
  const parsed = schema.safeParse(Object.fromEntries(raw));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = String(issue.path[0]);
  throw new LookalikeError('invalid_parameter', `${field} ${issue.message}, got ${shown(raw.get(field))}`, {
    field,
  });
}

function unknownParameter(name: string, allowed: readonly string[]): LookalikeError {
  const known = allowed.length > 0 ? `known are ${allowed.join(', ')}` : 'none are known here';
  return new LookalikeError('unknown_parameter', `"${name.slice(0, 60)}" is no parameter: ${known}`, {
    field: name,
  });
}

function shown(values: readonly string[] | undefined): string {
  return (values ?? []).map((value) => JSON.stringify(value.slice(0, 60))).join(' and ');
}

/** Refuses every parameter; for routes that take none. */
export function noParameters(req: Request): void {
  parseParameters(z.strictObject({}), queryOf(req));
}

/** The kinds of values that a parameter can have, as a source writes them: a query as texts, a JSON body as its own types. */
export interface Kinds {
  wholeNumber(min: number, max: number): z.ZodType<number>;
  decimal(min: number, max: number): z.ZodType<number>;
  shortText(max: number): z.ZodType<string>;
  oneOf<const T extends readonly [string, ...string[]]>(words: T): z.ZodType<T[number]>;
  /** At most `most` texts of 1 to `length` characters. */
  texts(most: number, length: number): z.ZodType<string[]>;
  /** An object, or its JSON text; what is in it is checked by whoever knows it. */
  object(): z.ZodType<unknown>;
}

/** One value, as text: a name that is given twice is refused rather than half of it ignored. */
export const single = (message: string) =>
  z
    .array(z.string())
    .length(1, `${message}, once`)
    .transform(([value]) => value!);

/** A whole number in decimal digits. */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return single(message).pipe(
    z
      .string()
      .regex(/^\d{1,15}$/, message)
      .transform(Number)
      .pipe(z.number().min(min, message).max(max, message)),
  );
}

/** A decimal number such as `-0.5`; no exponent, no infinity. */
export function decimal(min: number, max: number) {
  const message = `must be a number from ${min} to ${max}`;
  const decimals = /^-?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/;
  return single(message).pipe(
    z
      .string()
      .regex(decimals, message)
      .transform(Number)
      .pipe(z.number().min(min, message).max(max, message)),
  );
}

/** A text of 1 to `max` characters. */
export function shortText(max: number) {
  const message = `must have 1 to ${max} characters`;
  return single(message).pipe(z.string().min(1, message).max(max, message));
}

/** `collection`, as every route that knows collections takes it; whether there is one is seen later. */
export const collectionParameter = shortText(64).optional();

/** One of these words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  const message = `must be one of ${words.join(', ')}`;
  return single(message).pipe(z.enum(words, message));
}

function texts(most: number, length: number) {
  const one = z.string().min(1, 'must not be empty').max(length, `may have at most ${length} characters`);
  return z.array(one).max(most, `may be given at most ${most} times`);
}

/** In a query or a form. */
export const TEXT_KINDS: Kinds = {
  wholeNumber,
  decimal,
  shortText,
  oneOf,
  texts,
  object: () => shortText(16 * 1024),
};
