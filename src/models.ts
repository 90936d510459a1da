import type { LookalikeError } from './core/errors.js';
import type { ModelManifest } from './core/manifests.js';
import type { Models, OpenModel } from './core/ports.js';
import { joinCalls } from './engines/embed-batches.js';
import { createOnnxEmbedder, type EncoderThreads } from './engines/onnx-embedder.js';

/** Encoders by the hash of their file: each is loaded once, however many collections embed with it. */
export interface ModelsParts {
  /** Where the encoder of this hash lies. Throws `model_missing`. */
  find(sha256: string): Promise<{ manifest: ModelManifest; onnxPath: string }>;
  threads: EncoderThreads;
  /** Pictures of concurrent calls that run together, and how long a call may wait for others (`embed-batches.ts`). */
  batch: { most: number; waitMs: number };
  onCrash: (error: LookalikeError) => void;
}

export function createModels({ find, threads, batch, onCrash }: ModelsParts): Models {
  const loaded = new Map<string, { users: number; model: ReturnType<typeof load> }>();

  async function load(sha256: string) {
    const { manifest, onnxPath } = await find(sha256);
    const embedder = await createOnnxEmbedder({ modelPath: onnxPath, manifest, ...threads, onCrash });
    // An encoder that takes one picture a run gains nothing from a batch.
    const most = manifest.input.batch === 1 ? 1 : batch.most;
    return { manifest, embedder: joinCalls(embedder, { ...batch, most }) };
  }

  async function release(sha256: string): Promise<void> {
    const entry = loaded.get(sha256)!;
    if (--entry.users > 0) return;
    loaded.delete(sha256);
    await (await entry.model).embedder.close();
  }

  return {
    async open(sha256): Promise<OpenModel> {
      const entry = loaded.get(sha256) ?? { users: 0, model: load(sha256) };
      loaded.set(sha256, entry);
      entry.users++;
      try {
        const model = await entry.model;
        let held = true;
        const releaseOnce = async () => {
          if (!held) return;
          held = false;
          await release(sha256);
        };
        return { ...model, release: releaseOnce };
      } catch (error) {
        if (loaded.get(sha256) === entry) loaded.delete(sha256); // the next caller tries anew
        throw error;
      }
    },
  };
}
