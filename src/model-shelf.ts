import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError } from './core/errors.js';
import type { Database, ModelRecord, ModelShelf } from './core/ports.js';
import type { ModelEntry } from './engines/model-entries.js';
import type { ModelRegistry } from './engines/model-registry.js';
import { unpackFolder } from './engines/tar-folder.js';

/** The registry of models, with what the collections use of it and the way in for a model that was sent. */
export interface ModelShelfParts {
  dataDir: string;
  registry: ModelRegistry;
  database: Database;
}

export function createModelShelf({ dataDir, registry, database }: ModelShelfParts): ModelShelf {
  const usersOf = (sha256: string) =>
    database
      .collections()
      .map(({ name }) => name)
      .filter((name) => database.spaces(name).some(({ model_sha256 }) => model_sha256 === sha256));
  const record = ({ sha256, removable, manifest, fault }: ModelEntry): ModelRecord => ({
    sha256,
    name: manifest?.name ?? null,
    dimension: manifest?.dimension ?? null,
    input: manifest && { width: manifest.input.width, height: manifest.input.height },
    trained_on: manifest?.trained_on ?? null,
    terms: manifest?.terms ?? null,
    removable,
    used_by: usersOf(sha256),
    fault,
  });

  return {
    list: async () => (await registry.list()).map(record),
    async add(tar, { signal, ...asked }) {
      const sent = join(dataDir, 'models', `.sent-${process.pid}-${randomUUID()}`);
      try {
        await mkdir(sent, { recursive: true });
        await unpackFolder(tar, sent);
        const { entry, added, inspection } = await registry.add(await lone(sent), { ...asked, signal });
        const { milliseconds, threads, notes } = inspection;
        return { model: record(entry), added, inspection: { milliseconds, threads, notes } };
      } catch (thrown) {
        throw inTheSendersWords(thrown, sent);
      } finally {
        await rm(sent, { recursive: true, force: true });
      }
    },
    async remove(which) {
      const { sha256, name } = await find(registry, which);
      const users = usersOf(sha256);
      if (users.length > 0)
        throw new LookalikeError(
          'model_in_use',
          `the model ${name ?? sha256.slice(0, 12)} has vectors in ${users.join(', ')}; swap to another one, and drop the old vectors with keep_previous=false, or remove the collection`,
          { field: 'model' },
        );
      await registry.remove(sha256);
    },
  };
}

/** What is wrong with a model that was sent is the sender's to mend, and no path of ours. */
function inTheSendersWords(thrown: unknown, sent: string): unknown {
  if (!(thrown instanceof LookalikeError) || !['model_invalid', 'model_missing'].includes(thrown.code))
    return thrown;
  const message = thrown.message.replaceAll(`${sent}/`, '').replaceAll(sent, 'what was sent');
  return new LookalikeError('unusable_model', message, { field: 'model', cause: thrown });
}

/** What was packed as one folder is that folder. */
async function lone(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && (only!.isDirectory() || only!.name.endsWith('.onnx'))
    ? join(folder, only!.name)
    : folder;
}

/** Damaged ones too, by their hash: those above all have to be removable. */
async function find(
  registry: ModelRegistry,
  which: string,
): Promise<{ sha256: string; name: string | null }> {
  const damaged = (await registry.list()).find(({ sha256, fault }) => fault !== null && sha256 === which);
  if (damaged) return { sha256: damaged.sha256, name: null };
  const { sha256, manifest } = await registry.get(which);
  return { sha256, name: manifest.name };
}
