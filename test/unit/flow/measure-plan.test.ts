/** The planner's measurements on a real generation, and that searches go by them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanRecord } from '../../../src/core/plan.js';
import { planCollection } from '../../../src/flow/measure-plan.js';
import { plannerView } from '../../../src/flow/planner-view.js';
import { reindex } from '../../../src/flow/reindex.js';
import { clusteredVectors } from '../../contract/vectors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { openParts, type Parts, unwatched } from './parts.js';

const ROWS = 2200;
const DIMENSION = 32;
const { vectors } = clusteredVectors({ rows: ROWS, dimension: DIMENSION, clusters: 60, seed: 3 });
const vector = (n: number) => vectors.slice(n * DIMENSION, (n + 1) * DIMENSION);
const unstopped = new AbortController().signal;

let home: string;
let parts: Parts;
let plan: PlanRecord;

beforeAll(async () => {
  home = await tempFolder();
  parts = await openParts(home);
  const items = Array.from({ length: ROWS }, (_, n) => ({
    id: `${n}`,
    label: n % 2 === 0 ? 'even' : 'odd',
    sha256: 'cd'.repeat(32),
    source: null,
    metadata: {},
    vector: vector(n),
  }));
  const { rows } = parts.store.put(items);
  parts.collection.add(
    rows,
    items.map((item) => item.vector),
    items.map(({ label }) => label),
  );
  await reindex(parts, unwatched());
  await planCollection(parts, unstopped);
  plan = parts.collection.plan!;
});
afterAll(() => parts.close());

const answeredBy = async (change: Partial<PlanRecord>, options: { k: number; ef?: number }) => {
  parts.collection.planBy({ ...plan, ...change });
  const { mode } = await parts.collection.search(vector(7), { mode: 'auto', ...options });
  return mode;
};
const FREE = { base: 0, slope: 0 };
const DEAR = { base: 100, slope: 0 };

describe('the measurements', () => {
  it('tune the breadth to the wanted recall', () => {
    expect(plan.breadths.map(({ k }) => k)).toEqual([10, 200, 1000]);
    for (const { k, ef, recall } of plan.breadths) {
      expect(ef).toBeGreaterThanOrEqual(k);
      expect(recall).toBeGreaterThanOrEqual(0.992); // strangers are found less well than the rows that are asked
    }
  });

  it('know what both indexes cost', () => {
    const { exact, exact_batch, filtered, graph } = plan;
    for (const { base, slope } of [exact, exact_batch, filtered, graph]) {
      expect(base + slope).toBeGreaterThan(0);
      expect(Math.min(base, slope)).toBeGreaterThanOrEqual(0);
    }
    expect(plan).toMatchObject({ generation: 1, rows: ROWS, machine: 'this one', recall_target: 0.99 });
  });

  it('decide about a search that names no mode', async () => {
    expect(await answeredBy({ exact: FREE, graph: DEAR }, { k: 10 })).toBe('exact');
    expect(await answeredBy({ exact: DEAR, graph: FREE }, { k: 10 })).toBe('hnsw');
    parts.collection.planBy(plan);
  });

  it('are explained', () => {
    const view = plannerView(parts.collection);
    expect(view).toMatchObject({ reason: 'cheaper', k: 200, recall_target: 0.99, breadth_factor: 1 });
    expect(view.measured_at).toBe(plan.measured_at);
    expect(view.costs_ms.exact).toBeGreaterThan(0);
    expect(view.ef).toBe(plan.breadths[1]!.ef);
  });

  it('answer a filter rightly from the graph too, and exactly where the graph finds too few', async () => {
    parts.collection.planBy({ ...plan, exact: DEAR, exact_batch: DEAR, filtered: DEAR, graph: FREE });
    const allowed = parts.collection.labels.rowsWith(['even']);
    const [some, truth] = await Promise.all(
      (['auto', 'exact'] as const).map((mode) =>
        parts.collection.search(vector(7), { k: 20, mode, allowed }),
      ),
    );
    expect(some!.mode).toBe('hnsw');
    expect(some!.hits).toEqual(truth!.hits);
    const removed = parts.store.itemById('8')!.row;
    const few = new Set([removed, parts.store.itemById('2100')!.row]);
    const narrow = await parts.collection.search(vector(7), { k: 20, mode: 'auto', ef: 1, allowed: few });
    expect(narrow.hits.length).toBe(2);
    parts.collection.planBy(plan);
  });

  it('stop when they are told to', async () => {
    const other = Object.create(parts.collection, { plan: { value: null } });
    const stopped = planCollection({ ...parts, collection: other }, AbortSignal.abort());
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  });

  it('hold after a restart, but not on another machine or for another target', async () => {
    for (const [planning, holds] of [
      [{ machine: 'this one', recallTarget: 0.99 }, true],
      [{ machine: 'another', recallTarget: 0.99 }, false],
      [{ machine: 'this one', recallTarget: 0.9 }, false],
    ] as const) {
      await parts.close();
      parts = await openParts(home, { planning });
      expect(parts.collection.plan).toEqual(holds ? plan : null);
    }
    await planCollection(parts, unstopped);
    expect(parts.collection.plan).toMatchObject({ generation: 1, recall_target: 0.9 });
  });
});
