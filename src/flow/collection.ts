import { corrected } from '../core/breadth.js';
import { type CalibrationRecord, calibrationRecord } from '../core/calibrate.js';
import { LabelColumn } from '../core/label-column.js';
import type { Found } from '../core/leave-one-out.js';
import { type Choice, type PlanRecord, planRecord } from '../core/plan.js';
import type { Generation, MutableIndex, Store } from '../core/ports.js';
import { compareIds } from '../core/vector.js';
import type { Recall, RecallWatch } from './recall-watch.js';
import { type SegmentHits, type SegmentSearch, Segments } from './segments.js';

/**
 * All that can be searched at this moment. A row that was stored is found by the very next search and a
 * removed one never again, also while a rebuild runs: a new generation replaces the old one in one step.
 */
export interface Collection {
  readonly labels: LabelColumn; // of what can be searched
  readonly generation: Generation | null;
  readonly size: number;
  readonly freshRows: number; // newer than the generation
  readonly removedRows: number; // in the generation, gone since
  readonly recall: Recall; // of the generation's graph, as searches saw it
  /** What the planner goes by; null until it was measured on this generation and this machine. */
  readonly plan: PlanRecord | null;
  /** Factor of the tuned breadth that the live recall asks for; 1 for none. */
  readonly boost: number;
  /** Saves what was measured; searches are planned by it from now on. One of another generation is passed over. */
  planBy(record: PlanRecord): void;
  /** What would be decided about n such queries that nothing filters. */
  choice(n: number, options: SegmentSearch): Choice;
  readonly unsearchable: number; // items that have no vector in this space
  readonly calibration: CalibrationRecord | null; // null until one was made
  /** Saves it; answers go by it from now on. */
  calibrateBy(record: CalibrationRecord): void;
  /** Makes rows that were just stored searchable. Call it in the same turn as the write. */
  add(rows: readonly number[], vectors: readonly Float32Array[], labels: readonly (string | null)[]): void;
  remove(rows: readonly number[]): void;
  /** Gives a row that is there another label. */
  relabel(row: number, label: string | null): void;
  /** A copy of the labels with those of the items that cannot be searched; for opening another space of the same items. */
  allLabels(): LabelColumn;
  /** Switches to a new generation; the old one is closed when the searches that use it end. */
  adopt(next: Generation): Promise<void>;
  /** The k nearest rows: score descending, ties by id. */
  search(query: Float32Array, options: SegmentSearch): Promise<SegmentHits>;
  /** Of each of n queries (n x dimension) the k nearest rows, exactly: score descending, ties by row. */
  searchMany(
    queries: Float32Array,
    n: number,
    options: Pick<SegmentSearch, 'k' | 'signal'>,
  ): Promise<Found[][]>;
  /** The same for n queries (n x dimension), searched as a batch. */
  searchAll(queries: Float32Array, n: number, options: SegmentSearch): Promise<SegmentHits[]>;
  close(): Promise<void>;
}

export interface CollectionOptions {
  newFresh: (dimension: number) => MutableIndex;
  generation: Generation | null; // none yet
  /** Of all items (`allLabels` of another space), the collection's own from now on; read from the store when absent. */
  labels?: LabelColumn;
  /** Only a plan that was measured so counts; none does without it. */
  planning?: Planning | undefined;
  /** Takes samples of what the graph answers; none are taken without it. */
  recallWatch?: RecallWatch | undefined;
}

/** What a plan depends on beside the generation. */
export interface Planning {
  machine: string;
  recallTarget: number;
}

const UNWATCHED: Recall = { ratio: null, samples: 0 };

