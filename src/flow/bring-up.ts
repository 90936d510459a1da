import type { Job } from '../core/types.js';
import type { Collection } from './collection.js';
import { type BankSource, importBank } from './import-bank.js';
import { type ImportParts, importFolder } from './import-folder.js';
import type { Jobs } from './jobs.js';
import { type ReindexParts, reindex } from './reindex.js';

/** What a start does after the door is open: bring the collection up to its source, then the index up to the collection. */
export interface BringUpParts extends ReindexParts, ImportParts {
  jobs: Jobs;
}

/** What is to be indexed: a folder, the shipped bank, or nothing but what is there. */
export type Source =
  | { kind: 'folder'; folder: string; prune: boolean }
  | { kind: 'bank'; read: () => Promise<BankSource> }
  | { kind: 'none' };

/** Resolves to the jobs that ran, in their order; a failed import ends the list. */
export async function bringUp(parts: BringUpParts, source: Source): Promise<Job[]> {
  const ran: Job[] = [];
  const imported = await runImport(parts, source);
  if (imported) ran.push(imported);
  if (imported?.state === 'failed') return ran;
  if (needsRebuild(parts.collection)) ran.push(await startReindex(parts).finished);
  return ran;
}

export const startReindex = (parts: ReindexParts & { jobs: Jobs }) =>
  parts.jobs.start('reindex', (progress) => reindex(parts, progress));

async function runImport(parts: BringUpParts, source: Source): Promise<Job | null> {
  if (source.kind === 'none') return null;
  if (source.kind === 'folder')
    return parts.jobs.start('import', (progress) => importFolder(parts, source, progress)).finished;
  // Only into an empty collection: what is there may be a folder's, from an import that was cut short.
  if (parts.collection.size > 0) return null;
  // The bank never changes: once is enough, and what a person deletes from it stays deleted.
  const done = parts.jobs.list(1000).some(({ kind, state }) => kind === 'import' && state === 'succeeded');
  if (done) return null;
  return parts.jobs.start('import', async (progress) => importBank(parts, await source.read(), progress))
    .finished;
}

/** Fresh rows are scanned one by one and removed ones are searched past: both stay few. */
const FRESH_ROWS = 1000;
const SHARE = 0.1;

export function needsRebuild({ generation, freshRows, removedRows }: Collection): boolean {
  const rows = generation?.rows.length ?? 0;
  if (!generation) return freshRows > 0;
  return freshRows > Math.max(FRESH_ROWS, rows * SHARE) || removedRows > Math.max(FRESH_ROWS, rows * SHARE);
}
