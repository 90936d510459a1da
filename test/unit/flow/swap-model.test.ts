/** Another model for a collection, with two real encoders: searches go on, nothing is lost, and there is a way back. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../../src/core/manifests.js';
import type { Job } from '../../../src/core/types.js';
import { listImages, statFile } from '../../../src/engines/folder.js';
import { importFolder } from '../../../src/flow/import-folder.js';
import type { Progress } from '../../../src/flow/jobs.js';
import { type SwapParameters, type SwapResult, swapModel } from '../../../src/flow/swap-model.js';
import { refusal } from '../../fixtures/errors.js';
import { newJob } from '../../fixtures/items.js';
import { paintedPng } from '../../fixtures/painted.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { addTinyModel, openParts, type Parts, unwatched } from './parts.js';

const PICTURES = 100;
const LABELS = ['red', 'green', null];

let home: string;
let parts: Parts;
let next: ModelManifest;

const pathOf = (n: number) => join(home, `${n}.png`);
const named = () => parts.collections.get('default');
const activeName = () => named().active.manifest.name;

/** Adds pictures as a single upload does: embedded, stored and searchable with what answers then. */
async function add(...numbers: number[]): Promise<void> {
  await named().writes.shared(() =>
    named().using(async ({ store, collection, embedder, manifest }) => {
      for (const n of numbers) {
        const bytes = await paintedPng(n);
        // In one step: a swap that reads it meanwhile sees all of it or what was there before.
        await writeFile(`${pathOf(n)}.new`, bytes);
        await rename(`${pathOf(n)}.new`, pathOf(n));
        const vector = await parts.vectorOf(bytes, { embedder, manifest });
        const label = LABELS[n % 3]!;
        const item = {
          id: `${n}`,
          label,
          sha256: parts.sha256(bytes),
          source: pathOf(n),
          metadata: {},
          vector,
        };
        const { rows, replaced } = store.put([item]);
        collection.add(rows, [vector], [label]);
        collection.remove(replaced);
      }
    }),
  );
}
function remove(...numbers: number[]): void {
  const { collection, store } = named().active;
  collection.remove(store.remove(numbers.map((n) => `${n}`)));
}

/** Ids and scores of the nearest, with the model that answers now. */
const nearest = async (n: number, k = 5) => {
  const bytes = await paintedPng(n);
  return named().using(async (active) => {
    const query = await parts.vectorOf(bytes, active);
    const { hits } = await active.collection.search(query, { k, mode: 'exact' });
    return hits.map(({ row, score }) => ({ id: active.store.itemByRow(row)?.id, score }));
  });
};
const ids = async () => (await nearest(0, 10_000)).map(({ id }) => Number(id)).sort((a, b) => a - b);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function swap(asked: Partial<SwapParameters> = {}, progress: Progress = unwatched(), job: Partial<Job> = {}) {
  const parameters = {
    model: next.sha256,
    switch: 'auto',
    missing: 'refuse',
    keep_previous: true,
    report: true,
    ...asked,
  };
  return swapModel(parts, { ...newJob('swap', { parameters, ...job }), named: named() }, progress);
}
const spaceFolders = async () => (await readdir(join(home, 'data', 'generations'))).sort();

/** A decoder that does this before each picture. */
function decoding(step: (count: number) => Promise<void> | void): void {
  const { decode } = parts.decoder;
  let count = 0;
  parts.decoder = {
    ...parts.decoder,
    async decode(...args) {
      await step(++count);
      return decode(...args);
    },
  };
}

beforeEach(async () => {
  home = await tempFolder();
  parts = await openParts(home);
  next = await addTinyModel(home, { name: 'next', seed: 8, dimension: 24 });
  await add(...numbers(0, PICTURES));
});
afterEach(() => parts.close());

