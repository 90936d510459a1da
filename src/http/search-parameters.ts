import { z } from 'zod';
import { DEFAULT_BETA } from '../core/relevance-feedback.js';
import { parseWhere } from '../core/where.js';
import type { SearchOptions } from '../flow/service.js';
import {
  joined,
  type Kinds,
  parseParameters,
  type RawParameters,
  refuseTwice,
  TEXT_KINDS,
} from './parameters.js';

/** The parameters of a search: their names, ranges and defaults. `openapi.yaml` says the same, a test compares. */

const LABELS = { most: 100, length: 256 };

/** `label`, repeatable. */
export const labels = TEXT_KINDS.texts(LABELS.most, LABELS.length);

/** Their shape for a server that returns at most `maxK` neighbours, as this kind of source writes them. */
export function searchShape(kinds: Kinds, maxK: number) {
  return {
    collection: kinds.shortText(64).optional(),
    k: kinds.wholeNumber(1, maxK).optional(),
    vote_k: kinds.wholeNumber(1, 1000).optional(),
    temperature: kinds.decimal(0.01, 10).optional(),
    min_score: kinds.decimal(-1, 1).optional(),
    label: kinds.texts(LABELS.most, LABELS.length).optional(),
    where: kinds.object().optional(),
    mode: kinds.oneOf(['auto', 'hnsw', 'exact']).optional(),
    ef: kinds.wholeNumber(1, 10_000).optional(),
    beta: kinds.decimal(0, 1).optional(),
  };
}

/** What was given of them. */
export type SearchParameters = z.output<z.ZodObject<ReturnType<typeof searchShape>>>;

/** The schema of the query and of form fields. */
export const searchParameters = (maxK: number) => z.object(searchShape(TEXT_KINDS, maxK));

export interface ParameterReader {
  /** Refuses what is wrong in the query alone, before a body is read. */
  check(query: RawParameters): void;
  /** The options of a search, from the query and the form together. */
  withForm(query: RawParameters, fields: RawParameters): SearchOptions;
  /** The options of a search, from the query and what a JSON body gave beside it. */
  withBody(query: RawParameters, given: SearchParameters): SearchOptions;
}

/**
 * Every way of reading throws `unknown_parameter` and `invalid_parameter`, the latter also for a name that is given in
 * two places: neither is taken silently.
 */
export function createParameterReader(maxK: number): ParameterReader {
  const schema = searchParameters(maxK);
  return {
    check: (query) => void options(parseParameters(schema, query), maxK),
    withForm(query, fields) {
      return options(parseParameters(schema, joined({ query, fields })), maxK);
    },
    withBody(query, given) {
      const named = withoutUndefined(given);
      refuseTwice(query, Object.keys(named), 'body');
      return options({ ...parseParameters(schema, query), ...named }, maxK);
    },
  };
}

/** What was given, and defaults for the rest. */
function options({ label, where, ...given }: SearchParameters, maxK: number): SearchOptions {
  return {
    k: Math.min(10, maxK),
    vote_k: 200,
    mode: 'auto',
    beta: DEFAULT_BETA,
    ...withoutUndefined(given),
    ...(label && { labels: label }),
    ...(where !== undefined && { where: parseWhere(where) }),
  };
}

/** Absent is absent: the request type allows no `undefined`. */
type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

export function withoutUndefined<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
