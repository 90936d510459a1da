import { DEFAULT_COLLECTION } from '../core/collection-name.js';
import type { Job } from '../core/types.js';
import type { Active, Collections } from './collections.js';
import type { JobRequest, Jobs, Started } from './jobs.js';
import { rebuildIfNeeded } from './upkeep.js';

/** What a start does after the door is open: bring the collection up to its source, then the index up to the collection. */
export interface BringUpParts {
  jobs: Jobs;
  collections: Collections;
  /** Measures what the planner goes by, of a collection whose index is not new. */
  plan: (active: Active) => Promise<void>;
}

/** What is to be indexed: a folder, the shipped bank, or nothing but what is there. */
export type Source = { kind: 'folder'; folder: string; prune: boolean } | { kind: 'demo' } | { kind: 'none' };

/** Resolves to the jobs that ran, in their order; a failed import ends the list. */
export async function bringUp(parts: BringUpParts, source: Source): Promise<Job[]> {
  const ran: Job[] = [];
  const resumed = parts.jobs.resume().filter(({ job }) => job.kind !== 'report'); // nothing waits for a report
  for (const { finished } of [...resumed, ...startImport(parts, source, resumed)]) ran.push(await finished);
  if (ran.at(-1)?.state === 'failed') return ran;
  for (const { name } of parts.collections.list()) {
    const rebuild = rebuildIfNeeded(parts, name);
    if (rebuild) ran.push(await rebuild.finished);
    else await parts.collections.get(name).using(parts.plan);
  }
  return ran;
}

/** The import of the start; none when one that was interrupted does the same. */
function startImport(parts: BringUpParts, source: Source, resumed: readonly Started[]): Started[] {
  const parameters = parametersOf(parts, source);
  if (parameters === null) return [];
  const request: JobRequest = { kind: 'import', collection: DEFAULT_COLLECTION, parameters };
  const same = ({ kind, collection, parameters }: JobRequest) =>
    JSON.stringify([kind, collection, parameters]) ===
    JSON.stringify([request.kind, request.collection, request.parameters]);
  return resumed.some(({ job }) => same(job)) ? [] : [parts.jobs.start(request)];
}

function parametersOf({ collections, jobs }: BringUpParts, source: Source): JobRequest['parameters'] | null {
  if (source.kind === 'none') return null;
  if (source.kind === 'folder') return { source: 'folder', folder: source.folder, prune: source.prune };
  // Only into an empty collection: what is there may be a folder's, from an import that was cut short.
  if (collections.get(DEFAULT_COLLECTION).active.collection.size > 0) return null;
  // The bank never changes: once is enough, and what a person deletes from it stays deleted.
  const done = jobs.list(1000).some(({ kind, state }) => kind === 'import' && state === 'succeeded');
  return done ? null : { source: 'demo' };
}
