import { LookalikeError } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import type { Database } from '../core/ports.js';
import type { Job } from '../core/types.js';
import type { NamedCollection } from './collections.js';
import type { Jobs } from './jobs.js';
import type { ReindexRequest, SwitchRequest } from './service.js';
import type { SwapParameters } from './swap-model.js';

/** What is asked of the index of a collection, checked and queued as a job. */
export interface RequestParts {
  jobs: Jobs;
  database: Pick<Database, 'spaces'>;
  /** By SHA-256, name, or the beginning of a SHA-256. Throws `not_found` and `invalid_parameter`, field `model`. */
  knownModels: { get(which: string): Promise<{ manifest: ModelManifest }> };
}

/** From the bank, or with another model. Throws what `knownModels.get` throws, and `nothing_to_switch`. */
export async function requestReindex(
  parts: RequestParts,
  named: NamedCollection,
  request: ReindexRequest,
  onCommit?: (job: Job) => void,
): Promise<Job> {
  if (request.model === undefined)
    return parts.jobs.start({ kind: 'reindex', collection: named.name, parameters: {} }, onCommit).job;
  const { manifest } = await parts.knownModels.get(request.model);
  return start(parts, named, { manifest, parameters: { ...request, report: true }, onCommit });
}

/** To the model that an earlier reindex prepared; the only one when none is named. */
export async function requestSwitch(
  parts: RequestParts,
  named: NamedCollection,
  request: SwitchRequest & { model?: string },
  onCommit?: (job: Job) => void,
): Promise<Job> {
  const idle = [named.active.manifest.sha256, named.previousModel];
  const prepared = parts.database.spaces(named.name).map(({ model_sha256 }) => model_sha256);
  const [waiting] = prepared.filter((sha256) => !idle.includes(sha256));
  const which = request.model ?? waiting;
  const { manifest } = which === undefined ? nothingPrepared(named) : await parts.knownModels.get(which);
  if (!prepared.includes(manifest.sha256)) nothingPrepared(named, manifest);
  return start(parts, named, { manifest, parameters: { ...request, report: false }, onCommit });
}

/** Back to the model before the last switch. */
export async function requestRollback(
  parts: RequestParts,
  named: NamedCollection,
  request: SwitchRequest,
  onCommit?: (job: Job) => void,
): Promise<Job> {
  const previous = named.previousModel;
  if (previous === null)
    throw new LookalikeError(
      'nothing_to_switch',
      `the collection "${named.name}" has no model to go back to: none was switched, or what it had made was not kept`,
    );
  const { manifest } = await parts.knownModels.get(previous);
  return start(parts, named, { manifest, parameters: { ...request, report: false }, onCommit });
}

function nothingPrepared({ name }: NamedCollection, manifest?: ModelManifest): never {
  const what = manifest ? `the model ${manifest.name} is not` : 'no model is';
  throw new LookalikeError(
    'nothing_to_switch',
    `${what} prepared for the collection "${name}"; POST /v1/reindex with a model does that`,
    { field: 'model' },
  );
}

function start(
  { jobs }: RequestParts,
  named: NamedCollection,
  asked: {
    manifest: ModelManifest;
    parameters: Partial<SwapParameters>;
    onCommit: ((job: Job) => void) | undefined;
  },
): Job {
  const { sha256, name } = asked.manifest;
  if (sha256 === named.active.manifest.sha256)
    throw new LookalikeError(
      'nothing_to_switch',
      `the model ${name} answers already; without a model the index is made anew from its vectors`,
      { field: 'model' },
    );
  const { switch: when = 'auto', missing = 'refuse', keep_previous = true, report = true } = asked.parameters;
  const parameters: SwapParameters = { model: sha256, switch: when, missing, keep_previous, report };
  return jobs.start(
    { kind: 'reindex', collection: named.name, parameters: { ...parameters } },
    asked.onCommit,
  ).job;
}
