import { LookalikeError } from './errors.js';
import type { SearchOptions } from './ports.js';
import { RowSet } from './row-set.js';
import { checkUnitRows } from './vector.js';

/** What every index refuses before it searches, in one place so that all refuse alike. */
export interface SearchInput {
  queries: Float32Array;
  n: number;
  dimension: number;
}

/**
 * Throws `invalid_parameter` (n, k, ef), `invalid_vector` (queries that are not n finite unit vectors)
 * or `aborted`.
 */
export function checkSearch({ queries, n, dimension }: SearchInput, options: SearchOptions): void {
  if (!Number.isInteger(n) || n < 0)
    throw new LookalikeError('invalid_parameter', `n is ${n}, a whole number from 0 is required`, {
      field: 'n',
    });
  checkCount('k', options.k);
  if (options.ef !== undefined) checkCount('ef', options.ef);
  checkUnitRows(queries, n, dimension);
  if (options.signal?.aborted) throw abortedError();
}

function checkCount(field: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new LookalikeError('invalid_parameter', `${field} is ${value}, a whole number from 1 is required`, {
      field,
    });
}

export const abortedError = () =>
  new LookalikeError('aborted', 'the caller gave up before the answer was there');
export const closedError = (what: string) => new LookalikeError('not_ready', `the ${what} is closed`);

/** The members of `allowed` that are positions of an index of this many rows; undefined when all are allowed. */
export function allowedPositions(
  allowed: ReadonlySet<number> | undefined,
  rows: number,
): Int32Array | undefined {
  if (!allowed) return undefined;
  if (allowed instanceof RowSet) return allowed.toArray(rows);
  const positions = new Int32Array(allowed.size);
  let count = 0;
  for (const row of allowed) if (row >= 0 && row < rows) positions[count++] = row;
  return positions.slice(0, count);
}
