import { LookalikeError } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import type { Embedder } from '../core/ports.js';
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
  /** Whether threads of onnxruntime turn in a loop instead of sleeping also after a run and in company: no when absent. */
  spinning?: boolean | undefined;
}

/**
 * Loads the encoder and tries it on one picture. Rejects with `model_missing`, or `model_invalid` when the
 * file is not the manifest's (SHA-256, names, dimension) or does not answer with a finite vector.
 *
 * `embed` moves the tensor's memory to the worker: the array is empty afterwards (a view on a part of a
 * larger buffer is copied instead). It rejects with `invalid_vector` when a picture has no direction and
 * with `internal` when the worker dies; the next call finds a new one.
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
    async embed(tensor, n, { company = false } = {}) {
      checkTensor(tensor, n, manifest);
      if (n === 0) return new Float32Array(0);
      const own = ownsItsBuffer(tensor) ? tensor : tensor.slice();
      return thread.call({ tensor: own, n, company }, { transfer: [own.buffer as ArrayBuffer] });
    },
    close: () => thread.close(),
  };
}

const ownsItsBuffer = (tensor: Float32Array) =>
  tensor.buffer instanceof ArrayBuffer && tensor.byteLength === tensor.buffer.byteLength;

function checkTensor(tensor: Float32Array, n: number, { input }: ModelManifest): void {
  const needed = n * 3 * input.height * input.width;
  if (Number.isInteger(n) && n >= 0 && tensor.length === needed) return;
  throw new LookalikeError(
    'invalid_parameter',
    `${n} pictures of 3 x ${input.height} x ${input.width} need ${needed} numbers, got ${tensor.length}`,
    { field: 'tensor' },
  );
}
