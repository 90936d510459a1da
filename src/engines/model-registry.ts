import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError } from '../core/errors.js';
import type { Inspection } from '../core/inspection.js';
import type { ModelManifest } from '../core/manifests.js';
import { sameEmbedding } from '../core/model-description.js';
import { syncFolder } from './files.js';
import { chosen, identify, type Placed } from './model-choice.js';
import { type AddOptions, checkAsked, fillDraft, type Inspecting, inspecting } from './model-draft.js';
import {
  createEntryReader,
  type ModelEntry,
  type Place,
  placesIn,
  type WholeEntry,
} from './model-entries.js';
import { readGivenModel } from './model-folder.js';

/**
 * The encoders that a data folder knows: `models/<sha256>/` with `encoder.onnx` and `manifest.json`. One process
 * owns the folder, as it does the rest of the data folder.
 */
export interface RegistryOptions {
  folder: string; // `models/` in the data folder; made with the first model
  start: string; // folder of the model that the service starts with: listed, never removed
  /** Tries an ONNX file; throws when it is no encoder. `inspectModel` of `onnx-inspect.ts`. */
  inspect(path: string, options: Inspecting): Promise<Inspection>;
}

export interface Added {
  entry: WholeEntry;
  added: boolean; // false: it was there before
  inspection: Inspection;
}

export interface ModelRegistry {
  /** The model that the service starts with; its encoder is read once. Throws as `readModel`. */
  start(): Promise<ModelManifest>;
  /**
   * Inspects what `path` holds, copies it and registers it. The same model again gives the entry that is there, under
   * its first name. Throws `model_missing`, `model_invalid` (saying what was found), `invalid_parameter` (a name that
   * is taken or not allowed, options that do not fit) and `aborted`; then nothing is left behind.
   */
  add(path: string, options?: AddOptions): Promise<Added>;
  /** All models, the start model first; damaged ones with the reason. Reads every encoder that is new or changed. */
  list(): Promise<ModelEntry[]>;
  /**
   * The model with this SHA-256, else with this name, else the only one whose SHA-256 begins so (4 digits or more).
   * Throws `not_found`, `invalid_parameter` when several begin so, `model_invalid` when it is damaged.
   */
  get(which: string): Promise<WholeEntry>;
  /** Deletes a model's folder, damaged or not. Throws like `get`, and `invalid_parameter` for the start model. */
  remove(which: string): Promise<void>;
}

/** Opens the registry and clears away what an interrupted addition or removal left. */
export async function openModelRegistry(options: RegistryOptions): Promise<ModelRegistry> {
  const { folder, start, inspect } = options;
  await clearDrafts(folder);
  const { entryOf: readEntry, manifestOf } = createEntryReader();
  const inTurn = createTurns();

  async function placed(): Promise<Placed[]> {
    const first = await identify({ folder: start, removable: false });
    const rest = await Promise.all((await placesIn(folder)).map(identify));
    return [first, ...rest.filter(({ sha256 }) => sha256 !== first.sha256)];
  }

  async function settle(draft: string, manifest: ModelManifest): Promise<Omit<Added, 'inspection'>> {
    const others = await placed();
    const twin = others.find(({ sha256 }) => sha256 === manifest.sha256);
    const known = twin && (await readEntry(twin));
    if (known?.fault === null) return { entry: sameOrRefused(known, manifest), added: false };
    refuseTakenName(
      manifest,
      others.filter((other) => other !== twin),
    );
    // What is damaged is replaced.
    if (twin?.removable) await discard(twin);
    const place = { folder: join(folder, manifest.sha256), removable: true };
    await rename(draft, place.folder);
    await syncFolder(folder);
    return { entry: whole(await readEntry(place)), added: true };
  }

  async function discard(place: Place): Promise<void> {
    const grave = join(folder, `${REMOVING}${randomUUID()}`);
    await rename(place.folder, grave);
    await syncFolder(folder);
    await rm(grave, { recursive: true, force: true });
  }

  async function add(path: string, asked: AddOptions): Promise<Added> {
    const given = await readGivenModel(path);
    const inspection = await inspect(given.onnxPath, inspecting(given, asked));
    const draft = join(folder, `${ADDING}${randomUUID()}`);
    await mkdir(draft, { recursive: true });
    try {
      const manifest = await fillDraft(draft, { given, inspection, asked });
      return { ...(await settle(draft, manifest)), inspection };
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  return {
    start: () => manifestOf(start),
    async add(path, asked = {}) {
      checkAsked(asked);
      return inTurn(() => add(path, asked));
    },
    async list() {
      const entries: ModelEntry[] = [];
      for (const place of await placed()) entries.push(await readEntry(place));
      return entries;
    },
    get: async (which) => whole(await readEntry(chosen(which, await placed()))),
    remove: (which) =>
      inTurn(async () => {
        const place = chosen(which, await placed());
        if (place.removable) return discard(place);
        throw new LookalikeError(
          'invalid_parameter',
          `${which} is the model that the service starts with: it stays`,
          {
            field: 'model',
          },
        );
      }),
  };
}

const ADDING = '.adding-';
const REMOVING = '.removing-';

async function clearDrafts(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((text) => text.startsWith(ADDING) || text.startsWith(REMOVING)))
    await rm(join(folder, name), { recursive: true, force: true });
}

/** Additions and removals run one after the other: an inspection may need all the memory that there is. */
function createTurns(): <T>(step: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => {
    const turn = last.then(step);
    last = turn.catch(() => {});
    return turn;
  };
}

function whole(entry: ModelEntry): WholeEntry {
  if (entry.fault === null) return entry;
  throw new LookalikeError(
    'model_invalid',
    `the model ${entry.sha256.slice(0, 12)} is damaged: ${entry.fault}`,
  );
}

function sameOrRefused(entry: WholeEntry, manifest: ModelManifest): WholeEntry {
  if (sameEmbedding(entry.manifest, manifest)) return entry;
  throw new LookalikeError(
    'invalid_parameter',
    `this encoder is registered as ${entry.manifest.name} with another preprocessing or output: remove that first`,
    { field: 'path' },
  );
}

function refuseTakenName({ name }: ModelManifest, others: readonly Placed[]): void {
  const taken = others.find((other) => other.name === name);
  if (!taken) return;
  throw new LookalikeError(
    'invalid_parameter',
    `the name ${name} belongs to the model ${taken.sha256.slice(0, 12)}: choose another name`,
    { field: 'name' },
  );
}