describe('a swap', () => {
  it('embeds all pictures with the other model, says how far both agree, and switches', async () => {
    const before = await nearest(3);
    const result = await swap();
    expect(result).toMatchObject({
      model: next.sha256,
      name: 'next',
      switched: true,
      awaiting_switch: false,
    });
    expect(result).toMatchObject({ embedded: PICTURES, missing: { count: 0, first: [] }, generation: 1 });
    expect(result.report).toMatchObject({
      pictures: PICTURES,
      label_changes: { of: PICTURES },
      knn_accuracy: { of: 67 },
      before: { name: 'tiny' },
      after: { model: next.sha256, name: 'next' },
    });
    expect(result.report!.overlap_at_10).toBeGreaterThan(0.2); // both look at the same colours
    expect(result.report!.overlap_at_10).toBeLessThan(1);
    expect([activeName(), named().active.embedder.dimension]).toEqual(['next', 24]);
    expect(named().previousModel).not.toBeNull();
    const after = await nearest(3);
    expect([after[0]!.id, after[0]!.score > 0.999, before[0]!.id]).toEqual(['3', true, '3']);
    expect(after).not.toEqual(before);
    expect(await ids()).toEqual(numbers(0, PICTURES));
    expect(named().active.collection.freshRows).toBe(0);
  });

  it('is what the next start finds', async () => {
    await swap();
    const after = await nearest(5, 30);
    await parts.close();
    parts = await openParts(home);
    expect([activeName(), await nearest(5, 30)]).toEqual(['next', after]);
    expect(named().active.collection.generation?.number).toBe(1);
  });

  it('takes what is added, replaced and removed at every moment', async () => {
    let came = 100;
    const adding: Promise<void>[] = [];
    // Nobody waits for it: while the swap is alone, what is added waits for the swap.
    const meanwhile = () => {
      const n = came++;
      adding.push(add(n));
      remove(n - 90); // 10, 11, …: seen and unseen ones
      adding.push(add(50)); // the same picture under a new row
    };
    decoding((count) => (count % 20 === 0 ? meanwhile() : undefined));
    const { yieldToRequests } = parts;
    let turns = 0;
    parts.yieldToRequests = async () => {
      if (++turns % 2 === 0 && came < 112) meanwhile();
      await yieldToRequests();
    };
    const result = await swap();
    await Promise.all(adding);
    expect(result).toMatchObject({ switched: true, missing: { count: 0 } });
    expect(came).toBeGreaterThan(105);
    const left = numbers(0, came).filter((n) => n < 10 || n >= 10 + came - 100);
    expect(await ids()).toEqual(left);
    expect(named().active.collection.size).toBe(parts.store.count());
    for (const n of [0, 50, came - 1]) expect((await nearest(n, 1))[0]!.id).toBe(`${n}`);
    expect((await nearest(10, 1))[0]!.id).not.toBe('10');
    await add(200);
    expect((await nearest(200, 1))[0]!.id).toBe('200');
  });

  it('lets every search end, each with one model', async () => {
    let swapping = true;
    const swapped = swap().finally(() => {
      swapping = false;
    });
    const asked: Promise<unknown>[] = [];
    while (swapping) {
      asked.push(
        nearest(asked.length % PICTURES, 1).then(([hit]) => expect(hit!.score).toBeGreaterThan(0.999)),
      );
      await parts.yieldToRequests();
      if (asked.length % 10 === 0) await asked.at(-1);
    }
    await Promise.all(asked);
    expect((await swapped).switched).toBe(true);
    expect(asked.length).toBeGreaterThan(10);
  });

  it('that is stopped leaves the old model, and the next run makes no vector twice', async () => {
    const stop = new AbortController();
    decoding((count) => {
      if (count === 70) stop.abort(new Error('stopped'));
    });
    await expect(swap({}, { signal: stop.signal, report: () => undefined })).rejects.toThrow('stopped');
    expect([activeName(), await ids()]).toEqual(['tiny', numbers(0, PICTURES)]);
    const { embedded, switched } = await swap();
    expect(switched).toBe(true);
    expect(embedded).toBeGreaterThan(0);
    expect(embedded).toBeLessThanOrEqual(PICTURES - 64);
  });

  it('that was cut off after its switch ends as if it had not been', async () => {
    const first = await swap();
    const again = await swap({}, unwatched(), { result: { ...first, switched: false } });
    expect(again).toEqual(first);
    expect(activeName()).toBe('next');
  });

  it('waits for the switch when asked to, and then does little', async () => {
    const prepared = await swap({ switch: 'manual' });
    expect(prepared).toMatchObject({ switched: false, awaiting_switch: true, generation: 1 });
    expect(prepared.report!.pictures).toBe(PICTURES);
    expect(activeName()).toBe('tiny');
    await add(100, 101);
    remove(0);
    const result = await swap({ report: false });
    expect(result).toMatchObject({ switched: true, awaiting_switch: false, embedded: 2, generation: 1 });
    expect(await ids()).toEqual(numbers(1, 102));
    expect(named().active.collection).toMatchObject({ freshRows: 2, removedRows: 1 });
  });
});

