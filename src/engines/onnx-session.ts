import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { concatenated } from '../core/concatenated.js';
import { batchLimit, type EncoderFacts, type TensorFact } from '../core/encoder-choice.js';
import { LookalikeError } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import { poolRows } from '../core/pooling.js';
import { toChannelsLast } from '../core/preprocess.js';

/** An encoder's session and how it is run: the same code where it serves and where it is inspected. */

export interface SessionThreads {
  intraOpThreads: number; // with the one that calls
  /** Whether threads that wait for others turn in a loop, also after a run, instead of sleeping: no when absent. */
  spinning?: boolean;
  /** Processors that the others may use; all when absent. */
  helpersOn?: readonly number[];
}

/** Opens a graph on the CPU. Rejects with what onnxruntime says. */
export function openEncoderSession(
  bytes: Uint8Array,
  { intraOpThreads, spinning = false, helpersOn }: SessionThreads,
): Promise<InferenceSession> {
  env.logLevel = 'error';
  // onnxruntime counts processors from 1, and wants to be told of each thread.
  const affinity = helpersOn?.map((processor) => processor + 1).join(',');
  return InferenceSession.create(bytes, {
    intraOpNumThreads: intraOpThreads,
    logSeverityLevel: 3,
    extra: {
      session: {
        use_device_allocator_for_initializers: '1', // weights as large as they are, not in an arena that doubles
        ...(affinity && {
          intra_op_thread_affinities: Array(intraOpThreads - 1)
            .fill(affinity)
            .join(';'),
        }),
        intra_op: { allow_spinning: spinning ? '1' : '0' },
      },
    },
  });
}

/** The inputs and outputs that the graph declares. */
export function factsOf(session: InferenceSession): EncoderFacts {
  return { inputs: session.inputMetadata.map(toFact), outputs: session.outputMetadata.map(toFact) };
}

const toFact = (value: InferenceSession.ValueMetadata): TensorFact =>
  value.isTensor
    ? { name: value.name, type: value.type, shape: value.shape }
    : { name: value.name, type: 'sequence or map', shape: [] };

/**
 * n pictures (n x 3 x height x width, as `core/preprocess.ts` writes them) to n vectors, n x d, pooled but not yet of
 * unit length. The numbers are on memory of onnxruntime or of the pooling: copy them before they move elsewhere.
 */
export type EncoderRun = (tensor: Float32Array, n: number) => Promise<Float32Array>;

/**
 * How `manifest` says that this session is run. A graph for one picture is run once a picture. Throws `model_invalid` for
 * another fixed batch; a run rejects with `model_invalid` when the output is no float32 vector a picture.
 */
export function encoderRun(
  session: InferenceSession,
  { input, output }: Pick<ModelManifest, 'input' | 'output'>,
): EncoderRun {
  const one = 3 * input.height * input.width;
  const most = input.batch ?? batchLimit(factsOf(session));
  const dims = (n: number) =>
    input.layout === 'nchw' ? [n, 3, input.height, input.width] : [n, input.height, input.width, 3];

  async function runBatch(tensor: Float32Array, n: number): Promise<Float32Array> {
    const pixels = input.layout === 'nchw' ? tensor : toChannelsLast(tensor, n);
    const outputs = await session.run({ [input.name]: new Tensor('float32', pixels, dims(n)) }, [
      output.name,
    ]);
    const { data, dims: shape, type } = outputs[output.name]!;
    if (!(data instanceof Float32Array))
      throw new LookalikeError('model_invalid', `the output "${output.name}" is ${type}, float32 is needed`);
    return poolRows({ data, dims: shape }, n, output.pooling ?? 'none');
  }

  return async (tensor, n) => {
    if (n <= most) return runBatch(tensor, n);
    const rows: Float32Array[] = [];
    for (let i = 0; i < n; i++) rows.push((await runBatch(tensor.slice(i * one, (i + 1) * one), 1)).slice());
    return concatenated(Float32Array, rows);
  };
}
