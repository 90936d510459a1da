import { DEFAULT_COLLECTION } from '../core/collection-name.js';
import { LookalikeError } from '../core/errors.js';
import { LabelColumn } from '../core/label-column.js';
import type {
  CollectionRecord,
  Database,
  Generation,
  Generations,
  Models,
  MutableIndex,
  OpenModel,
  Store,
} from '../core/ports.js';
import { createSharedLock, type SharedLock } from '../core/shared-lock.js';
import { type Collection, openCollection, type Planning } from './collection.js';
import type { RecallWatch } from './recall-watch.js';

/** The named collections of a data folder, open: each with its model, its store and what can be searched. */

/** What answers for a collection at a moment. A switch of models replaces all of it in one step. */
export interface Active {
  store: Store;
  collection: Collection;
  generations: Generations;
  manifest: OpenModel['manifest'];
  embedder: OpenModel['embedder'];
}

export interface NamedCollection {
  readonly name: string;
  readonly createdAt: string;
  /** SHA-256 of the model that answered before the last switch, while its vectors are kept. */
  readonly previousModel: string | null;
  /** As it is now; for reading at once. What takes time goes through `using`. */
  readonly active: Active;
  /** Runs a flow with what answers now; it stays usable until the flow ends, whatever is switched meanwhile. */
  using<T>(flow: (active: Active) => Promise<T>): Promise<T>;
  /** Every write that embeds shares it, around its `using`; a switch of models takes it alone. */
  readonly writes: SharedLock;
}

/** A collection that has just been made, before it is open. */
export interface MadeCollection
  extends Pick<NamedCollection, 'name' | 'createdAt'>,
    Pick<Active, 'manifest'> {}

export interface Collections {
  /** Throws `unknown_collection`. */
  get(name: string): NamedCollection;
  /** In the order of their names. */
  list(): NamedCollection[];
  /** An empty one. Throws `invalid_parameter`, `already_exists`, `limit_reached`, and what opening the model throws. */
  create(
    name: string,
    modelSha256: string,
    onCommit?: (made: MadeCollection) => void, // in the transaction
  ): Promise<NamedCollection>;
  /** Removes it with all that is in it. The default collection stays: throws `invalid_parameter`. */
  remove(name: string): Promise<void>;
  /**
   * From now on another model answers. `generation` is of the other model's space and holds at least the rows up to
   * its mark; an item without a vector in that space is kept, but not found. Call it alone in `writes`, in the turn in
   * which it was checked that none is left out unknowingly. Done at once; resolves when the old model is closed, after
   * the last flow that uses it.
   */
  switchTo(
    name: string,
    next: { model: OpenModel; store: Store; generation: Generation | null },
  ): Promise<void>;
  /** Removes the space of a model that does not answer, page by page, and its files; nothing when there is none. */
  forget(name: string, modelSha256: string, yieldToRequests: () => Promise<void>): Promise<void>;
  /** What a space is searched with; for building a space that does not answer yet. */
  generationsOf(store: Store): Generations;
  close(): Promise<void>;
}

export interface CollectionsParts {
  database: Database;
  models: Models;
  newFresh: (dimension: number) => MutableIndex;
  /** Measures the recall of every collection's graph; not measured when absent. */
  recallWatch?: RecallWatch;
  planning?: Planning;
  generationsOf: (store: Store) => Generations;
  onSetAside: (collection: string, generation: number, reason: string) => void;
  /** Deletes the derived files of a space. */
  forgetSpace: (space: number) => Promise<void>;
  yieldToRequests: () => Promise<void>;
}

/** Who answers, the model that has to be let go when it no longer does, and the flows that still use it. */
interface State {
  active: Active;
  model: OpenModel;
  flows: Set<Promise<unknown>>;
}

/** Rows whose vectors are removed in one go: what is between two goes are requests. */
const PAGE = 2000;

interface Held extends NamedCollection {
  state: State;
}

/** Each has workers of its own. */
const MOST = 100;

