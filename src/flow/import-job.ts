import { isDiskFull, LookalikeError, messageOf } from '../core/errors.js';
import type { BadEntry, ImportOrigin } from '../core/import-entry.js';
import type { Imports } from '../core/ports.js';
import type { Job } from '../core/types.js';
import { type EntriesOptions, type EntriesParts, importEntries } from './import-entries.js';
import { type ImportParts, importFolder } from './import-folder.js';
import type { Progress } from './jobs.js';

/** An import that was asked for: from an upload, or from what lies below the allowed folders. */
export interface ImportJobParts extends EntriesParts, Omit<ImportParts, keyof EntriesParts> {
  imports: Imports;
}

/** What the job remembers of the request. */
export interface ImportParameters extends EntriesOptions {
  source: 'upload' | 'path';
  origin: ImportOrigin;
  prune: boolean; // of a folder
  vectors_of: string; // SHA-256 of the model that the collection was of: ready vectors are of it
}

export async function importFrom(
  parts: ImportJobParts,
  job: Readonly<Job>,
  progress: Progress,
): Promise<Record<string, unknown>> {
  const { origin, prune, ...options } = job.parameters as unknown as ImportParameters;
  const errors = await parts.imports.report(job.id);
  const report = `/v1/imports/${encodeURIComponent(job.id)}/errors`;
  const told: Progress = {
    signal: progress.signal,
    report: ({ result, ...update }) =>
      progress.report(result ? { ...update, result: { ...result, report } } : update),
  };
  try {
    if (origin.format === 'folder') {
      const { unreadable: _, ...result } = await importFolder(
        { ...parts, files: { ...parts.files, read: parts.imports.readFile } },
        { folder: origin.path!, prune, onRefused: (entry: BadEntry) => errors.add(entry) },
        progress,
      );
      return { ...result, report };
    }
    checkModel(parts, options.vectors_of, origin);
    const { model_sha256, dimension } = parts.store.identity;
    const model = { model_sha256, dimension };
    const source = await parts.imports.open(origin, { model, signal: progress.signal });
    return { ...(await importEntries(parts, { ...options, source, errors }, told)), report };
  } catch (thrown) {
    throw outOfRoom(thrown);
  } finally {
    await errors.close();
  }
}

/** A switch of models may have come between the request and its turn. */
function checkModel({ manifest }: ImportJobParts, vectorsOf: string, { format }: ImportOrigin): void {
  if (manifest.sha256 === vectorsOf || (format !== 'bank' && format !== 'ndjson')) return;
  throw new LookalikeError(
    'bank_mismatch',
    `the collection was of the model ${vectorsOf.slice(0, 12)}… when the import was asked for and is of ${manifest.sha256.slice(0, 12)}… now: ready vectors would be of the wrong one`,
  );
}

/** What is stored by then stays, and the same import again goes on from there. */
function outOfRoom(thrown: unknown): unknown {
  if (!isDiskFull(thrown)) return thrown;
  return new LookalikeError(
    'storage_full',
    `the disk of the data folder is full (${messageOf(thrown)}); what was imported by then is kept`,
    { cause: thrown },
  );
}
