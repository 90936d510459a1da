import { LookalikeError } from '../core/errors.js';
import type { ImportOrigin } from '../core/import-entry.js';
import type { Imports } from '../core/ports.js';
import type { Job } from '../core/types.js';
import type { NamedCollection } from './collections.js';
import type { ImportParameters } from './import-job.js';
import type { Jobs } from './jobs.js';
import type { ImportRequest, InCollection } from './service.js';

/** What is asked to be imported, checked as far as can be at once, and queued as a job. */
export interface ImportRequestParts {
  jobs: Jobs;
  imports: Pick<Imports, 'locate' | 'check'>;
}

export async function requestImport(
  parts: ImportRequestParts,
  named: NamedCollection,
  { from, ...asked }: Omit<ImportRequest, keyof InCollection>,
  onCommit?: (job: Job) => void,
): Promise<Job> {
  const origin: ImportOrigin =
    'path' in from
      ? await parts.imports.locate(from.path, from.items)
      : { format: from.format, upload: from.upload };
  checkFits(origin, asked);
  await parts.imports.check(origin);
  const { on_duplicate = 'allow', update = false, prune = false } = asked;
  const source = 'path' in from ? 'path' : 'upload';
  const vectors_of = named.active.manifest.sha256;
  const parameters: ImportParameters = { source, origin, on_duplicate, update, prune, vectors_of };
  const request = { kind: 'import', collection: named.name, parameters: { ...parameters } } as const;
  return parts.jobs.start(request, onCommit).job;
}

/** A folder on this machine is followed file by file; everything else is taken entry by entry. */
function checkFits({ format }: ImportOrigin, asked: Partial<ImportRequest>): void {
  const folder = format === 'folder';
  const wrong = folder ? (['on_duplicate', 'update'] as const) : (['prune'] as const);
  const field = wrong.find((name) => asked[name] !== undefined);
  if (field === undefined) return;
  const why = folder ? 'a folder is followed as it is' : 'only a folder can be pruned';
  throw new LookalikeError('invalid_parameter', `${field} does not go with this: ${why}`, { field });
}
