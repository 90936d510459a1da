import { concatenated } from '../core/concatenated.js';
import { LookalikeError } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import type { Embedder } from '../core/ports.js';
import type { Image } from '../core/types.js';
import type { EmbedderData, EmbedRequest } from './onnx-embedder.worker.js';
import { WorkerThread } from './worker-call.js';

/** The encoder on onnxruntime, in a worker thread: a run blocks the thread it is on, promise or not. */
export interface OnnxEmbedderOptions extends EncoderThreads {
  modelPath: string;
  manifest: ModelManifest;
  onCrash?: (error: LookalikeError) => void;
}

export interface EncoderThreads {
  intraOpThreads?: number | undefined; // 1 when absent
  /** Whether threads of onnxruntime that wait turn in a loop instead of sleeping: no when absent. */
  spinning?: boolean | undefined;
}

/**
 * Loads the encoder and tries it on one picture. Rejects with `model_missing`, or `model_invalid` when the
 * file is not the manifest's (SHA-256, names, dimension) or does not answer with a finite vector.
 *
 * `embed` rejects with `invalid_parameter` when a picture is of another size, with `invalid_vector` when one has no
 * direction and with `internal` when the worker dies; the next call finds a new one.
 */
export async function createOnnxEmbedder(options: OnnxEmbedderOptions): Promise<Embedder> {
  const { modelPath, manifest, intraOpThreads = 1, spinning = false, onCrash } = options;
  const data: EmbedderData = { modelPath, manifest, threads: { intraOpThreads, spinning } };
  const thread = await WorkerThread.start<EmbedRequest, Float32Array>('onnx-embedder.worker', {
    data,
    what: 'embedder',
    onCrash,
  });
  return {
    dimension: manifest.dimension,
    modelSha256: manifest.sha256,
    async embed(images) {
      for (const image of images) checkSize(image, manifest);
      if (images.length === 0) return new Float32Array(0);
      // A copy even of one: what moves to the worker is gone here.
      const pixels = concatenated(
        Uint8Array,
        images.map(({ data }) => data),
      );
      return thread.call({ pixels, n: images.length }, { transfer: [pixels.buffer] });
    },
    close: () => thread.close(),
  };
}

function checkSize({ width, height, data }: Image, { input }: ModelManifest): void {
  const fits = width === input.width && height === input.height && data.length === 3 * width * height;
  if (fits) return;
  throw new LookalikeError(
    'invalid_parameter',
    `the encoder takes pictures of ${input.width} x ${input.height} pixels and 3 channels, got ${data.length} bytes for ${width} x ${height}`,
    { field: 'images' },
  );
}
