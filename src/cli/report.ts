import type { Job } from '../core/types.js';
import type { SwapResult } from '../flow/swap-model.js';
import { describeSwap } from './describe-swap.js';
import { duration } from './progress.js';

/** What jobs did, in sentences. */
export const describeJobs = (jobs: readonly Job[]): string[] => jobs.flatMap(describeJob);

const UNREADABLE_SHOWN = 20;

function describeJob(job: Job): string[] {
  if (job.state !== 'succeeded') return [`${job.kind} ${job.state}: ${job.error ?? 'no reason given'}`];
  const seconds = (Date.parse(job.finished_at!) - Date.parse(job.started_at!)) / 1000;
  if (job.kind === 'reindex' && job.result && 'model' in job.result)
    return describeSwap(job.result as unknown as SwapResult, seconds);
  if (job.kind === 'reindex')
    return [`index generation ${job.result?.generation}: ${job.result?.rows} rows in ${duration(seconds)}`];
  if (job.kind === 'report') return [`report made in ${duration(seconds)}`];
  if (job.kind === 'snapshot')
    return [`snapshot ${job.result?.id}: ${job.result?.bytes} bytes in ${duration(seconds)}`];
  if (job.parameters.source !== 'folder' && job.result?.refused !== undefined) return entries(job, seconds);
  const { found, embedded, copied, unchanged, renamed, removed, missing, imported, bank } =
    job.result as Record<string, number>;
  if (bank !== undefined) return [`imported ${imported} pictures of ${bank} in ${duration(seconds)}`];
  const rate = seconds > 0 ? `, ${(embedded! / seconds).toFixed(0)} pictures/s` : '';
  const parts = [
    `${embedded} embedded`,
    ...some(copied, 'copied from equal files'),
    ...some(unchanged, 'unchanged'),
    ...some(renamed, 'renamed'),
    ...some(removed, 'removed'),
  ];
  return [
    `${found} picture files: ${parts.join(', ')} in ${duration(seconds)}${rate}`,
    ...(missing ? [`${missing} pictures are no longer in the folder; --prune takes them out`] : []),
    ...unreadable(job),
  ];
}

/** An import of an archive, of lines or of a bank. */
function entries({ result }: Job, seconds: number): string[] {
  const counts = result as Record<string, number>;
  const parts = [
    ...some(counts.embedded, 'embedded'),
    ...some(counts.imported, 'vectors taken'),
    ...some(counts.copied, 'copied from equal files'),
    ...some(counts.unchanged, 'unchanged'),
    ...some(counts.updated, 'of them with another label or metadata'),
    ...some(counts.duplicates, 'duplicates passed over'),
    ...some(counts.refused, 'refused'),
  ];
  return [
    `${counts.found} entries: ${parts.join(', ')} in ${duration(seconds)}`,
    ...(counts.replaced ? [`${counts.replaced} took the place of what was there`] : []),
    ...(counts.ignored ? [`${counts.ignored} files are no pictures and were passed over`] : []),
  ];
}

const some = (count: number | undefined, what: string) => (count ? [`${count} ${what}`] : []);

function unreadable({ result }: Job): string[] {
  const files = (result?.unreadable ?? []) as { path: string; reason: string }[];
  if (files.length === 0) return [];
  const more = files.length - UNREADABLE_SHOWN;
  return [
    `${files.length} files could not be read:`,
    ...files.slice(0, UNREADABLE_SHOWN).map(({ path, reason }) => `  ${path}: ${reason}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}
