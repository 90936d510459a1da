/** The collection against a plain scan: whatever is added, removed and rebuilt, searches see exactly what is there. */
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFlatIndex } from '../../../src/core/flat-index.js';
import type { Database, Generation, Store } from '../../../src/core/ports.js';
import type { NewItem, SearchMode } from '../../../src/core/types.js';
import { canonicalScore, compareIds } from '../../../src/core/vector.js';
import { type Collection, openCollection } from '../../../src/flow/collection.js';
import { createRecallWatch } from '../../../src/flow/recall-watch.js';
import { openDefault } from '../../fixtures/database.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const DIMENSION = 4;
const IDENTITY = { model_sha256: 'ab'.repeat(32), dimension: DIMENSION };
/** Few directions, so that many rows tie. */
const DIRECTIONS = [
  [1, 0, 0, 0],
  [-1, 0, 0, 0],
  [0.6, 0.8, 0, 0],
  [0.5, 0.5, 0.5, 0.5],
].map((values) => Float32Array.from(values));
const IDS = ['a', 'b', 'ab', 'é', '\uffff', '𝄞', 'z', '0'];
const LABELS = ['x', 'y', null];

let database: Database;
let store: Store;
let collection: Collection;
let closed: number[]; // numbers of the generations that were closed

/** A generation over what the store holds now, with plain exact indexes. */
function flatGeneration(number: number): Generation {
  const stored = store.vectorsInIdOrder(null, 1000);
  const index = () => {
    const flat = createFlatIndex(DIMENSION);
    stored.forEach(({ vector }, position) => {
      flat.add(Int32Array.of(position), vector);
    });
    return flat;
  };
  const [graph, exact] = [index(), index()];
  return {
    number,
    mark: store.highWaterMark(),
    createdAt: '2026-01-01T00:00:00.000Z',
    parameters: {},
    rows: Int32Array.from(stored, ({ row }) => row),
    graph,
    exact,
    async close() {
      closed.push(number);
      await Promise.all([graph.close(), exact.close()]);
    },
  };
}

const item = (id: string, direction: number, label: string | null = null): NewItem => ({
  id,
  label,
  sha256: 'cd'.repeat(32),
  source: null,
  metadata: {},
  vector: DIRECTIONS[direction]!,
});

function put(...items: NewItem[]): void {
  const { rows, replaced } = store.put(items);
  collection.add(
    rows,
    items.map(({ vector }) => vector),
    items.map(({ label }) => label),
  );
  collection.remove(replaced);
}

/** Ids and scores of the best k, by looking at everything. */
function scan(query: Float32Array, k: number, label?: string) {
  return store
    .vectorsInIdOrder(null, 1000)
    .filter(({ row }) => label === undefined || store.itemByRow(row)!.label === label)
    .map(({ id, vector }) => ({ id, score: canonicalScore(query, 0, vector, 0, DIMENSION) }))
    .sort((a, b) => b.score - a.score || compareIds(a.id, b.id))
    .slice(0, k);
}

async function search(query: Float32Array, k: number, given: { label?: string; mode?: SearchMode } = {}) {
  const { label, mode = 'auto' } = given;
  const allowed = label === undefined ? {} : { allowed: collection.labels.rowsWith([label]) };
  const { hits } = await collection.search(query, { k, mode, ...allowed });
  return hits.map(({ row, score }) => ({ id: store.itemByRow(row)!.id, score }));
}

async function open(): Promise<void> {
  ({ database, store } = openDefault(join(await tempFolder(), 'x.db'), IDENTITY));
  collection = openCollection(store, { newFresh: createFlatIndex, generation: null });
  closed = [];
}
beforeEach(open);
afterEach(async () => {
  await collection.close();
  database.close();
});

