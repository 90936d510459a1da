import { z } from 'zod';
import { LookalikeError } from '../core/errors.js';
import { parseMetadata } from '../core/metadata.js';
import { ITEM_ORDERS, type ItemPlace } from '../core/ports.js';
import { checkId } from '../core/vector.js';
import { ON_DUPLICATE } from '../flow/service.js';
import {
  collectionParameter,
  decimal,
  joined,
  oneOf,
  parseParameters,
  type RawParameters,
  shortText,
  single,
  TEXT_KINDS,
  wholeNumber,
} from './parameters.js';
import { labels, withoutUndefined } from './search-parameters.js';

/** The parameters of pictures: names, ranges and defaults. `openapi.yaml` says the same, a test compares. */

/** Characters of a label. */
export const LABEL_LENGTH = 256;

/**
 * Cosine from which a picture counts as the same one. docs/decisions/0016-near-duplicates.md has what was measured.
 */
export const NEAR = 0.95;

const metadata = single('must be given').transform((text) => parseMetadata(text));
const flag = oneOf(['true', 'false']).transform((word) => word === 'true');

export const putParameters = z.object({
  collection: collectionParameter,
  label: shortText(LABEL_LENGTH).optional(),
  metadata: metadata.optional(),
});

export const addParameters = putParameters.extend({
  id: single('must be given').transform(imageId).optional(),
  on_duplicate: oneOf(ON_DUPLICATE).default('allow'),
  near: decimal(0, 1).default(NEAR),
  orientations: flag.default(false),
});

export const listParameters = z.object({
  collection: collectionParameter,
  limit: wholeNumber(1, 500).default(100),
  order: oneOf(ITEM_ORDERS).default('id'),
  cursor: shortText(2000).optional(),
  label: labels.optional(),
  where: TEXT_KINDS.object().optional(),
  sha256: single('must be a SHA-256 in hex')
    .pipe(z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be a SHA-256 in hex'))
    .transform((hex) => hex.toLowerCase())
    .optional(),
});

export const collectionOnly = z.object({ collection: collectionParameter });

/** Reads the parameters of a write from the query and the form together. */
export function readWriteParameters<T extends z.ZodRawShape>(
  schema: z.ZodObject<T>,
  sources: { query: RawParameters; fields: RawParameters },
) {
  return withoutUndefined(parseParameters(schema, joined(sources)));
}

/** An id that may stand in a path; clients take a lone dot or two for steps of the path. Throws `invalid_parameter`. */
export function imageId(id: string): string {
  checkId(id);
  if (id !== '.' && id !== '..') return id;
  throw new LookalikeError('invalid_parameter', `an id may not be "." or "..", got ${JSON.stringify(id)}`, {
    field: 'id',
  });
}

const cursor = z.tuple([z.enum(ITEM_ORDERS), z.string(), z.string()]);

/** Where a page ended, for the caller to hand back as it is. */
export const cursorOf = (order: string, { created_at, id }: ItemPlace): string =>
  Buffer.from(JSON.stringify([order, created_at, id])).toString('base64url');

/** Throws `invalid_parameter` for a cursor that is none of ours, or of a list in another order. */
export function placeOf(text: string, order: string): ItemPlace {
  const [of, created_at, id] = parsedCursor(text);
  if (of === order) return { created_at, id };
  throw new LookalikeError('invalid_parameter', `the cursor is of a list in the order ${of}, not ${order}`, {
    field: 'cursor',
  });
}

function parsedCursor(text: string) {
  try {
    return cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new LookalikeError(
      'invalid_parameter',
      `the cursor must be one that a list gave, got ${JSON.stringify(text.slice(0, 60))}`,
      { field: 'cursor', cause },
    );
  }
}
