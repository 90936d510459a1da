import { describe, expect, it } from 'vitest';
import {
  choose,
  crossings,
  lineThrough,
  type PlanRecord,
  planRecord,
  type Question,
} from '../../../src/core/plan.js';

/** A million rows: the exact index 6 ms, the graph half a millisecond. */
const LARGE: PlanRecord = {
  generation: 3,
  rows: 1_000_000,
  machine: 'a machine',
  measured_at: '2026-01-01T00:00:00.000Z',
  recall_target: 0.99,
  trip: 0.1,
  exact: { base: 6, slope: 0.001 },
  exact_batch: { base: 1.2, slope: 0.001 },
  exact_threads: 2,
  filtered: { base: 0.1, slope: 0.0001 },
  graph: { base: 0.1, slope: 0.002 },
  breadths: [
    { k: 10, ef: 20, recall: 0.993 },
    { k: 200, ef: 240, recall: 0.991 },
    { k: 1000, ef: 1100, recall: 0.99 },
  ],
};
/** Two thousand rows on the same machine. */
const SMALL: PlanRecord = {
  ...LARGE,
  rows: 2000,
  exact: { base: 0.2, slope: 0.0005 },
  exact_batch: { base: 0.05, slope: 0.0005 },
};

const asked = (change: Partial<Question> = {}): Question => ({
  mode: 'auto',
  k: 200,
  queries: 1,
  rows: LARGE.rows,
  allowed: null,
  busy: false,
  graphReady: true,
  plan: LARGE,
  boost: 1,
  ...change,
});

describe('the planner', () => {
  it.each<[string, Partial<Question>, string, string]>([
    ['a large collection', {}, 'hnsw', 'cheaper'],
    ['a small collection', { plan: SMALL, rows: 2000 }, 'exact', 'cheaper'],
    ['a graph that is not ready', { graphReady: false }, 'exact', 'no_graph'],
    [
      'a graph that is not ready, and was not measured',
      { graphReady: false, plan: null },
      'exact',
      'no_graph',
    ],
    ['nothing measured', { plan: null }, 'hnsw', 'not_measured'],
    ['nothing measured, and a filter', { plan: null, allowed: 900_000 }, 'exact', 'not_measured'],
    ['a filter that leaves few rows', { allowed: 500 }, 'exact', 'cheaper'],
    ['a filter that leaves nothing', { allowed: 0 }, 'exact', 'cheaper'],
    ['a filter that leaves most rows', { allowed: 900_000 }, 'hnsw', 'cheaper'],
    ['lists so long that the graph has to see much', { k: 10_000 }, 'exact', 'cheaper'],
    ['a wide breadth of the caller', { ef: 9000 }, 'exact', 'cheaper'],
    ['mode=exact', { mode: 'exact' }, 'exact', 'asked'],
    ['mode=hnsw for a narrow filter', { mode: 'hnsw', allowed: 5 }, 'hnsw', 'asked'],
    ['mode=hnsw without a graph', { mode: 'hnsw', graphReady: false }, 'hnsw', 'asked'],
  ])('for %s', (_, change, engine, reason) => {
    expect(choose(asked(change))).toMatchObject({ engine, reason });
  });

  it('counts the cores that the exact index takes from others while others search', () => {
    const plan = { ...LARGE, exact: { base: 0.5, slope: 0 } };
    expect(choose(asked({ plan })).engine).toBe('exact');
    expect(choose(asked({ plan, busy: true })).engine).toBe('hnsw');
  });

  it('weighs a batch by what the exact index takes for one query of it', () => {
    const plan = { ...LARGE, exact_batch: { base: 0.3, slope: 0 } };
    expect(choose(asked({ plan })).engine).toBe('hnsw');
    expect(choose(asked({ plan, queries: 16 })).engine).toBe('exact');
  });

  it('searches as broadly as was tuned, wider behind a filter and for a boost, and as the caller says', () => {
    expect(choose(asked()).ef).toBe(240);
    expect(choose(asked({ boost: 1.25 })).ef).toBe(300);
    expect(choose(asked({ allowed: 500_000 })).ef).toBe(480);
    expect(choose(asked({ allowed: 1 })).ef).toBe(LARGE.rows);
    expect(choose(asked({ ef: 77, allowed: 500_000, boost: 2 })).ef).toBe(77);
    expect(choose(asked({ plan: null })).ef).toBe(200);
  });

  it('says what it expects of both', () => {
    expect(choose(asked()).costs).toEqual({ exact: 6.2, hnsw: 0.1 + 0.002 * 240 });
    expect(choose(asked({ plan: null })).costs).toEqual({ exact: null, hnsw: null });
  });
});

describe('the crossings', () => {
  it('are where both cost the same', () => {
    const { rows, allowed } = crossings(LARGE, { k: 200, boost: 1 });
    const exactAt = (n: number) => (6.2 - LARGE.trip) * (n / LARGE.rows);
    const graphAt = (n: number) => (0.58 - LARGE.trip) * (Math.log(n) / Math.log(LARGE.rows));
    expect(exactAt(rows!)).toBeGreaterThan(graphAt(rows!));
    expect(exactAt(rows! - 1)).toBeLessThanOrEqual(graphAt(rows! - 1));
    expect(choose(asked({ allowed: allowed! + 50 })).engine).toBe('hnsw');
    expect(choose(asked({ allowed: allowed! - 50 })).engine).toBe('exact');
  });

  it('are none where one is always cheaper', () => {
    const free = { ...LARGE, graph: { base: 0.1, slope: 0 }, trip: 0.1 };
    expect(crossings({ ...free, exact: { base: 0.1, slope: 0 } }, { k: 200, boost: 1 }).rows).toBeNull();
  });
});

describe('a line through measured points', () => {
  it('goes through points that lie on one', () => {
    const { base, slope } = lineThrough([1, 5, 9].map((x) => [x, 2 + 3 * x]));
    expect([base, slope]).toEqual([expect.closeTo(2), expect.closeTo(3)]);
  });

  it('never falls, and begins at nothing or above', () => {
    expect(lineThrough([[1, 5], [2, 3]])).toEqual({ base: 4, slope: 0 }); // biome-ignore format: pairs
    expect(lineThrough([[10, 1], [20, 3]]).base).toBe(0); // biome-ignore format: pairs
    expect(lineThrough([[10, 4]])).toEqual({ base: 4, slope: 0 });
  });
});

it('a plan that was saved comes back; one of another format is none', () => {
  expect(planRecord.parse(JSON.parse(JSON.stringify(LARGE)))).toEqual(LARGE);
  expect(planRecord.safeParse({ ...LARGE, trip: undefined }).success).toBe(false);
});
