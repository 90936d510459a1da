import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ErrorCode, LookalikeError, messageOf } from '../core/errors.js';
import { type ModelManifest, modelManifest } from '../core/manifests.js';
import { sha256Of, sha256OfFile, writeDurably } from './files.js';

/** Reading and checking manifests: JSON against the schemas of `core/manifests.ts`, and a model against its own. */

/** Parses `text` by `schema`; every fault is named with its place. `code` is thrown when it does not fit. */
export function parseManifest<T>(
  text: string,
  schema: z.ZodType<T>,
  where: { path: string; code: ErrorCode },
): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new LookalikeError(where.code, `${where.path} is not JSON: ${messageOf(cause)}`, { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new LookalikeError(
    where.code,
    `${where.path}: ${z.prettifyError(result.error).replaceAll('\n', ' ')}`,
  );
}

export const ENCODER_FILE = 'encoder.onnx';
export const MANIFEST_FILE = 'manifest.json';

export interface Model {
  manifest: ModelManifest;
  onnxPath: string;
}

/** Opens a model folder (`encoder.onnx`, `manifest.json`) and checks that the two belong together. */
export async function readModel(folder: string): Promise<Model> {
  const path = join(folder, MANIFEST_FILE);
  const onnxPath = join(folder, ENCODER_FILE);
  const text = await readFile(path, 'utf8').catch((cause) => missing(folder, path, cause));
  const manifest = parseManifest(text, modelManifest, { path, code: 'model_invalid' });
  const sha256 = await sha256OfFile(onnxPath).catch((cause) => missing(folder, onnxPath, cause));
  if (sha256 !== manifest.sha256)
    throw new LookalikeError(
      'model_invalid',
      `${onnxPath} has the SHA-256 ${sha256.slice(0, 12)}…, its manifest says ${manifest.sha256.slice(0, 12)}…: ` +
        'the file is damaged or belongs to another training. Copy the folder again or run `npm run train`.',
    );
  return { manifest, onnxPath };
}

function missing(folder: string, path: string, cause: unknown): never {
  throw new LookalikeError(
    'model_missing',
    `no model in ${folder}: cannot read ${path}. Name a folder with --model, or make one with ` +
      '`npm run train -- <folder> --out <folder>`.',
    { cause },
  );
}

/** Writes encoder and manifest; the hash is taken here. The manifest comes last: without it there is no model. */
export async function writeModel(
  folder: string,
  onnx: Uint8Array,
  manifest: Omit<ModelManifest, 'sha256' | 'format_version'>,
): Promise<ModelManifest> {
  const whole = modelManifest.parse({ format_version: 1, sha256: sha256Of(onnx), ...manifest });
  await writeDurably(join(folder, ENCODER_FILE), onnx);
  await writeDurably(join(folder, MANIFEST_FILE), `${JSON.stringify(whole, null, 2)}\n`);
  return whole;
}
