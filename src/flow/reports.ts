import { LookalikeError } from '../core/errors.js';
import type { Store } from '../core/ports.js';
import type { Item, Job } from '../core/types.js';
import type { NamedCollection } from './collections.js';
import { thumbnailPath } from './image-view.js';
import type { Jobs } from './jobs.js';
import {
  type DuplicatesHead,
  duplicatesRecord,
  type ReportHead,
  type SavedGroup,
} from './report-duplicates.js';
import { LABELS_RECORD, type LabelsHead, type SavedDoubt } from './report-labels.js';
import type {
  DuplicatesPage,
  JobAnswer,
  LabelsPage,
  PageRequest,
  PictureRef,
  Reported,
  ReportPage,
} from './service.js';

/**
 * Reports as they are asked for. One that was never made, or is older than the last change of its collection, is queued;
 * an old one is answered meanwhile. Pictures are shown as they are now: those that are gone since are left out.
 */
export interface ReportsParts {
  jobs: Jobs;
  named: NamedCollection;
  /** A job as it is told. */
  answered: (job: Job) => JobAnswer;
}

export function duplicates(
  parts: ReportsParts,
  { min_score, ...request }: PageRequest & { min_score: number },
): Reported<DuplicatesPage> {
  const name = duplicatesRecord(min_score);
  const found = read<DuplicatesHead, SavedGroup>(parts, {
    ...request,
    name,
    parameters: { report: 'duplicates', min_score },
  });
  if (!('head' in found)) return found;
  const { head, entries, page, job } = found;
  const { store } = parts.named.active;
  const groups = entries.flatMap((group) => shownGroup(store, group));
  return {
    page: { ...page, min_score, groups_found: head.groups, pictures_found: head.pictures, groups },
    job,
  };
}

export function labelReport(parts: ReportsParts, request: PageRequest): Reported<LabelsPage> {
  const found = read<LabelsHead, SavedDoubt>(parts, {
    ...request,
    name: LABELS_RECORD,
    parameters: { report: 'labels' },
  });
  if (!('head' in found)) return found;
  const { head, entries, page, job } = found;
  const { store } = parts.named.active;
  return {
    page: {
      ...page,
      judged: head.judged,
      doubts_found: head.doubtful,
      doubts: entries.flatMap((doubt) => shownDoubt(store, doubt)),
      labels_found: head.label_count,
      labels: head.labels,
    },
    job,
  };
}

interface Wanted extends PageRequest {
  name: string; // of the record
  parameters: Job['parameters']; // of the job that makes it
}

type Found<Head, Entry> =
  | { head: Head; entries: Entry[]; page: ReportPage; job: JobAnswer | null }
  | { page: null; job: JobAnswer };

function read<Head extends ReportHead, Entry>(parts: ReportsParts, wanted: Wanted): Found<Head, Entry> {
  const { store } = parts.named.active;
  const { name, after, limit } = wanted;
  const head = store.record(name) as Head | undefined;
  if (!head) return { page: null, job: queued(parts, wanted) };
  if (after && after.computed_at !== head.computed_at)
    throw new LookalikeError(
      'invalid_parameter',
      `the cursor is of the report of ${after.computed_at}, which was made anew at ${head.computed_at}: begin again without it`,
      { field: 'cursor' },
    );
  const stale = store.changes() !== head.changes;
  const job = stale ? queued(parts, wanted) : null;
  const found = store.recordEntries(name, after?.place ?? 0, limit + 1);
  const shown = found.slice(0, limit);
  const { computed_at } = head;
  const next = found.length > limit ? { computed_at, place: shown.at(-1)!.place } : null;
  const entries = shown.map(({ value }) => value as Entry);
  return { head, entries, page: { computed_at, stale, next }, job };
}

/** One job at a time makes a report: the one that waits or runs, else a new one. */
function queued({ jobs, named, answered }: ReportsParts, { parameters }: Wanted): JobAnswer {
  const request = { kind: 'report', collection: named.name, parameters } as const;
  return answered(jobs.find(request) ?? jobs.start(request).job);
}

function shownGroup(store: Store, { size, members }: SavedGroup): DuplicatesPage['groups'] {
  const there = members.flatMap(({ row, score, exact }) => {
    const item = store.itemByRow(row);
    return item ? [{ item, score, exact }] : [];
  });
  if (there.length < 2) return [];
  const keep = there.map(({ item }) => item).reduce((best, item) => (isBetter(item, best) ? item : best));
  return [
    {
      size,
      keep: keep.id,
      members: there.map(({ item, score, exact }) => ({ ...refOf(item, store), score, exact })),
    },
  ];
}

/** The larger picture, of equal ones the older. */
function isBetter(one: Item, other: Item): boolean {
  const [a, b] = [pixelsOf(one), pixelsOf(other)];
  return a !== b ? a > b : one.created_at < other.created_at;
}

const pixelsOf = ({ picture }: Item) => (picture ? picture.width * picture.height : 0);

/** Nothing when the picture has another label by now. */
function shownDoubt(store: Store, { row, label, neighbours, ...doubt }: SavedDoubt): LabelsPage['doubts'] {
  const item = store.itemByRow(row);
  if (item?.label !== label) return [];
  const near = neighbours.flatMap((one) => {
    const other = store.itemByRow(one.row);
    return other ? [{ ...refOf(other, store), score: one.score }] : [];
  });
  return [{ ...refOf(item, store), ...doubt, neighbours: near }];
}

function refOf({ id, label }: Item, { collection }: Store): PictureRef {
  return { id, label, thumbnail: thumbnailPath(id, collection) };
}
