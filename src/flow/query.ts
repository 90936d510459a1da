import { LookalikeError } from '../core/errors.js';
import type { Store } from '../core/ports.js';
import { rocchio } from '../core/relevance-feedback.js';
import { type Settled, settled, unwrap } from '../core/settled.js';
import { UNIT_TOLERANCE } from '../core/vector.js';
import { type EmbeddedPicture, type EmbedParts, embedPictures, type Run } from './embed.js';
import type { Example, Query, QueryFacts } from './service.js';

/** What is asked for, as one direction to search in. */
export interface Direction {
  vector: Float32Array; // unit length
  leftOut: readonly number[]; // rows that the query names: they are no answer to it
  about: QueryFacts;
}

export interface QueryParts extends EmbedParts {
  store: Store;
  sha256: (bytes: Uint8Array) => string;
}

/**
 * One direction a query, in their order; what is wrong with one refuses it alone. `beta` weighs negative examples.
 * Throws by query: what the decoder throws, `not_found` (an id), `invalid_parameter` (a vector, examples that cancel out).
 */
export async function makeDirections(
  parts: QueryParts,
  { queries, beta }: { queries: readonly Settled<Query>[]; beta: number },
  run: Run,
): Promise<Settled<Direction>[]> {
  const pictures = queries.flatMap(picturesOf);
  // Files are looked up while the first of them are decoded, on other threads.
  const [embedded, files] = await Promise.all([embedPictures(parts, pictures, run), lookUp(parts, pictures)]);
  const pictureOf = new Map(pictures.map((bytes, i) => [bytes, { embedded: embedded[i]!, file: files[i]! }]));
  return Promise.all(
    queries.map((query) => settled(() => direction({ ...parts, pictureOf, beta }, unwrap(query)))),
  );
}

type KnownFile = Pick<QueryFacts & { kind: 'image' }, 'sha256' | 'duplicate_of'>;

/** The hash of each file, and the items that are the same file. */
async function lookUp(
  { sha256, store }: QueryParts,
  pictures: readonly Uint8Array[],
): Promise<readonly KnownFile[]> {
  return pictures.map((bytes) => {
    const hash = sha256(bytes);
    return { sha256: hash, duplicate_of: store.itemsBySha256(hash).map(({ id }) => id) };
  });
}

/** The pictures that a query holds. */
export function picturesOf(query: Settled<Query>): Uint8Array[] {
  if (query instanceof LookalikeError) return [];
  if (query.kind === 'image') return [query.bytes];
  return query.kind === 'examples' ? [...query.positive, ...query.negative].flatMap(picturesOf) : [];
}

interface DirectionParts extends QueryParts {
  pictureOf: ReadonlyMap<Uint8Array, { embedded: Settled<EmbeddedPicture>; file: KnownFile }>;
  beta: number;
}

function direction(parts: DirectionParts, query: Query): Direction {
  switch (query.kind) {
    case 'image':
      return fromPicture(parts, query.bytes);
    case 'id': {
      const { vector, row } = stored(parts.store, query.id);
      return { vector, leftOut: [row], about: { kind: 'id', id: query.id } };
    }
    case 'vector':
      return { vector: checked(query.vector, parts.store), leftOut: [], about: { kind: 'vector' } };
    case 'examples':
      return fromExamples(parts, query);
  }
}

function fromPicture({ pictureOf }: DirectionParts, bytes: Uint8Array): Direction {
  const { embedded, file } = pictureOf.get(bytes)!;
  const { vector, sourceWidth: width, sourceHeight: height, format } = unwrap(embedded);
  const picture = { width, height, format, bytes: bytes.length };
  return { vector, leftOut: [], about: { kind: 'image', ...picture, ...file } };
}

function fromExamples(parts: DirectionParts, query: Query & { kind: 'examples' }): Direction {
  const one = (side: 'positive' | 'negative') => (example: Example, i: number) =>
    named(`examples.${side}[${i}]`, () => direction(parts, example));
  const positive = query.positive.map(one('positive'));
  const negative = query.negative.map(one('negative'));
  const vectors = (side: Direction[]) => side.map(({ vector }) => vector);
  return {
    vector: rocchio(vectors(positive), vectors(negative), parts.beta),
    leftOut: [...positive, ...negative].flatMap(({ leftOut }) => leftOut),
    about: { kind: 'examples', positive: positive.length, negative: negative.length, beta: parts.beta },
  };
}

/** A refusal of an example says which one it is. */
function named<T>(example: string, step: () => T): T {
  try {
    return step();
  } catch (thrown) {
    if (!(thrown instanceof LookalikeError)) throw thrown;
    const field = `${example}.${thrown.field ?? 'image'}`;
    throw new LookalikeError(thrown.code, `${example}: ${thrown.message}`, { field, cause: thrown });
  }
}

function stored(store: Store, id: string): { vector: Float32Array; row: number } {
  const row = store.itemById(id)?.row;
  const vector = row === undefined ? undefined : store.vector(row);
  if (row !== undefined && vector) return { vector, row };
  const collection = JSON.stringify(store.collection);
  throw new LookalikeError(
    'not_found',
    `there is no picture ${JSON.stringify(id)} in the collection ${collection}`,
    {
      field: 'id',
    },
  );
}

function checked(vector: Float32Array, { identity }: Store): Float32Array {
  const refused = (what: string) => new LookalikeError('invalid_parameter', what, { field: 'vector' });
  if (vector.length !== identity.dimension)
    throw refused(`vector must have ${identity.dimension} numbers, got ${vector.length}`);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (Math.abs(length - 1) <= UNIT_TOLERANCE) return vector;
  throw refused(
    `vector must have the length 1 within ${UNIT_TOLERANCE}, got ${Number(length.toPrecision(7))}`,
  );
}
