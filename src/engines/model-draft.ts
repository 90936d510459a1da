import { basename, join } from 'node:path';
import { abortedError } from '../core/check-search.js';
import { LookalikeError } from '../core/errors.js';
import type { Inspection, InspectRequest } from '../core/inspection.js';
import { type ModelManifest, modelManifest, type Pooling } from '../core/manifests.js';
import {
  checkModelName,
  confirmedManifest,
  foreignManifest,
  modelNameFrom,
} from '../core/model-description.js';
import { writeDurably } from './files.js';
import { ENCODER_FILE, MANIFEST_FILE } from './manifest.js';
import { copyEncoder } from './model-entries.js';
import type { GivenModel } from './model-folder.js';
import { encodeOnnxMetadata } from './onnx-model.js';

/** From what was given and what an inspection found of it to a folder with encoder and manifest. */

/** What an inspection is told beside the path. */
export type Inspecting = Omit<InspectRequest, 'path' | 'threads'> & { signal?: AbortSignal | undefined };

export interface AddOptions {
  name?: string | undefined; // the manifest's, the file's or the folder's when absent
  output?: string | undefined; // of a graph with several
  pooling?: Pooling | undefined; // of an output with a vector a token
  temperature?: number | undefined; // of the vote, 0.07 when absent; a trained model brings its own
  signal?: AbortSignal | undefined;
}

export function checkAsked({ name, temperature, signal }: AddOptions): void {
  if (signal?.aborted) throw abortedError();
  if (name !== undefined) checkModelName(name);
  if (temperature === undefined || (temperature > 0 && Number.isFinite(temperature))) return;
  throw new LookalikeError('invalid_parameter', `temperature is ${temperature}, a number above 0 is needed`, {
    field: 'temperature',
  });
}

export function inspecting(given: GivenModel, { output, pooling, signal }: AddOptions): Inspecting {
  if (given.kind === 'foreign') return { preprocess: given.preprocess, output, pooling, signal };
  const { preprocess, output: own } = given.manifest;
  if (output !== undefined || pooling !== undefined)
    throw new LookalikeError(
      'invalid_parameter',
      'the manifest beside this encoder says its output and pooling already',
      {
        field: output === undefined ? 'pooling' : 'output',
      },
    );
  return { preprocess, output: own.name, pooling: own.pooling, signal };
}

interface Filling {
  given: GivenModel;
  inspection: Inspection;
  asked: AddOptions;
}

/** Copies the encoder and writes its manifest. */
export async function fillDraft(
  draft: string,
  { given, inspection, asked }: Filling,
): Promise<ModelManifest> {
  const described = describe({ given, inspection, asked });
  const tail = given.kind === 'foreign' ? identityOf(described) : new Uint8Array(0);
  const copied = await copyEncoder(given.onnxPath, join(draft, ENCODER_FILE), { tail, signal: asked.signal });
  if (copied.read !== inspection.sha256)
    throw new LookalikeError('model_invalid', `${given.onnxPath} changed while it was added: add it again`);
  const manifest = modelManifest.parse({ ...described, format_version: 1, sha256: copied.written });
  await writeDurably(join(draft, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

type Described = Omit<ModelManifest, 'sha256' | 'format_version'>;

function describe({ given, inspection, asked }: Filling): Described {
  if (given.kind === 'trained') {
    const manifest = confirmedManifest(given.manifest, inspection);
    return {
      ...manifest,
      name: asked.name ?? manifest.name,
      temperature: asked.temperature ?? manifest.temperature,
    };
  }
  const { onnxPath, recordPath, preprocess } = given;
  return foreignManifest(
    {
      name: asked.name ?? modelNameFrom(given.name),
      file: basename(onnxPath),
      record: basename(recordPath),
      preprocess,
      temperature: asked.temperature,
    },
    inspection,
  );
}

/**
 * Whoever holds vectors knows their model by its hash alone, and the same graph fed or read in another way is another
 * model. So what decides about the vectors becomes a part of the file and of its hash.
 */
function identityOf({ input, output, preprocess }: Described): Uint8Array {
  return encodeOnnxMetadata({ 'lookalike.encoder': JSON.stringify({ input, output, preprocess }) });
}