describe('pictures that cannot be read any more', () => {
  it('stop the switch, are counted and listed, and mend by a new import', async () => {
    await rm(pathOf(7));
    await writeFile(pathOf(8), await paintedPng(999)); // another picture now
    let told: SwapResult | undefined;
    const progress = unwatched();
    progress.report = ({ result }) => {
      if (result) told = structuredClone(result) as SwapResult;
    };
    const { message } = await refusal('pictures_missing', () => swap({}, progress));
    expect(message).toMatch(/2 of 100 pictures .* "7".*Import them again.*missing=drop/);
    expect(told).toMatchObject({ switched: false, missing: { count: 2, first: [{ id: '7' }, { id: '8' }] } });
    expect([activeName(), await ids()]).toEqual(['tiny', numbers(0, PICTURES)]);
    await add(7, 8);
    expect(await swap()).toMatchObject({ switched: true, embedded: 2, missing: { count: 0 } });
    expect(await ids()).toEqual(numbers(0, PICTURES));
  });

  it('are kept but not found when they may be dropped, and are back with the old model', async () => {
    const before = await nearest(7, 30);
    await rm(pathOf(7));
    const result = await swap({ missing: 'drop' });
    expect(result).toMatchObject({ switched: true, missing: { count: 1, first: [{ id: '7' }] } });
    const { collection, store } = named().active;
    expect([collection.size, collection.unsearchable, store.count()]).toEqual([PICTURES - 1, 1, PICTURES]);
    expect(await ids()).not.toContain(7);
    expect([...collection.labels.counts().values()].reduce((sum, count) => sum + count)).toBe(66);
    await parts.close();
    parts = await openParts(home);
    expect([named().active.collection.size, named().active.collection.unsearchable]).toEqual([
      PICTURES - 1,
      1,
    ]);
    await swap({ model: named().previousModel!, report: false });
    expect([activeName(), await nearest(7, 30)]).toEqual(['tiny', before]);
    expect(named().active.collection.unsearchable).toBe(0);
  });

  it('that were dropped are embedded by the next import of their folder, which finds them unchanged', async () => {
    const folder = join(home, 'pictures');
    await mkdir(folder);
    for (const n of [300, 301, 302]) await writeFile(join(folder, `${n}.png`), await paintedPng(n));
    const files = { list: listImages, stat: statFile, read: parts.read };
    const run = () => {
      const { active } = named();
      return importFolder({ ...parts, ...active, files }, { folder, prune: false }, unwatched());
    };
    expect(await run()).toMatchObject({ embedded: 3 });
    await rename(join(folder, '301.png'), join(folder, 'away'));
    await swap({ missing: 'drop' });
    await rename(join(folder, 'away'), join(folder, '301.png'));
    expect(named().active.collection.unsearchable).toBe(1);
    expect(await run()).toMatchObject({ embedded: 1, copied: 0, unchanged: 2 });
    expect(named().active.collection.unsearchable).toBe(0);
    expect((await nearest(301, 1))[0]).toMatchObject({ id: '301.png' });
    expect(await run()).toMatchObject({ embedded: 0, unchanged: 3 });
  });

  it('are never all dropped', async () => {
    for (const n of numbers(0, PICTURES)) await rename(pathOf(n), `${pathOf(n)}.gone`);
    const { message } = await refusal('pictures_missing', () => swap({ missing: 'drop' }));
    expect(message).toMatch(/100 of 100 .*nothing would be left/);
    expect([activeName(), await ids()]).toEqual(['tiny', numbers(0, PICTURES)]);
  });
});

describe('the way back', () => {
  const back = (asked: Partial<SwapParameters> = {}) =>
    swap({ model: named().previousModel!, report: false, ...asked });

  it('gives the answers from before the switch, what was added since included', async () => {
    const before = await nearest(3, 30);
    await swap();
    expect(await back()).toMatchObject({ switched: true, embedded: 0 });
    expect([activeName(), await nearest(3, 30)]).toEqual(['tiny', before]);
    await back(); // and forth
    await add(100);
    remove(0);
    expect(await back()).toMatchObject({ switched: true, embedded: 1 });
    expect([activeName(), await ids()]).toEqual(['tiny', numbers(1, 101)]);
    expect((await nearest(100, 1))[0]!.id).toBe('100');
  });

  it('is kept until the next swap, and only as long as it is wanted', async () => {
    await swap();
    expect(await spaceFolders()).toEqual(['2']); // the first was never built
    await back();
    const third = await addTinyModel(home, { name: 'third', seed: 9 });
    await swap({ model: third.sha256, switch: 'manual' });
    expect(parts.database.spaces('default').length).toBe(3);
    await swap({ model: third.sha256, report: false });
    expect(parts.database.spaces('default').map(({ space }) => space)).toEqual([1, 3]);
    await swap({ keep_previous: false });
    expect([activeName(), named().previousModel]).toEqual(['next', null]);
    expect(parts.database.spaces('default').length).toBe(1);
    expect(await spaceFolders()).toEqual(['4']);
    expect(await ids()).toEqual(numbers(0, PICTURES));
  });
});
