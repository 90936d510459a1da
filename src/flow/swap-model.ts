import { LookalikeError } from '../core/errors.js';
import type { Database, Generation, Models, OpenModel } from '../core/ports.js';
import type { Job } from '../core/types.js';
import type { Collections, NamedCollection } from './collections.js';
import { compareModels, type Report } from './compare-models.js';
import {
  type Filling,
  type FillParts,
  fillSpace,
  forgetRemoved,
  type Missing,
  newFilling,
} from './fill-space.js';
import type { Progress } from './jobs.js';
import { buildGeneration } from './reindex.js';
import { FRESH_ROWS } from './upkeep.js';

/**
 * Another model for a collection, without new uploads: embed the stored pictures -> build the index -> compare with the
 * model that answers -> switch in one step. The old model answers until then, and everything that an interrupted run
 * has made is there for the next one. The database says which model answers, so after a crash it is one or the other.
 */
export interface SwapParts extends FillParts {
  collections: Collections;
  models: Models;
  database: Pick<Database, 'addSpace' | 'spaces'>;
}

/** What was asked; a job keeps it as its parameters. */
export interface SwapParameters {
  model: string; // SHA-256
  switch: 'auto' | 'manual'; // manual: prepare and compare, and leave the switch to another call
  missing: 'refuse' | 'drop'; // of pictures that cannot be read any more
  keep_previous: boolean; // so that there is a way back
  report: boolean;
}

export interface SwapResult extends Record<string, unknown> {
  model: string;
  name: string;
  switched: boolean;
  awaiting_switch: boolean;
  embedded: number; // by this run
  /** Pictures that could not be embedded, and the first 1,000 of them. After a switch they stay in the collection, unfound. */
  missing: { count: number; first: Missing[] };
  generation: number | null;
  report: Report | null;
}

export async function swapModel(
  parts: SwapParts,
  { named, parameters, result }: Pick<Job, 'parameters' | 'result'> & { named: NamedCollection },
  progress: Progress,
): Promise<SwapResult> {
  const asked = parameters as unknown as SwapParameters;
  await forgetOthers(parts, named, asked.model);
  const model = await parts.models.open(asked.model);
  const earlier = (result ?? blankResult(asked.model, model.manifest.name)) as SwapResult;
  const swap: Swap = { parts, named, asked, model, progress, result: earlier, switched: false };
  try {
    if (named.active.manifest.sha256 !== asked.model) {
      await prepareAndSwitch(swap);
      if (!swap.switched) return tell(progress, earlier, { awaiting_switch: true });
    }
    // Here too when an earlier run was cut off between its switch and its end.
    if (!asked.keep_previous && named.previousModel !== null)
      await parts.collections.forget(named.name, named.previousModel, parts.yieldToRequests);
    await forgetOthers(parts, named, asked.model);
    return tell(progress, earlier, { switched: true, awaiting_switch: false });
  } finally {
    if (!swap.switched) await model.release();
  }
}

/** What the steps of one swap share. */
interface Swap {
  parts: SwapParts;
  named: NamedCollection;
  asked: SwapParameters;
  model: OpenModel;
  progress: Progress;
  result: SwapResult; // kept up to date; the job shows it
  switched: boolean; // then model and generation are the collection's to close
}

async function prepareAndSwitch(swap: Swap): Promise<void> {
  const { parts, named, asked, model, progress } = swap;
  const { sha256, dimension } = model.manifest;
  const store = parts.database.addSpace(named.name, { model_sha256: sha256, dimension });
  const filling = newFilling(store, model);
  progress.report({ total: store.count(), done: 0, failures: 0 });
  await fill(swap, filling);
  if (asked.switch === 'auto') refuseMissing(swap, filling);
  const generation = await openGeneration(swap, filling);
  try {
    tell(progress, swap.result, { generation: generation.number });
    if (asked.report) await report(swap, filling, generation);
    if (asked.switch === 'auto') await switchOver(swap, filling, generation);
  } finally {
    if (!swap.switched) await generation.close();
  }
}

