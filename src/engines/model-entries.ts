import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { abortedError } from '../core/check-search.js';
import { LookalikeError, messageOf } from '../core/errors.js';
import { type ModelManifest, modelManifest } from '../core/manifests.js';
import { ENCODER_FILE, MANIFEST_FILE, parseManifest, readModel } from './manifest.js';

/** The folders of a model registry: which there are, whether each is whole, and how an encoder gets into one. */

/** A model in the registry, checked against its hash; one that is damaged says why and is never opened. */
export type ModelEntry = {
  sha256: string; // of encoder.onnx; of a damaged one, what its folder is called
  folder: string;
  removable: boolean; // false for the model that the service starts with
} & (
  | { manifest: ModelManifest; onnxPath: string; fault: null }
  | { manifest: null; onnxPath: null; fault: string }
);

export type WholeEntry = Extract<ModelEntry, { fault: null }>;

/** Where a model should be; nothing of it has been read. */
export interface Place {
  folder: string;
  removable: boolean;
}

/** Folders of models below `folder`, by name; hidden ones are drafts. None when the folder is not there. */
export async function placesIn(folder: string): Promise<Place[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ folder: join(folder, name), removable: true }))
    .sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** The manifest at a place as it is written, without reading the encoder; null when it cannot be read. */
export async function peek({ folder }: Place): Promise<ModelManifest | null> {
  const path = join(folder, MANIFEST_FILE);
  try {
    return parseManifest(await readFile(path, 'utf8'), modelManifest, { path, code: 'model_invalid' });
  } catch {
    return null;
  }
}

/**
 * A reader of places that checks each encoder against its hash. Files that kept their size and times since are not
 * read again.
 */
export function createEntryReader(): EntryReader {
  const known = new Map<string, { stamp: string; manifest: ModelManifest }>();

  async function manifestOf(folder: string): Promise<ModelManifest> {
    const stamp = await stampOf(folder);
    const before = known.get(folder);
    if (before && before.stamp === stamp) return before.manifest;
    const { manifest } = await readModel(folder);
    known.set(folder, { stamp, manifest });
    return manifest;
  }

  async function entryOf({ folder, removable }: Place): Promise<ModelEntry> {
    const name = basename(folder);
    try {
      const manifest = await manifestOf(folder);
      if (removable && manifest.sha256 !== name)
        throw new Error(`the folder is called ${name} and holds ${manifest.sha256}`);
      const onnxPath = join(folder, ENCODER_FILE);
      return { sha256: manifest.sha256, folder, removable, manifest, onnxPath, fault: null };
    } catch (error) {
      return { sha256: name, folder, removable, manifest: null, onnxPath: null, fault: messageOf(error) };
    }
  }

  return { entryOf, manifestOf };
}

export interface EntryReader {
  entryOf(place: Place): Promise<ModelEntry>;
  /** Of a folder that has to be whole. Throws as `readModel`. */
  manifestOf(folder: string): Promise<ModelManifest>;
}

async function stampOf(folder: string): Promise<string> {
  const stats = await Promise.all(
    [ENCODER_FILE, MANIFEST_FILE].map((name) => stat(join(folder, name)).catch(() => null)),
  );
  return stats
    .map((found) => found && [found.ino, found.size, found.mtimeMs, found.ctimeMs].join())
    .join(';');
}

/**
 * Copies an encoder with `tail` behind it, durably, and gives the hashes of what was read and of what was written. Throws
 * `aborted`, and `model_invalid` when there is no room or the file cannot be read.
 */
export async function copyEncoder(
  from: string,
  to: string,
  { tail, signal }: { tail: Uint8Array; signal?: AbortSignal | undefined },
): Promise<{ read: string; written: string }> {
  const hash = createHash('sha256');
  const file = await open(to, 'wx');
  try {
    for await (const chunk of createReadStream(from, { highWaterMark: 1 << 20 })) {
      if (signal?.aborted) throw abortedError();
      hash.update(chunk as Buffer);
      await file.appendFile(chunk as Buffer);
    }
    const read = hash.copy().digest('hex');
    await file.appendFile(tail);
    await file.sync();
    return { read, written: hash.update(tail).digest('hex') };
  } catch (cause) {
    if (cause instanceof LookalikeError) throw cause;
    throw new LookalikeError('model_invalid', `${from} cannot be copied: ${messageOf(cause)}`, { cause });
  } finally {
    await file.close();
  }
}
