import { readFileSync } from 'node:fs';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import { normaliseRows } from '../core/vector.js';
import { sha256Of } from './files.js';
import { serveCalls } from './worker-call.js';

/** The thread of `onnx-embedder.ts`: reads, checks and runs the encoder. */
export interface EmbedderData {
  modelPath: string;
  manifest: ModelManifest;
  intraOpThreads: number;
}

export interface EmbedRequest {
  tensor: Float32Array; // n x 3 x height x width
  n: number;
}

await serveCalls<EmbedderData, EmbedRequest, Float32Array>(
  async ({ modelPath, manifest, intraOpThreads }) => {
    const session = await openEncoder(modelPath, manifest, intraOpThreads);
    const one = 3 * manifest.input.height * manifest.input.width;
    // An encoder exported for one picture at a time is run so.
    const [batch] = shapeOf(session);
    const most = typeof batch === 'number' ? batch : Number.POSITIVE_INFINITY;
    if (typeof batch === 'number' && batch !== 1)
      throw new LookalikeError(
        'model_invalid',
        `${modelPath} takes batches of ${batch} only: export it for 1 or for any`,
      );

    const embed = async (tensor: Float32Array, n: number): Promise<Float32Array> => {
      const { height, width } = manifest.input;
      const output = await session.run({
        [manifest.input.name]: new Tensor('float32', tensor, [n, 3, height, width]),
      });
      const { data } = output[manifest.output.name]!;
      if (!(data instanceof Float32Array) || data.length !== n * manifest.dimension)
        throw new LookalikeError(
          'model_invalid',
          `${modelPath} answers ${n} pictures with ${data.length} ${output[manifest.output.name]!.type} numbers, ` +
            `its manifest says ${manifest.dimension} float32 a picture`,
        );
      return normaliseRows(data, n, manifest.dimension);
    };
    const embedAll = async (tensor: Float32Array, n: number): Promise<Float32Array> => {
      if (n <= most) return embed(tensor, n);
      const vectors = new Float32Array(n * manifest.dimension);
      for (let i = 0; i < n; i++)
        vectors.set(await embed(tensor.slice(i * one, (i + 1) * one), 1), i * manifest.dimension);
      return vectors;
    };

    await embed(probePicture(one), 1).catch((cause) => {
      throw new LookalikeError(
        'model_invalid',
        `${modelPath} fails on a first picture: ${messageOf(cause)}`,
        { cause },
      );
    });
    return async ({ tensor, n }) => {
      // A copy: the result is a view on onnxruntime's own memory, which cannot move to another thread.
      const vectors = (await embedAll(tensor, n)).slice();
      return { value: vectors, transfer: [vectors.buffer] };
    };
  },
);

function shapeOf(session: InferenceSession): readonly (number | string)[] {
  const [input] = session.inputMetadata;
  return input?.isTensor ? input.shape : [];
}

async function openEncoder(
  path: string,
  manifest: ModelManifest,
  intraOpThreads: number,
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
  env.logLevel = 'error';
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: intraOpThreads,
    logSeverityLevel: 3,
    // Spinning threads would fight the decoder and the index for the cores.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  }).catch((cause) => refuse(`cannot be loaded: ${messageOf(cause)}`, cause));
  const { inputNames, outputNames } = session;
  if (inputNames.join() !== manifest.input.name || outputNames.join() !== manifest.output.name)
    refuse(
      `has the inputs "${inputNames}" and the outputs "${outputNames}", ` +
        `its manifest names one of each: "${manifest.input.name}" and "${manifest.output.name}"`,
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
function probePicture(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => 2 * Math.sin(i * 0.37));
}
