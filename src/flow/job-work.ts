import { LookalikeError } from '../core/errors.js';
import type { Snapshots } from '../core/ports.js';
import type { Job, JobKind } from '../core/types.js';
import { type CalibrateParts, calibrateCollection } from './calibrate-collection.js';
import type { Active } from './collections.js';
import { type BankSource, importBank } from './import-bank.js';
import { importFolder } from './import-folder.js';
import { type ImportJobParts, importFrom } from './import-job.js';
import type { Progress, Work } from './jobs.js';
import { type MeasureParts, planCollection } from './measure-plan.js';
import { reindex } from './reindex.js';
import { reportDuplicates } from './report-duplicates.js';
import { reportLabels } from './report-labels.js';
import { type SwapParts, swapModel } from './swap-model.js';

/** What does the work of each kind of job. */
export interface WorkParts
  extends Omit<ImportJobParts, keyof Active | 'database'>,
    SwapParts,
    Omit<MeasureParts, 'store'>,
    Pick<CalibrateParts, 'precision' | 'startFit'> {
  /** The shipped bank. Throws `bank_mismatch` when another model made it. */
  readDemo: (modelSha256: string) => Promise<BankSource>;
  database: SwapParts['database'] & ImportJobParts['database'];
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
          case 'upload':
          case 'path':
            return importFrom({ ...parts, ...active }, job, progress);
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
    reindex: async (job, progress) => {
      const named = activeOf(job);
      const result =
        job.parameters.model === undefined
          ? await named.using((active) => reindex({ ...parts, ...active }, progress))
          : await swapModel(parts, { ...job, named }, progress);
      await named.using((active) => planCollection({ ...parts, ...active }, progress.signal));
      await named.using((active) => calibrateCollection({ ...parts, ...active }, progress));
      return result;
    },
    report: (job, progress) =>
      activeOf(job).using((active) => report(whileItAnswers(parts, active), job, progress)),
  };
}

type ReportingParts = WorkParts & Active;

function report(parts: ReportingParts, { parameters }: Readonly<Job>, progress: Progress) {
  switch (parameters.report) {
    case 'duplicates':
      return reportDuplicates(parts, parameters as { min_score: number }, progress);
    case 'labels':
      return reportLabels(parts, progress);
    default:
      throw new LookalikeError('internal', `no report is known by the name ${String(parameters.report)}`);
  }
}

/** A report takes long: it gives up once its collection is gone or is of another model, instead of holding that up. */
function whileItAnswers(parts: WorkParts, active: Active): ReportingParts {
  const { collection, store } = active;
  const yieldToRequests = async () => {
    await parts.yieldToRequests();
    if (parts.collections.get(store.collection).active.collection === collection) return;
    throw new LookalikeError(
      'aborted',
      'another model answers for the collection now: ask for the report again',
    );
  };
  return { ...parts, ...active, yieldToRequests };
}