/** The collection of a store as it is now. */
export function openCollection(store: Store, options: CollectionOptions): Collection {
  const {
    newFresh,
    generation,
    labels = LabelColumn.of(store.rowsByLabel()),
    recallWatch,
    planning,
  } = options;
  const recall = recallWatch?.estimate();
  /** Items without a vector in this space, and their labels: they are kept, and take no part in anything here. */
  const lacking = new Map<number, string | null>();
  let calibration = readCalibration(store);
  let now = segmentsOver(generation);

  /** The generation, and what came or went since: the mark alone does not say it, vectors may come later than their items. */
  function segmentsOver(base: Generation | null): Segments {
    const segments = new Segments(base, newFresh(store.identity.dimension));
    for (const row of labels.rows()) {
      if (segments.covers(row)) continue;
      const vector = store.vector(row);
      if (vector) segments.fresh.add(Int32Array.of(row), vector);
      else setAside(row);
    }
    segments.remove(goneFrom(base, labels));
    segments.plan = base && readPlan(store, base, planning);
    return segments;
  }

  function setAside(row: number): void {
    lacking.set(row, labels.get(row));
    labels.delete(row);
  }

  async function searchAll(queries: Float32Array, n: number, options: SegmentSearch): Promise<SegmentHits[]> {
    correctBreadth();
    const found = await now.searchAll(queries, n, options);
    return found.map(({ rerun, ...list }) => {
      // With the caller's own breadth it would say nothing of ours.
      if (rerun && options.ef === undefined) recall?.offer(rerun);
      return sorted(list, options.k);
    });
  }

  function correctBreadth(): void {
    if (!recall || !now.plan) return;
    const boost = corrected(now.boost, recall.recall(), now.plan.recall_target);
    if (boost === now.boost) return;
    now.boost = boost;
    recall.reset(); // what was measured is of another breadth
  }

  /** In the order of an answer, and no more than k. */
  function sorted(found: SegmentHits, k: number): SegmentHits {
    const ids = new Map<number, string>();
    const idOf = (row: number) => {
      const id = ids.get(row) ?? store.itemByRow(row)?.id ?? '';
      ids.set(row, id);
      return id;
    };
    found.hits.sort((a, b) => b.score - a.score || compareIds(idOf(a.row), idOf(b.row)));
    return { ...found, hits: found.hits.slice(0, k) };
  }

  return {
    labels,
    get generation() {
      return now.generation;
    },
    get size() {
      return now.size;
    },
    get freshRows() {
      return now.fresh.size;
    },
    get removedRows() {
      return now.removed.size;
    },
    get recall() {
      return recall?.recall() ?? UNWATCHED;
    },
    get plan() {
      return now.plan;
    },
    get boost() {
      return now.boost;
    },
    planBy(record) {
      if (record.generation !== now.generation?.number) return;
      store.saveRecord(PLAN, record);
      now.plan = record;
    },
    choice: (n, options) => now.choice(n, options, null),
    get unsearchable() {
      return lacking.size;
    },
    get calibration() {
      return calibration;
    },
    calibrateBy(record) {
      store.saveRecord(CALIBRATION, record);
      calibration = record;
    },
    add(rows, vectors, rowLabels) {
      rows.forEach((row, i) => {
        labels.set(row, rowLabels[i]!);
        now.fresh.add(Int32Array.of(row), vectors[i]!);
      });
    },
    remove(rows) {
      for (const row of rows) {
        labels.delete(row);
        lacking.delete(row);
      }
      now.remove(rows);
    },
    relabel: (row, label) => void (lacking.has(row) ? lacking.set(row, label) : labels.set(row, label)),
    allLabels() {
      const all = labels.copy();
      for (const [row, label] of lacking) all.set(row, label);
      return all;
    },
    async adopt(next) {
      const old = now;
      now = segmentsOver(next);
      recall?.reset();
      await old.retire();
    },
    async search(query, options) {
      return (await searchAll(query, 1, options))[0]!;
    },
    searchMany: (queries, n, options) => now.searchMany(queries, n, options),
    searchAll,
    close: () => now.retire(),
  };
}

const CALIBRATION = 'calibration';

const PLAN = 'plan';

function readPlan(store: Store, { number }: Generation, planning: Planning | undefined): PlanRecord | null {
  const record = planRecord.safeParse(store.record(PLAN)).data;
  if (!record || record.generation !== number) return null;
  const same = record.machine === planning?.machine && record.recall_target === planning.recallTarget;
  return same ? record : null;
}

/** Rows of a generation that are there no more. */
function goneFrom(base: Generation | null, labels: LabelColumn): number[] {
  const gone: number[] = [];
  const rows = base?.rows ?? new Int32Array(0);
  for (let i = 0; i < rows.length; i++) if (!labels.has(rows[i]!)) gone.push(rows[i]!);
  return gone;
}

/** One of another format counts as none: the next rebuild makes it anew. */
function readCalibration(store: Store): CalibrationRecord | null {
  return calibrationRecord.safeParse(store.record(CALIBRATION)).data ?? null;
}
