/** What of an item's metadata can be filtered by: every string, number and boolean in it, under its dotted path. */

export type Scalar = string | number | boolean;

export interface Facet {
  path: string; // the keys on the way to the value, joined by dots: `camera.maker`
  value: Scalar;
}

/** A filter's strings and paths have at most this many characters (UTF-16 units). */
export const MOST_CHARACTERS = { path: 128, text: 256 };

/**
 * The facets of metadata that `checkMetadata` let through, each once. The elements of a list stand under the path of
 * the list, objects in it too: `{boxes: [{of: 'cat'}, {of: 'dog'}]}` has `boxes.of` twice. null counts as absent.
 * A long string comes as its beginning, see `indexed`.
 */
export function facetsOf(metadata: Record<string, unknown>): Facet[] {
  const found = new Map<string, Facet>();
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const element of value) visit(element, path);
    else if (isObject(value))
      for (const [key, inner] of Object.entries(value)) visit(inner, path === '' ? key : `${path}.${key}`);
    else if (isScalar(value)) {
      const facet = { path, value: indexed(value) };
      found.set(JSON.stringify([path, facet.value]), facet);
    }
  };
  visit(metadata, '');
  return [...found.values()];
}

/**
 * A string that is longer than any in a filter is cut to just longer than that: no comparison with a filter's
 * string can tell, and a caption of 10 KiB does not go into an index.
 */
function indexed(value: Scalar): Scalar {
  if (typeof value !== 'string' || value.length <= MOST_CHARACTERS.text) return value;
  // One unit more than needed, so that half a surrogate pair at the end can go.
  return value.slice(0, MOST_CHARACTERS.text + 2).replace(/[\ud800-\udbff]$/, '');
}

/** The scalars at a dotted path, whole, as often as they are there. */
export function valuesAt(metadata: Record<string, unknown>, path: string): Scalar[] {
  let reached: unknown[] = [metadata];
  for (const key of path.split('.'))
    reached = reached
      .flatMap(elementsOf)
      .flatMap((value) => (isObject(value) && Object.hasOwn(value, key) ? [value[key]] : []));
  return reached.flatMap(elementsOf).filter(isScalar);
}

const elementsOf = (value: unknown): unknown[] =>
  Array.isArray(value) ? value.flatMap(elementsOf) : [value];

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** Half a surrogate pair has no UTF-8: a database would store and compare another string. */
export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** A value for a refusal: short, and without a look into lists and objects, which may be large or deep. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  return value !== null && typeof value === 'object' ? 'an object' : String(value);
}
