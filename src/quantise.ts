import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { abortedError } from './core/check-search.js';
import { type Fidelity, fidelityFault } from './core/encoder-fidelity.js';
import { LookalikeError } from './core/errors.js';
import type { ModelManifest } from './core/manifests.js';
import { checkModelName, modelNameFrom } from './core/model-description.js';
import { toTensor } from './core/preprocess.js';
import { activationScale } from './core/quantisation.js';
import { sha256Of, syncFolder } from './engines/files.js';
import { type Model, readModel, writeModel } from './engines/manifest.js';
import { calibrate, optimisedModel } from './engines/onnx-calibrate.js';
import { encodeOnnxModel } from './engines/onnx-model.js';
import { planQuantisation, quantiseGraph } from './engines/onnx-quantise.js';
import { countOperators, decodeOnnxModel } from './engines/onnx-read.js';
import { compareOnPictures } from './quantise-check.js';
import { decodeAll, type Sample, samplePictures } from './sample-pictures.js';

/** An encoder on 8-bit integers: calibrate -> rewrite -> look what onnxruntime makes of it -> compare -> write. */
export interface QuantiseOptions {
  model: string; // folder
  pictures: string; // folder; sub-folders are labels
  out: string; // folder to make
  name?: string | undefined;
  calibration: number; // pictures that the ranges are measured on
  check: number; // other pictures that the result is compared on
  signal: AbortSignal;
  onProgress(stage: 'calibrating' | 'comparing', done: number, total: number): void;
}

export interface Quantised {
  folder: string;
  name: string;
  sha256: string;
  parent_sha256: string;
  bytes: { before: number; after: number };
  convolutions: { all: number; on_integers: number };
  fidelity: Fidelity;
  /** CPU time of one picture on one thread, the median: what else runs on the machine changes it little. */
  cpu_ms: { before: number; after: number };
  unreadable: number; // pictures passed over
}

/** Throws `model_invalid` when it cannot be quantised or the result is not true to its parent; then nothing is written. */
export async function quantise(options: QuantiseOptions): Promise<Quantised> {
  const { out, signal } = options;
  await refuseTaken(out);
  const parent = await readModel(options.model);
  const name = checkModelName(options.name ?? modelNameFrom(`${parent.manifest.name.slice(0, 59)}-int8`));
  const sample = await samplePictures(options.pictures, options);
  const made = await convert(parent, sample, options);
  if (signal.aborted) throw abortedError();

  const draft = join(dirname(out), `.${basename(out)}-${randomUUID()}`);
  await mkdir(draft, { recursive: true });
  try {
    const description = describe(parent.manifest, { name, ...made });
    await writeModel(draft, made.onnx, description);
    const compared = await compareOnPictures(parent, await readModel(draft), sample.check, options);
    const { fidelity } = compared;
    const fault = fidelityFault(fidelity);
    if (fault) throw refusal(options.model, `${fault}. Nothing was written`);
    const { sha256 } = await writeModel(draft, made.onnx, { ...description, accuracy: { ...fidelity } });
    await rename(draft, out);
    await syncFolder(dirname(out));
    return {
      folder: out,
      name,
      sha256,
      parent_sha256: parent.manifest.sha256,
      bytes: made.bytes,
      convolutions: made.convolutions,
      ...compared,
      unreadable: made.unreadable + compared.unreadable,
    };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const refusal = (model: string, why: string, cause?: unknown) =>
  new LookalikeError('model_invalid', `${model} cannot be quantised: ${why}`, { cause });

async function refuseTaken(out: string): Promise<void> {
  const names = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new LookalikeError('invalid_parameter', `--out ${out} is not a folder: ${error.message}`, {
      field: '--out',
    });
  });
  if (names.length > 0)
    throw new LookalikeError('already_exists', `${out} is not empty: name another folder with --out`, {
      field: '--out',
    });
}

interface Converted {
  onnx: Uint8Array;
  bytes: Quantised['bytes'];
  convolutions: Quantised['convolutions'];
  calibration: { pictures: number; sha256: string };
  unreadable: number;
}

async function convert(
  { manifest, onnxPath }: Model,
  { calibration }: Sample,
  { model, signal, onProgress }: QuantiseOptions,
): Promise<Converted> {
  const bytes = await readFile(onnxPath);
  const { plan, graph } = await planned(bytes, model);
  const { images, unreadable } = await decodeAll(calibration, manifest.preprocess);
  const total = 2 * images.length;
  let done = 0;
  async function* pictures() {
    for (const { image } of images) {
      if (signal.aborted) throw abortedError();
      yield toTensor([image], manifest.preprocess);
      onProgress('calibrating', ++done, total);
      await new Promise((resolve) => setImmediate(resolve)); // a run blocks: signals have their turn here
    }
  }
  const tensors = [...new Set(plan.tensors.values())];
  const ranges = await calibrate(graph, manifest.input, { tensors, pictures });
  const scales = new Map([...ranges].map(([name, range]) => [name, activationScale(range)]));
  const quantised = quantiseGraph(graph, plan, scales);
  const metadata = { ...graph.metadata, 'lookalike.parent_sha256': manifest.sha256 };
  const onnx = encodeOnnxModel({ ...quantised, metadata });
  return {
    onnx,
    bytes: { before: bytes.length, after: onnx.length },
    convolutions: await fused(onnx, { all: countConvs(graph), planned: plan.convs.size }, model),
    calibration: {
      pictures: images.length,
      sha256: sha256Of(Buffer.from(images.map((one) => one.sha256).join())),
    },
    unreadable,
  };
}

const countConvs = ({ nodes }: { nodes: readonly { op: string }[] }) =>
  nodes.filter(({ op }) => op === 'Conv').length;

async function planned(bytes: Uint8Array, model: string) {
  try {
    const graph = decodeOnnxModel(await optimisedModel(bytes, 'basic'));
    return { graph, plan: planQuantisation(graph) };
  } catch (cause) {
    throw refusal(model, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Looks into the graph that onnxruntime runs: a convolution that it did not fuse would be slower than before. */
async function fused(
  onnx: Uint8Array,
  convs: { all: number; planned: number },
  model: string,
): Promise<Quantised['convolutions']> {
  const found = countOperators(await optimisedModel(onnx, 'extended'));
  const integers = found.get('QLinearConv') ?? 0;
  if (integers < convs.planned)
    throw refusal(model, `onnxruntime runs only ${integers} of ${convs.planned} convolutions on integers`);
  return { all: convs.all, on_integers: integers };
}

function describe(
  { sha256, format_version: _, ...parent }: ModelManifest,
  { name, calibration }: { name: string; calibration: Converted['calibration'] },
): Omit<ModelManifest, 'sha256' | 'format_version'> {
  const quantisation = {
    weights: 'int8 in 7 bits, a scale a channel',
    activations: 'uint8, a scale a tensor',
    calibration_pictures: calibration.pictures,
    calibration_sha256: calibration.sha256,
  };
  return {
    ...parent,
    name,
    parent_sha256: sha256,
    settings: { ...parent.settings, quantisation },
    accuracy: {},
  };
}