/** Opens every collection of the database; what was opened is closed again when one cannot be. */
export async function openCollections(parts: CollectionsParts): Promise<Collections> {
  const held = new Map<string, Held>();
  const close = async () => {
    for (const { state } of held.values()) await closeState(state);
    held.clear();
  };
  const add = async (record: CollectionRecord) => {
    const one = await openOne(parts, record);
    held.set(record.name, one);
    return one;
  };
  const get = (name: string) => held.get(name) ?? missing(parts.database, name);
  try {
    for (const record of parts.database.collections()) await add(record);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get,
    list: () => [...held.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async create(name, modelSha256, onCommit) {
      if (held.size >= MOST)
        throw new LookalikeError('limit_reached', `there are ${MOST} collections, as many as there may be`);
      const { manifest, release } = await parts.models.open(modelSha256);
      try {
        const identity = { model_sha256: modelSha256, dimension: manifest.dimension };
        const record = parts.database.atomically(() => {
          parts.database.createCollection(name, identity);
          const made = parts.database.collections().find((one) => one.name === name)!;
          onCommit?.({ name, createdAt: made.created_at, manifest });
          return made;
        });
        return await add(record);
      } finally {
        await release();
      }
    },
    async remove(name) {
      const one = get(name);
      if (name === DEFAULT_COLLECTION)
        throw new LookalikeError(
          'invalid_parameter',
          `the collection "${name}" cannot be removed, only emptied`,
          {
            field: 'collection',
          },
        );
      await one.writes.alone(async () => {
        const spaces = parts.database.spaces(name);
        held.delete(name);
        await closeState(one.state); // searches and jobs that are under way end first
        parts.database.removeCollection(name);
        for (const { space } of spaces) await parts.forgetSpace(space);
      });
    },
    async switchTo(name, { model, store, generation }) {
      const one = get(name);
      const old = one.state;
      const labels = old.active.collection.allLabels();
      const { newFresh, recallWatch, planning } = parts;
      const collection = openCollection(store, { newFresh, generation, labels, recallWatch, planning });
      parts.database.switchSpace(name, model.manifest.sha256);
      const { manifest, embedder } = model;
      const active = { store, collection, generations: parts.generationsOf(store), manifest, embedder };
      one.state = { active, model, flows: new Set() };
      await closeState(old);
    },
    async forget(name, modelSha256, yieldToRequests) {
      const there = parts.database.spaces(name).find(({ model_sha256 }) => model_sha256 === modelSha256);
      if (!there) return;
      await parts.forgetSpace(there.space); // first: files of a space that is gone would never be found again
      const last = parts.database.store(name).highWaterMark();
      for (let above = 0; above < last; above += PAGE) {
        parts.database.removeVectors(name, modelSha256, { above, upTo: above + PAGE });
        await yieldToRequests();
      }
      parts.database.removeSpace(name, modelSha256);
    },
    generationsOf: parts.generationsOf,
    close,
  };
}

async function openOne(parts: CollectionsParts, record: CollectionRecord): Promise<Held> {
  const { name } = record;
  const { newFresh, recallWatch, planning, yieldToRequests } = parts;
  const store = parts.database.store(name);
  const generations = parts.generationsOf(store);
  const setAside = (number: number, reason: string) => parts.onSetAside(name, number, reason);
  // Other threads read the encoder and the generation while this one reads the labels.
  const opening = [
    parts.models.open(record.model_sha256),
    generations.openNewest(setAside),
    readLabels(store, yieldToRequests),
  ] as const;
  try {
    const [model, generation, labels] = await Promise.all(opening);
    const collection = openCollection(store, { newFresh, generation, labels, recallWatch, planning });
    const { manifest, embedder } = model;
    const active = { store, collection, generations, manifest, embedder };
    return hold(parts.database, record, { active, model, flows: new Set() });
  } catch (error) {
    const [model, generation] = await Promise.allSettled(opening);
    if (model.status === 'fulfilled') await model.value.release();
    if (generation.status === 'fulfilled') await generation.value?.close();
    throw error;
  }
}

/** Label by label; of a collection that is not open yet, so nothing is written meanwhile. */
async function readLabels(store: Store, yieldToRequests: () => Promise<void>): Promise<LabelColumn> {
  const labels = new LabelColumn();
  for (const { label, rows } of store.rowsByLabel()) {
    labels.setAll(rows, label);
    await yieldToRequests();
  }
  return labels;
}

function hold(database: Database, { name, created_at }: CollectionRecord, state: State): Held {
  return {
    name,
    createdAt: created_at,
    state,
    writes: createSharedLock(),
    get previousModel() {
      return database.collections().find((record) => record.name === name)?.previous_model ?? null;
    },
    get active() {
      return this.state.active;
    },
    using(flow) {
      const { active, flows } = this.state;
      const running = flow(active);
      const settled = running.then(
        () => undefined,
        () => undefined,
      );
      flows.add(settled);
      void settled.then(() => flows.delete(settled));
      return running;
    },
  };
}

/** Once nothing uses it any more. */
async function closeState({ active, model, flows }: State): Promise<void> {
  await Promise.all(flows);
  await active.collection.close();
  await model.release();
}

/** The database words the refusal; a name that it knows but that is not open here is being made or removed. */
function missing(database: Database, name: string): never {
  database.store(name);
  throw new LookalikeError('not_ready', `the collection "${name}" is being opened or removed`);
}
