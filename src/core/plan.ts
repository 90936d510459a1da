import { z } from 'zod';
import { breadthFor } from './breadth.js';
import type { SearchMode } from './types.js';

/**
 * The planner: which index answers a search. It weighs costs that were measured on the very generation that is searched,
 * on this machine; nothing in here knows how fast an engine is.
 */

/** Milliseconds as a straight line over something. */
const line = z.strictObject({ base: z.number(), slope: z.number() });
export type Line = z.infer<typeof line>;

export const planRecord = z.strictObject({
  generation: z.int().positive(),
  rows: z.int().positive(), // of the generation
  machine: z.string(), // what it was measured on
  measured_at: z.string(), // ISO 8601
  recall_target: z.number(),
  trip: z.number(), // milliseconds of a search that finds nothing: what each one pays
  exact: line, // one query, over k
  exact_batch: line, // one query of a batch, over k
  exact_threads: z.int().positive(), // that it keeps busy
  filtered: line, // one query of the exact index, over the rows that a filter leaves
  graph: line, // one query, over the breadth
  /** The least breadth that reached the target, by k; where none did, the largest that was tried. */
  breadths: z.array(z.strictObject({ k: z.int().positive(), ef: z.int().positive(), recall: z.number() })),
});
export type PlanRecord = z.infer<typeof planRecord>;

export interface Question {
  mode: SearchMode;
  k: number; // rows wanted of the generation
  queries: number; // asked at once
  ef?: number | undefined; // the caller's own
  rows: number; // of the generation
  allowed: number | null; // how many of them a filter leaves; null without one
  busy: boolean; // other searches are under way
  graphReady: boolean;
  plan: PlanRecord | null; // null until it was measured
  boost: number; // factor of the breadth that the live recall asks for; 1 for none
}

export const REASONS = ['asked', 'no_graph', 'not_measured', 'cheaper'] as const;
export type Reason = (typeof REASONS)[number];

/** Milliseconds that one query is expected to take; null where it is not known. */
export interface Costs {
  exact: number | null;
  hnsw: number | null;
}

export interface Choice {
  engine: 'hnsw' | 'exact';
  ef: number; // breadth, where the graph answers
  reason: Reason;
  costs: Costs;
}

/** What the caller named is taken; `auto` takes what is expected to be cheaper, and of equals the exact index. */
export function choose(question: Question): Choice {
  const { mode, graphReady, plan, allowed } = question;
  const ef = breadthOf(question);
  const costs = plan ? costsOf(question, plan) : UNKNOWN;
  const take = (engine: Choice['engine'], reason: Reason): Choice => ({ engine, ef, reason, costs });
  if (mode !== 'auto') return take(mode, 'asked');
  if (!graphReady) return take('exact', 'no_graph');
  // A filter makes a graph search miss; the exact index looks at just the rows that are left.
  if (!plan) return take(allowed === null ? 'hnsw' : 'exact', 'not_measured');
  return take(costs.exact! <= costs.hnsw! ? 'exact' : 'hnsw', 'cheaper');
}

const UNKNOWN: Costs = { exact: null, hnsw: null };

/** The caller's breadth, or the tuned one; a filter wants as much wider a search as it leaves fewer rows. */
function breadthOf({ k, ef, rows, allowed, plan, boost }: Question): number {
  const own = ef ?? breadthFor(k, plan?.breadths ?? [], boost);
  const wide = allowed === null ? own : Math.ceil((own * rows) / Math.max(1, allowed));
  return ef ?? Math.min(Math.max(1, rows), wide);
}

function costsOf(question: Question, plan: PlanRecord): Costs {
  const { k, queries, allowed, busy } = question;
  const whole = at(queries > 1 ? plan.exact_batch : plan.exact, k);
  // Alone a search has all cores; beside others it takes from them what it uses.
  const scan = busy ? whole * plan.exact_threads : whole;
  const exact = allowed === null ? scan : at(plan.filtered, allowed);
  return { exact, hnsw: at(plan.graph, breadthOf(question)) };
}

const at = ({ base, slope }: Line, x: number): number => base + slope * x;

/** Where the two cost the same, for a k and one query alone; null where they never do. */
export interface Crossings {
  rows: number | null; // a larger collection is the graph's: the exact index costs by rows, the graph by their logarithm
  allowed: number | null; // a filter that leaves fewer of these rows is the exact index's
}

export function crossings(plan: PlanRecord, { k, boost }: { k: number; boost: number }): Crossings {
  const ef = breadthFor(k, plan.breadths, boost);
  const { rows, trip } = plan;
  const [exact, graph] = [at(plan.exact, k) - trip, at(plan.graph, ef) - trip];
  const ofSize = (n: number) => (exact * n) / rows - (graph * Math.log(n)) / Math.log(Math.max(2, rows));
  const ofFilter = (n: number) => at(plan.filtered, n) - at(plan.graph, Math.min(rows, (ef * rows) / n));
  return { rows: zeroOf(ofSize, MOST_ROWS), allowed: zeroOf(ofFilter, rows) };
}

const MOST_ROWS = 1e9;

/** The whole number from 2 up to `most` at which a function that rises past zero does so. */
function zeroOf(f: (n: number) => number, most: number): number | null {
  let [low, high] = [2, most];
  if (f(low) > 0 || f(high) <= 0) return null;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (f(middle) > 0) high = middle;
    else low = middle;
  }
  return high;
}

/** The line through measured points: least squares, never falling, since more work does not take less time. */
export function lineThrough(points: readonly (readonly [x: number, y: number])[]): Line {
  const mean = (pick: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [x, y] = [mean(([x]) => x), mean(([, y]) => y)];
  const spread = points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  const shared = points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  const slope = spread === 0 ? 0 : Math.max(0, shared / spread);
  return { base: Math.max(0, y - slope * x), slope };
}