describe('a collection', () => {
  it('finds what was added at once, and what was removed never again', async () => {
    put(item('a', 0), item('b', 2));
    expect((await search(DIRECTIONS[0]!, 5)).map(({ id }) => id)).toEqual(['a', 'b']);
    await collection.adopt(flatGeneration(1));
    collection.remove(store.remove(['a']));
    put(item('c', 0));
    expect((await search(DIRECTIONS[0]!, 5)).map(({ id }) => id)).toEqual(['c', 'b']);
    expect([collection.size, collection.freshRows, collection.removedRows]).toEqual([2, 1, 1]);
  });

  it('puts ties in the order of the ids, across the generation and the fresh rows, at every cut', async () => {
    put(...['b', 'd', '𝄞'].map((id) => item(id, 0)));
    await collection.adopt(flatGeneration(1));
    put(...['a', 'c', '\uffff', 'e'].map((id) => item(id, 0)));
    const order = ['a', 'b', 'c', 'd', 'e', '\uffff', '𝄞'];
    for (let k = 1; k <= 8; k++)
      expect((await search(DIRECTIONS[0]!, k)).map(({ id }) => id)).toEqual(order.slice(0, k));
  });

  it('returns k rows even when the nearest of the generation are gone', async () => {
    put(...['a', 'b', 'c'].map((id) => item(id, 0)), item('far', 3));
    await collection.adopt(flatGeneration(1));
    collection.remove(store.remove(['a', 'b', 'c']));
    expect((await search(DIRECTIONS[0]!, 1)).map(({ id }) => id)).toEqual(['far']);
  });

  it('says what answered, and refuses the graph while there is none', async () => {
    put(item('a', 0, 'x'));
    const ask = (mode: SearchMode) => collection.search(DIRECTIONS[0]!, { k: 1, mode });
    expect(await ask('auto')).toMatchObject({ mode: 'exact', exact: true, generation: 0 });
    await refusal('not_ready', () => ask('hnsw'));
    await collection.adopt(flatGeneration(3));
    expect(await ask('hnsw')).toMatchObject({ mode: 'hnsw', generation: 3 });
    expect(await ask('exact')).toMatchObject({ mode: 'exact', exact: true, generation: 3 });
  });

  it('lets searches end on the generation they began with, then closes it', async () => {
    put(...IDS.map((id, i) => item(id, i % 4)));
    await collection.adopt(flatGeneration(1));
    const running = Promise.all(Array.from({ length: 20 }, () => search(DIRECTIONS[2]!, 8)));
    const adopted = collection.adopt(flatGeneration(2));
    expect(closed).toEqual([]);
    for (const found of await running) expect(found).toEqual(scan(DIRECTIONS[2]!, 8));
    await adopted;
    expect(closed).toEqual([1]);
    expect(await search(DIRECTIONS[2]!, 8)).toEqual(scan(DIRECTIONS[2]!, 8));
  });

  it('measures the recall of the graph that answers, and begins anew with another', async () => {
    let now = 0;
    const recallWatch = createRecallWatch({
      share: 1,
      random: () => 0,
      now: () => (now += 1000),
      moment: async () => {},
    });
    put(...IDS.map((id, i) => item(id, i % 4)));
    const watched = openCollection(store, {
      newFresh: createFlatIndex,
      generation: flatGeneration(1),
      recallWatch,
    });
    const sampled = async (samples: number) => {
      await watched.search(DIRECTIONS[0]!, { k: 3, mode: 'auto' });
      while (watched.recall.samples < samples) await new Promise((resolve) => setImmediate(resolve));
    };
    expect(watched.recall).toEqual({ ratio: null, samples: 0 });
    await sampled(1);
    await sampled(2);
    expect(watched.recall).toEqual({ ratio: 1, samples: 2 }); // this graph reads every row
    await watched.adopt(flatGeneration(2));
    expect(watched.recall).toEqual({ ratio: null, samples: 0 });
    await sampled(1);
    await recallWatch.close();
    await watched.close();
    expect(closed).toEqual([1, 2]);
  });

  it('reopens as it was: fresh rows, removed rows and labels come from the store', async () => {
    put(item('a', 0, 'x'), item('b', 0, 'y'));
    const generation = flatGeneration(1);
    put(item('c', 0, 'x'));
    store.remove(['a']);
    collection = openCollection(store, { newFresh: createFlatIndex, generation });
    expect([collection.size, collection.freshRows, collection.removedRows]).toEqual([2, 1, 1]);
    expect(collection.labels.counts()).toEqual(
      new Map([
        ['y', 1],
        ['x', 1],
      ]),
    );
    expect((await search(DIRECTIONS[0]!, 5)).map(({ id }) => id)).toEqual(['b', 'c']);
  });
});

type Step =
  | { do: 'put'; items: { id: string; direction: number; label: string | null }[] }
  | { do: 'remove'; ids: string[] }
  | { do: 'rebuild' }
  | { do: 'search'; direction: number; k: number; label: string | undefined; mode: SearchMode };

const direction = fc.nat(DIRECTIONS.length - 1);
const one = fc.record({ id: fc.constantFrom(...IDS), direction, label: fc.constantFrom(...LABELS) });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('put' as const), items: fc.array(one, { maxLength: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('remove' as const), ids: fc.subarray(IDS, { maxLength: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rebuild' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('search' as const),
      direction,
      k: fc.integer({ min: 1, max: 10 }),
      label: fc.constantFrom('x', 'y', undefined),
      mode: fc.constantFrom<SearchMode>('auto', 'exact', 'hnsw'),
    }),
  },
);

async function run(steps: readonly Step[]): Promise<void> {
  let number = 0;
  for (const now of steps) {
    if (now.do === 'put') put(...now.items.map(({ id, direction, label }) => item(id, direction, label)));
    else if (now.do === 'remove') collection.remove(store.remove(now.ids));
    else if (now.do === 'rebuild') await collection.adopt(flatGeneration(++number));
    else {
      const mode = now.mode === 'hnsw' && number === 0 ? 'exact' : now.mode;
      const label = now.label === undefined ? {} : { label: now.label };
      const found = await search(DIRECTIONS[now.direction]!, now.k, { ...label, mode });
      expect(found).toEqual(scan(DIRECTIONS[now.direction]!, now.k, now.label));
    }
    expect(collection.size).toBe(store.count());
  }
}

it('equals a plain scan of the store after any steps', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      await collection.close();
      database.close();
      await open();
      await run(steps as Step[]);
    }),
    { numRuns: 40 },
  );
});
