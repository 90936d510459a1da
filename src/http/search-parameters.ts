import { z } from 'zod';
import {
  collectionParameter,
  decimal,
  joined,
  oneOf,
  parseParameters,
  type RawParameters,
  wholeNumber,
} from './parameters.js';

/** The parameters of a search: their names, ranges and defaults. `openapi.yaml` says the same, a test compares. */

const LABELS = { most: 100, length: 256 };

/** `label`, repeatable. */
export const labels = z
  .array(
    z.string().min(1, 'must not be empty').max(LABELS.length, `may have at most ${LABELS.length} characters`),
  )
  .max(LABELS.most, `may be given at most ${LABELS.most} times`);

/** The schema for a server that returns at most `maxK` neighbours. */
export function searchParameters(maxK: number) {
  return z.object({
    collection: collectionParameter,
    k: wholeNumber(1, maxK).default(Math.min(10, maxK)),
    vote_k: wholeNumber(1, 1000).default(200),
    temperature: decimal(0.01, 10).optional(),
    min_score: decimal(-1, 1).optional(),
    label: labels.optional(),
    mode: oneOf(['auto', 'hnsw', 'exact']).default('auto'),
    ef: wholeNumber(1, 10_000).optional(),
  });
}

/** Reads the parameters of a search from the query and the form together. A name given in both is refused. */
export function readSearchParameters(schema: ReturnType<typeof searchParameters>, sources: Sources) {
  const { label, ...rest } = parseParameters(schema, joined(sources));
  return { ...withoutUndefined(rest), ...(label ? { labels: label } : {}) };
}

interface Sources {
  query: RawParameters;
  fields: RawParameters;
}

/** Absent is absent: the request type allows no `undefined`. */
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

export function withoutUndefined<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
