import { LookalikeError } from '../core/errors.js';
import { orientations } from '../core/orientations.js';
import { pictureFacts } from '../core/picture-facts.js';
import type { Database } from '../core/ports.js';
import type { NewItem } from '../core/types.js';
import type { Active } from './collections.js';
import { seekDuplicates } from './duplicates.js';
import { viewOf } from './image-view.js';
import { type KeepParts, keepThenCommit } from './keep-picture.js';
import type { Added, AddRequest, Duplicate, PutRequest, Timed } from './service.js';

/**
 * One picture into the collection: decode -> embed -> look for duplicates -> keep the file -> store -> searchable, the last
 * two in one turn. Call it within the collection's `writes.shared`.
 */
export interface AddParts extends Active, KeepParts {
  database: Pick<Database, 'addTrash' | 'sweptTrash' | 'atomically'>;
  sha256: (bytes: Uint8Array) => string;
  newId: () => string;
  /** Removes files that nobody needs; never rejects. */
  sweep: () => Promise<void>;
}

/** Adds a picture under an id that is free. */
export async function addImage(parts: AddParts, request: AddRequest, timed: Timed): Promise<Added> {
  const { store } = parts;
  const { id = parts.newId(), on_duplicate, near, onCommit, ...given } = request;
  requireFree(parts, id);
  const picture = await embedded(parts, request, timed);
  const { sha256, vectors } = picture;
  const { signal } = request;
  const duplicatesNow =
    on_duplicate === 'allow'
      ? () => []
      : await timed('search', () =>
          seekDuplicates(parts, { sha256, vectors, near, ...(signal && { signal }) }),
        );
  const there = (): Added | null => {
    const duplicates = duplicatesNow();
    if (duplicates.length === 0) return null;
    if (on_duplicate === 'reject') throw refusedDuplicate(duplicates);
    return { image: viewOf(store.itemById(duplicates[0]!.id)!, store.collection), created: false };
  };
  return (
    there() ??
    timed('store', () =>
      stored(parts, picture, () => {
        requireFree(parts, id);
        return there() ?? commit(parts, { ...given, id }, { picture, onCommit });
      }),
    )
  );
}

/** Stores a picture under this id, whether there is one or not; the time of its creation stays. */
export async function putImage(parts: AddParts, request: PutRequest, timed: Timed): Promise<Added> {
  const { store } = parts;
  const check = () => {
    const current = store.itemById(request.id);
    request.check?.(current && viewOf(current, store.collection));
  };
  check(); // what can be refused now needs no work
  const picture = await embedded(parts, { ...request, orientations: false }, timed);
  const added = await timed('store', () =>
    stored(parts, picture, () => {
      check();
      return commit(parts, request, { picture });
    }),
  );
  if (!added.created) await parts.sweep(); // the files of the one before
  return added;
}

function requireFree({ store }: AddParts, id: string): void {
  if (!store.itemById(id)) return;
  throw new LookalikeError(
    'already_exists',
    `there is a picture ${JSON.stringify(id.slice(0, 60))} already; PUT replaces it`,
    { field: 'id' },
  );
}

type Embedded = Awaited<ReturnType<typeof embedded>>;

/** The vectors of an upload: its own, and those of its other orientations when they are asked for. */
async function embedded(
  { decoder, embedder, manifest, sha256 }: AddParts,
  request: Pick<AddRequest, 'bytes' | 'signal' | 'orientations'>,
  timed: Timed,
) {
  const { bytes, signal } = request;
  const decoded = await timed('decode', () => decoder.decode(bytes, manifest.preprocess));
  signal?.throwIfAborted();
  const images = request.orientations ? orientations(decoded.image) : [decoded.image];
  const vectors = await timed('embed', () => embedder.embed(images));
  signal?.throwIfAborted();
  const vector = vectors.slice(0, embedder.dimension);
  return { bytes, sha256: sha256(bytes), facts: pictureFacts(decoded, bytes.length), vector, vectors };
}

/** Keeps the file, then commits; of a picture that was not committed in the end, nothing is left. */
async function stored(parts: AddParts, picture: Embedded, commit: () => Added): Promise<Added> {
  let kept: string | undefined;
  try {
    const added = await keepThenCommit(parts, [picture], commit);
    kept = added.image.sha256;
    return added;
  } finally {
    if (kept !== picture.sha256) await parts.sweep();
  }
}

/** The write: durable and searchable when it returns. */
function commit(
  { database, store, collection }: AddParts,
  { id, label, metadata }: Pick<PutRequest, 'id' | 'label' | 'metadata'>,
  { picture, onCommit }: { picture: Embedded; onCommit?: AddRequest['onCommit'] },
): Added {
  const { sha256, vector, facts } = picture;
  const item: NewItem = { id, label, metadata, sha256, source: null, picture: facts, vector };
  const { rows, replaced, added } = database.atomically(() => {
    const written = store.put([item]);
    database.sweptTrash([sha256]); // its file is needed from now on
    const image = viewOf(store.itemById(id)!, store.collection);
    const added = { image, created: written.replaced.length === 0 };
    onCommit?.(added);
    return { ...written, added };
  });
  collection.add(rows, [vector], [label]);
  collection.remove(replaced);
  return added;
}

function refusedDuplicate(duplicates: Duplicate[]): LookalikeError {
  const some = duplicates
    .slice(0, 3)
    .map(
      ({ id, score, same_file }) =>
        `${JSON.stringify(id)} (${same_file ? 'the same file' : score.toFixed(4)})`,
    );
  return new LookalikeError(
    'duplicate',
    `the picture is there already: ${some.join(', ')}${duplicates.length > 3 ? ', …' : ''}`,
    { field: 'image', details: { duplicates } },
  );
}