async function fill({ parts, progress, result }: Swap, filling: Filling): Promise<void> {
  const embedded = filling.embedded;
  const all = filling.store.count();
  await fillSpace(parts, filling, {
    signal: progress.signal,
    report: (update) => progress.report({ ...update, total: Math.max(all, filling.done) }),
  });
  await forgetRemoved(parts, filling);
  const { missing, listed } = filling;
  tell(progress, result, {
    embedded: result.embedded + filling.embedded - embedded,
    missing: { count: missing.size, first: listed },
  });
}

/** Throws `pictures_missing` when pictures would be left out that nobody said may be. */
function refuseMissing({ asked, model }: Swap, { missing, listed, store }: Filling): void {
  if (missing.size === 0) return;
  const all = store.count();
  if (asked.missing === 'drop' && missing.size < all) return;
  const { id, reason } = listed[0] ?? { id: '?', reason: 'unknown' };
  throw new LookalikeError(
    'pictures_missing',
    `${missing.size} of ${all} pictures cannot be embedded by ${model.manifest.name}; the first is ${JSON.stringify(id)}: ${reason}. ` +
      'Nothing was switched. Import them again from where they are now, or remove them; ' +
      (missing.size < all
        ? 'or switch with missing=drop: they stay in the collection, and are not found until they are imported again.'
        : 'with missing=drop nothing would be left to be found.'),
    { field: 'missing' },
  );
}

/** The newest generation of the space when it holds nearly all of it, else a new one. */
async function openGeneration({ parts, progress }: Swap, { store, embedded }: Filling): Promise<Generation> {
  const generations = parts.collections.generationsOf(store);
  // One that is broken is put aside and made anew: nobody has searched it.
  const newest = await generations.openNewest(() => undefined);
  if (
    newest &&
    embedded <= FRESH_ROWS &&
    store.labelsInRowOrder(newest.mark, FRESH_ROWS + 1).length <= FRESH_ROWS
  )
    return newest;
  await newest?.close();
  const { signal } = progress;
  const { yieldToRequests } = parts;
  const next = await buildGeneration(
    { store, generations, yieldToRequests },
    { signal, report: () => undefined },
  );
  await generations.prune(1);
  return next;
}

async function report({ named, model, progress, result }: Swap, { store }: Filling, generation: Generation) {
  const { name, temperature } = model.manifest;
  const compared = await named.using((active) =>
    compareModels(active, { store, generation, temperature, name }, progress.signal),
  );
  tell(progress, result, { report: compared });
}

/** What came meanwhile is embedded first, the last of it while no write is under way; then check and switch in one turn. */
async function switchOver(swap: Swap, filling: Filling, generation: Generation): Promise<void> {
  const { parts, named, model } = swap;
  const { store } = filling;
  await fill(swap, filling);
  const { closed } = await named.writes.alone(async () => {
    do await fill(swap, filling);
    while (store.withoutVector(filling.mark, 1).length > 0);
    refuseMissing(swap, filling);
    swap.progress.signal.throwIfAborted();
    const closed = parts.collections.switchTo(named.name, { model, store, generation });
    swap.switched = named.active.store === store;
    return { closed };
  });
  await closed; // out of the lock: a search that takes long holds up no write
}

/** Removes the spaces that nothing leads to any more: neither the one that answers, nor the one before, nor the wanted one. */
async function forgetOthers(
  { collections, database, yieldToRequests }: SwapParts,
  named: NamedCollection,
  wanted: string,
) {
  const kept = [named.active.manifest.sha256, named.previousModel, wanted];
  for (const { model_sha256 } of database.spaces(named.name))
    if (!kept.includes(model_sha256)) await collections.forget(named.name, model_sha256, yieldToRequests);
}

function tell(progress: Progress, result: SwapResult, update: Partial<SwapResult>): SwapResult {
  Object.assign(result, update);
  progress.report({ result: { ...result } });
  return result;
}

const blankResult = (model: string, name: string): SwapResult => ({
  model,
  name,
  switched: false,
  awaiting_switch: false,
  embedded: 0,
  missing: { count: 0, first: [] },
  generation: null,
  report: null,
});
