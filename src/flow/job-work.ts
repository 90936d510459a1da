import { LookalikeError } from '../core/errors.js';
import type { Snapshots } from '../core/ports.js';
import type { Job, JobKind } from '../core/types.js';
import { type BankSource, importBank } from './import-bank.js';
import { type ImportParts, importFolder } from './import-folder.js';
import type { Work } from './jobs.js';
import { reindex } from './reindex.js';
import { type SwapParts, swapModel } from './swap-model.js';

/** What does the work of each kind of job. */
export interface WorkParts
  extends Omit<ImportParts, 'manifest' | 'embedder' | 'store' | 'collection'>,
    SwapParts {
  /** The shipped bank. Throws `bank_mismatch` when another model made it. */
  readDemo: (modelSha256: string) => Promise<BankSource>;
  snapshots: Snapshots;
  /** Runs a step during which no file of a picture is removed. */
  whileNotSwept: <T>(step: () => Promise<T>) => Promise<T>;
  now: () => string; // ISO 8601
}

export function jobWork(parts: WorkParts): Record<JobKind, Work> {
  const activeOf = ({ collection }: Readonly<Job>) => parts.collections.get(collection!);
  return {
    import: (job, progress) =>
      activeOf(job).using(async (active) => {
        const { parameters } = job;
        switch (parameters.source) {
          case 'folder':
            return importFolder(
              { ...parts, ...active },
              parameters as { folder: string; prune: boolean },
              progress,
            );
          case 'demo':
            return importBank(active, await parts.readDemo(active.manifest.sha256), progress);
          default:
            throw new LookalikeError('internal', `no import is known from ${String(parameters.source)}`);
        }
      }),
    // What is deleted meanwhile is swept after it: a file that the snapshot is about to read must not vanish.
    snapshot: async (_, { signal, report }) =>
      parts.whileNotSwept(async () => ({
        ...(await parts.snapshots.create({ now: parts.now(), signal, report })),
      })),
    // A swap replaces what answers, so it is no flow that uses it.
    reindex: (job, progress) =>
      job.parameters.model === undefined
        ? activeOf(job).using((active) => reindex({ ...parts, ...active }, progress))
        : swapModel(parts, { ...job, named: activeOf(job) }, progress),
  };
}
