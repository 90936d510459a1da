import { LookalikeError } from './errors.js';

/** The collection that is meant when none is named. */
export const DEFAULT_COLLECTION = 'default';

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Refuses a name that is not 1 to 64 of a-z, 0-9, `-` and `_`: it stands in paths, metrics and commands. */
export function checkCollectionName(name: string): void {
  if (NAME.test(name)) return;
  throw new LookalikeError(
    'invalid_parameter',
    `a collection's name has 1 to 64 of a-z, 0-9, - and _, the first a letter or digit, got ${JSON.stringify(name.slice(0, 70))}`,
    { field: 'collection' },
  );
}
