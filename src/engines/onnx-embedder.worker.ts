import { readFileSync } from 'node:fs';
import type { InferenceSession } from 'onnxruntime-node';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import { writeTensor } from '../core/preprocess.js';
import { normaliseRows } from '../core/vector.js';
import { sha256Of } from './files.js';
import { openRuns } from './onnx-runs.js';
import { encoderRun, openEncoderSession, type SessionThreads } from './onnx-session.js';
import { serveCalls } from './worker-call.js';

/** The thread of `onnx-embedder.ts`: reads, checks and runs the encoder, and makes the tensors that it takes. */
export interface EmbedderData {
  modelPath: string;
  manifest: ModelManifest;
  threads: { intraOpThreads: number; spinning: boolean };
}

export interface EmbedRequest {
  pixels: Uint8Array; // n x height x width x 3
  n: number;
}

await serveCalls<EmbedderData, EmbedRequest, Float32Array>(async ({ modelPath, manifest, threads }) => {
  const refuse = (why: string, cause?: unknown): never => {
    throw new LookalikeError('model_invalid', `${modelPath} ${why}`, { cause });
  };
  const open = async (threads: SessionThreads) =>
    runOf(await openEncoder(modelPath, manifest, threads), manifest, refuse);
  const run = await openRuns({ ...threads, open });
  const embed = async (tensor: Float32Array, n: number): Promise<Float32Array> => {
    const rows = await run()(tensor, n);
    if (rows.length !== n * manifest.dimension)
      refuse(
        `answers ${n} pictures with ${rows.length} float32 numbers, its manifest says ${manifest.dimension} float32 a picture`,
      );
    return normaliseRows(rows, n, manifest.dimension);
  };

  await embed(probePicture(manifest), 1).catch((cause) =>
    refuse(`fails on a first picture: ${messageOf(cause)}`, cause),
  );
  const tensorOf = tensorMaker(manifest);
  return async ({ pixels, n }) => {
    // A copy: the result is a view on onnxruntime's own memory, which cannot move to another thread.
    const vectors = (await embed(tensorOf(pixels, n), n)).slice();
    return { value: vectors, transfer: [vectors.buffer] };
  };
});

/** Tensors of n pictures, each valid until the next: writing to memory that is new takes several times as long. */
function tensorMaker({ input: { width, height }, preprocess }: ModelManifest) {
  const size = 3 * width * height;
  let room = new Float32Array(0);
  return (pixels: Uint8Array, n: number): Float32Array => {
    if (room.length < n * size) room = new Float32Array(n * size);
    for (let at = 0; at < n * size; at += size)
      writeTensor({ width, height, data: pixels.subarray(at, at + size) }, preprocess, room, at);
    return room.subarray(0, n * size);
  };
}

function runOf(session: InferenceSession, manifest: ModelManifest, refuse: (why: string) => never) {
  try {
    return encoderRun(session, manifest);
  } catch (error) {
    return refuse(`cannot be run: ${messageOf(error)}`);
  }
}

async function openEncoder(
  path: string,
  manifest: ModelManifest,
  threads: SessionThreads,
): Promise<InferenceSession> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new LookalikeError(
      'model_invalid',
      `${path} ${why}. Copy the model folder again, or make one with \`npm run train -- <folder> --out <folder>\`.`,
      { cause },
    );
  };
  const bytes = read(path);
  if (sha256Of(bytes) !== manifest.sha256)
    refuse('is not the file that its manifest describes (SHA-256 differs)');
  const session = await openEncoderSession(bytes, threads).catch((cause) =>
    refuse(`cannot be loaded: ${messageOf(cause)}`, cause),
  );
  const { inputNames, outputNames } = session;
  if (inputNames.join() !== manifest.input.name || !outputNames.includes(manifest.output.name))
    refuse(
      `has the inputs "${inputNames}" and the outputs "${outputNames}", ` +
        `its manifest names the input "${manifest.input.name}" and the output "${manifest.output.name}"`,
    );
  return session;
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new LookalikeError('model_missing', `there is no encoder at ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Numbers like those of a preprocessed picture, spread over -2..2 and not constant. */
function probePicture({ input }: ModelManifest): Float32Array {
  return Float32Array.from({ length: 3 * input.height * input.width }, (_, i) => 2 * Math.sin(i * 0.37));
}
