import {
  createDuplicateGroups,
  type DuplicateGroups,
  type DuplicateMember,
} from '../core/duplicate-groups.js';
import type { HashedRow, Store } from '../core/ports.js';
import type { Progress } from './jobs.js';
import { rowsOf, type SurveyParts, survey } from './survey.js';

/** Groups of pictures that are the same: each picture's nearest others are looked at once, and equal files are joined. */
export interface ReportParts extends SurveyParts {
  now: () => string; // ISO 8601
}

/** What a report says of itself; saved with it. */
export interface ReportHead {
  computed_at: string; // ISO 8601
  changes: number; // of the collection when it began
}

export interface DuplicatesHead extends ReportHead {
  groups: number; // that were found
  pictures: number; // in them
}

/** One group as it is saved. */
export interface SavedGroup {
  size: number;
  members: DuplicateMember[]; // the first 100
}

/** The name of the record for a smallest score. */
export const duplicatesRecord = (min_score: number) => `duplicates ${min_score.toFixed(2)}`;

/** Others looked at of each picture. A larger group hangs together by them. */
const NEIGHBOURS = 20;
/** Rounding of scores: a copy may be at 0.9999999. */
const ROUNDING = 1e-6;
const MOST_GROUPS = 10_000;
const MOST_MEMBERS = 100;
const PAGE = 5000;

/** Makes the report anew and saves it. Throws `aborted`; then the one before stays. */
export async function reportDuplicates(
  parts: ReportParts,
  { min_score }: { min_score: number },
  { signal, report }: Progress,
): Promise<Record<string, unknown>> {
  const { store, collection } = parts;
  const head = { computed_at: parts.now(), changes: store.changes() };
  const mark = store.highWaterMark();
  const groups = createDuplicateGroups(mark + 1);
  report({ total: collection.size });
  let done = 0;
  for await (const batch of survey(parts, { rows: rowsOf(store), k: NEIGHBOURS, signal })) {
    for (const { row, others } of batch)
      for (const other of others)
        if (other.score >= min_score - ROUNDING && Math.max(row, other.row) <= mark)
          groups.join(row, other.row, other.score);
    done += batch.length;
    report({ done });
  }
  await joinEqualFiles(parts, { groups, mark, signal });
  return save(store, { ...head, min_score }, groups);
}

async function joinEqualFiles(
  { store, yieldToRequests }: ReportParts,
  { groups, mark, signal }: { groups: DuplicateGroups; mark: number; signal: AbortSignal },
): Promise<void> {
  let last: HashedRow | null = null;
  for (;;) {
    signal.throwIfAborted();
    const page: HashedRow[] = store.hashesInOrder(last, PAGE);
    if (page.length === 0) return;
    for (const one of page) {
      if (last?.sha256 === one.sha256 && one.row <= mark) groups.joinSame(last.row, one.row);
      last = one;
    }
    await yieldToRequests();
  }
}

function save(
  store: Store,
  { min_score, ...head }: ReportHead & { min_score: number },
  { list }: DuplicateGroups,
) {
  const found = list();
  const pictures = found.reduce((sum, { members }) => sum + members.length, 0);
  const entries = found
    .slice(0, MOST_GROUPS)
    .map(({ members }): SavedGroup => ({ size: members.length, members: members.slice(0, MOST_MEMBERS) }));
  const value: DuplicatesHead = { ...head, groups: found.length, pictures };
  store.saveRecord(duplicatesRecord(min_score), value, entries);
  return { groups: value.groups, pictures };
}
