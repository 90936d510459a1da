import { basename } from 'node:path';
import { LookalikeError } from '../core/errors.js';
import { type Place, peek } from './model-entries.js';

/** Which model is meant. Only manifests are read for that, not the encoders. */

/** A place with what it says of itself. */
export interface Placed extends Place {
  sha256: string;
  name: string | null; // null when its manifest cannot be read
}

export async function identify(place: Place): Promise<Placed> {
  const manifest = await peek(place);
  const sha256 = place.removable ? basename(place.folder) : (manifest?.sha256 ?? '');
  return { ...place, sha256, name: manifest?.name ?? null };
}

/**
 * The place that `which` means: a whole SHA-256, a name, or the beginning of one SHA-256 (4 digits or more), in this
 * order. Throws `not_found`, or `invalid_parameter` when several begin so.
 */
export function chosen(which: string, placed: readonly Placed[]): Placed {
  const exact = placed.find(({ sha256 }) => sha256 === which) ?? placed.find(({ name }) => name === which);
  if (exact) return exact;
  const matching = /^[0-9a-f]{4,}$/.test(which)
    ? placed.filter(({ sha256 }) => sha256.startsWith(which))
    : [];
  if (matching.length === 1) return matching[0]!;
  const listed = (some: readonly Placed[]) =>
    some.map(({ sha256, name }) => `${name ?? 'damaged'} (${sha256.slice(0, 12)})`).join(', ');
  if (matching.length > 1)
    throw new LookalikeError('invalid_parameter', `"${which}" can mean ${listed(matching)}`, {
      field: 'model',
    });
  throw new LookalikeError(
    'not_found',
    `there is no model "${which.slice(0, 100)}"; known are ${listed(placed)}`,
    {
      field: 'model',
    },
  );
}
