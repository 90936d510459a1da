import { LookalikeError } from './errors.js';
import { facetsOf, isObject, isWellFormed, MOST_CHARACTERS, shown } from './facets.js';

/** What an item may carry besides its label. Facets are what filters compare (core/facets.ts). */
export const METADATA_LIMITS = { bytes: 16 * 1024, depth: 8, keyCharacters: 128, facets: 64 };

const encoder = new TextEncoder();

/** Metadata as JSON text, from a form. Throws as `checkMetadata` does. */
export function parseMetadata(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused(`must be a JSON object such as {"colour":"red"}, got ${shown(text)}`, cause);
  }
  return checkMetadata(value);
}

/**
 * Checks that `value` is a JSON object of at most 16 KiB as UTF-8 JSON, nested at most 8 deep (itself being the
 * first), with keys of 1 to 128 characters without a dot (a dot in a filter's path goes one object deeper), finite
 * numbers, and at most 64 facets whose paths have at most 128 characters. Returns it as it came.
 * Throws `invalid_parameter` with the field `metadata`.
 */
export function checkMetadata(value: unknown): Record<string, unknown> {
  if (!isPlainObject(value)) throw refused(`must be a JSON object, got ${shown(value)}`);
  checkBytes(value); // first: it bounds the work of all that follows
  checkValue(value, [], METADATA_LIMITS.depth);
  checkFacets(value);
  return value;
}

function checkBytes(value: object): void {
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw refused('is no JSON: it holds itself, is nested too deep, or has a value that JSON lacks', cause);
  }
  const bytes = json.length > METADATA_LIMITS.bytes ? json.length : encoder.encode(json).length;
  if (bytes > METADATA_LIMITS.bytes)
    throw refused(`has ${bytes} bytes or more as JSON, at most ${METADATA_LIMITS.bytes} are allowed`);
}

/** `keys` lead to the value, `depth` is how many levels it may have. */
function checkValue(value: unknown, keys: readonly string[], depth: number): void {
  if (typeof value === 'number') checkNumber(value, keys);
  else if (typeof value === 'string') checkText(value, keys);
  else if (value !== null && typeof value !== 'boolean') checkNested(value, keys, depth);
}

function checkNumber(value: number, keys: readonly string[]): void {
  if (!Number.isFinite(value)) throw refusedAt(keys, `must be a finite number, got ${value}`);
}

function checkText(value: string, keys: readonly string[]): void {
  if (!isWellFormed(value)) throw refusedAt(keys, 'has half a surrogate pair: the text is not valid Unicode');
}

function checkNested(value: unknown, keys: readonly string[], depth: number): void {
  if (depth === 0) throw refusedAt(keys, `lies deeper than ${METADATA_LIMITS.depth} levels`);
  if (Array.isArray(value)) for (const element of value) checkValue(element, keys, depth - 1);
  else if (isPlainObject(value))
    for (const [key, inner] of Object.entries(value)) {
      checkKey(key, keys);
      checkValue(inner, [...keys, key], depth - 1);
    }
  else throw refusedAt(keys, `must be a JSON value, got ${shown(value)}`);
}

function checkKey(key: string, keys: readonly string[]): void {
  const most = METADATA_LIMITS.keyCharacters;
  if (key.length < 1 || key.length > most)
    throw refusedAt(keys, `has a key of ${key.length} characters, 1 to ${most} are allowed`);
  if (key.includes('.'))
    throw refusedAt(keys, `has the key ${shown(key)}: a key has no dot, nest objects instead`);
  if (key === '__proto__') throw refusedAt(keys, 'has the key "__proto__", which is not allowed');
  if (!isWellFormed(key)) throw refusedAt(keys, 'has a key with half a surrogate pair');
}

function checkFacets(metadata: Record<string, unknown>): void {
  const facets = facetsOf(metadata);
  if (facets.length > METADATA_LIMITS.facets)
    throw refused(
      `has ${facets.length} different values, at most ${METADATA_LIMITS.facets} are allowed; each element of a list counts`,
    );
  for (const { path } of facets)
    if (path.length > MOST_CHARACTERS.path)
      throw refusedAt(
        [path],
        `lies under ${path.length} characters, at most ${MOST_CHARACTERS.path} are allowed`,
      );
}

/** Made by JSON or by hand; a Date or a Map is something else. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

const refused = (message: string, cause?: unknown) =>
  new LookalikeError('invalid_parameter', `metadata ${message}`, { field: 'metadata', cause });

const refusedAt = (keys: readonly string[], message: string) =>
  refused(keys.length === 0 ? message : `at ${shown(keys.join('.'))} ${message}`);
